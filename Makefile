# Two commands do all their own set-up: `make demo` and `make test`.
SHELL := /bin/bash -euo pipefail
.DEFAULT_GOAL := help

PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin
CASTLE := examples/castle
export PATH := $(CURDIR)/$(RUN):$(PATH):/usr/sbin:/sbin

.PHONY: help demo test test-all check fix unit lab bench bench-proof power precision unseen clean lock docs fuzz sbom simulate sweep kills

help: ## what there is
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 13

demo: lab ## the example castle, from nothing to a blog that answers, in the lab
	@$(RUN)/rebirth lab down tazlab-k8s > /dev/null
	$(RUN)/rebirth create --lab $(CASTLE)
	@echo
	@echo "(the program is $(RUN)/rebirth)"

test: unit lab ## all tests: units in seconds, then rehearsals and the lab
	$(RUN)/rebirth lab build --with source-watcher # what a rehearsal has besides
	@$(MAKE) --no-print-directory packages LIST=tests/debian-packages.txt # a browser, for the page of a fleet
	$(RUN)/python -m pytest -m "(lab or install) and not long"

test-all: test ## and the rehearsals that take longest: every example castle, changes, lost machines, a rebirth with its data
	$(RUN)/python -m pytest -m long

unit: $(VENV)/ready ## the tests that take seconds
	$(RUN)/python -m pytest -n 2 -m "not lab and not install and not long"

check: $(VENV)/ready ## what CI runs first: lint, format, types, layers, laws
	$(RUN)/ruff check
	$(RUN)/ruff format --check
	$(RUN)/mypy
	$(RUN)/lint-imports
	$(RUN)/python -m pytest -q tests/test_laws.py tests/test_recipes.py tests/test_documents.py

fix: $(VENV)/ready ## mends what can be mended by itself
	$(RUN)/ruff check --fix
	$(RUN)/ruff format

bench: bench-proof lab ## the proof; then five warm runs, and the same in the protocol's layer order
	$(RUN)/python bench/online.py

bench-proof: $(VENV)/ready ## how fast the proof is: the example castle, and generated trees
	$(RUN)/python bench/proof.py

power: lab ## five power cuts of the example castle in a row: how long until it is online again, by itself
	$(RUN)/python bench/power.py

PRECISION := $(or $(TMPDIR),/tmp)/rebirth-precision
precision: $(VENV)/ready ## what the proof finds of real faults, and what it says that is not so (MIRRORS=, JOBS=, PRECISION=: where to keep it)
	$(RUN)/python bench/precision.py $(PRECISION) --jobs $(or $(JOBS),2) $(if $(MIRRORS),--mirrors $(MIRRORS))

unseen: $(VENV)/ready ## what the proof finds of faults in repositories that no rule was tried on (as precision; UNSEEN= another list)
	$(RUN)/python bench/precision.py $(PRECISION) --fixes $(or $(UNSEEN),tests/corpus/unseen.toml) --jobs $(or $(JOBS),2) $(if $(MIRRORS),--mirrors $(MIRRORS))

lab: $(VENV)/ready $(VENV)/packages ## builds the lab's programs that are not in the cache
	$(RUN)/rebirth lab build

fuzz: $(VENV)/ready ## spoils all that is read, and answers of systems, for MINUTES (60); SEED= repeats one
	PYTHONPATH=tests $(RUN)/python -m fuzz $(or $(MINUTES),60) $(TARGETS) $(if $(SEED),--seed $(SEED))

docs: $(VENV)/ready ## the rules' pages, the page of faults, the reference of castle.yaml and the schemas, from the source
	$(RUN)/python -m rebirth.findings.pages docs/rules tests/proof/rules
	$(RUN)/python -m rebirth.castle.published.reference docs/reference/castle.md
	$(RUN)/rebirth schema castle.yaml > docs/reference/castle.schema.json
	$(RUN)/rebirth schema lab.yaml > docs/reference/lab.schema.json
	PYTHONPATH=tests $(RUN)/python -m faults docs/faults.md

SBOM := $(VENV)-sbom
sbom: ## the software bill of materials (CycloneDX, JSON) of requirements.lock: sbom.json
	$(PYTHON) -m venv $(SBOM)
	$(SBOM)/bin/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-sbom.lock
	$(SBOM)/bin/cyclonedx-py requirements requirements.lock --pyproject pyproject.toml --output-reproducible --of JSON -o sbom.json

lock: $(VENV)/ready ## pins every dependency anew
	$(RUN)/pip install --quiet pip-tools
	$(RUN)/pip-compile --quiet --generate-hashes --allow-unsafe --all-extras --no-emit-index-url --no-emit-find-links \
		--no-emit-trusted-host --strip-extras --no-header -o requirements.lock pyproject.toml
	sed -i '1s/^/# Every dependency with its hashes. Made by `make lock` out of pyproject.toml.\n/' requirements.lock

simulate: $(VENV)/ready ## whole lives of a castle on virtual time, with faults and kills from a seed (N=1000 or SEED=, JOBS=)
	PYTHONPATH=src:tests $(RUN)/python -m simulation simulate $(if $(or $(N),$(if $(SEED),,1000)),-n $(or $(N),1000)) $(if $(SEED),--seed $(SEED)) --jobs $(or $(JOBS),2)

sweep: $(VENV)/ready ## create and destroy cut off at every point at which they can be killed (JOBS=)
	PYTHONPATH=src:tests $(RUN)/python -m simulation sweep --jobs $(or $(JOBS),2)

kills: lab ## create in the lab killed at twenty points of its whole run, and run again (SEED=, LIVES=5); half an hour
	PYTHONPATH=src:tests $(RUN)/python -m killing --lives $(or $(LIVES),5) $(if $(SEED),--seed $(SEED))

clean: ## removes what make made here
	rm -rf $(VENV) $(VENV)-sbom sbom.json .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache src/*.egg-info

$(VENV)/ready: requirements.lock requirements-schema.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or later is needed")'
	@$(PYTHON) -c 'import ensurepip' 2> /dev/null || $(MAKE) --no-print-directory packages
	$(PYTHON) -m venv $(VENV)
	$(RUN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(RUN)/pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements-schema.lock
	$(RUN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/packages: debian-packages.txt $(VENV)/ready
	@$(MAKE) --no-print-directory packages
	@touch $@

LIST ?= debian-packages.txt
.PHONY: packages
packages:
	@missing=$$(while read -r package; do \
		dpkg-query -W -f='$${Status}' "$$package" 2> /dev/null | grep -q 'ok installed' || echo "$$package"; \
	done < $(LIST) | tr '\n' ' '); \
	if [ -z "$${missing// }" ]; then exit 0; fi; \
	if [ "$$(id -u)" != 0 ]; then echo "error: these Debian packages are missing: $$missing"; echo "hint: sudo apt-get install $$missing"; exit 1; fi; \
	echo "installing $$missing"; \
	apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing > /dev/null; \
	case " $$missing" in *" openssh-server "*) if [ -d /run/systemd/system ]; then systemctl disable --quiet --now ssh.service ssh.socket; fi;; esac
