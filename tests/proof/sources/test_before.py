"""What is taken as there before Flux: what the repository's own bootstrap names, with the line that says so."""

import pytest

from flux_trees import node
from rebirth.errors import SpecError
from rebirth.proof.things import Extent

HELMFILE = "releases:\n- {name: lb, namespace: lb, chart: metallb/metallb}\n"
ROOT = {
    "clusters/x/sync.yaml": node("flux-system", "./clusters/x"),
    "clusters/x/apps.yaml": node("apps", "./apps"),
    "apps/a.yaml": "",
}


def taken(survey):
    return {str(file.relative_to(survey.model.root)): why for file, (why, _) in survey.model.helmfiles.items()}


@pytest.fixture
def one(tree, read):
    def run(**files):
        (survey,) = read(tree(ROOT | {name.replace("__", "/"): text for name, text in files.items()}))
        return survey

    return lambda files: run(**files)


@pytest.mark.parametrize(
    ("script", "text"),
    [
        ("Taskfile.yaml", "tasks:\n  up: {cmds: ['helmfile -f {{.DIR}}/bootstrap/helmfile.yaml sync']}\n"),
        (".taskfiles/talos/Taskfile.yaml", "x:\n- helmfile --file bootstrap/helmfile.yaml apply\n"),
        ("Makefile", "up:\n\tcd bootstrap && helmfile apply\n"),
        ("bootstrap/mod.just", "apps:\n  helmfile -f '{{ source_directory() }}/helmfile.yaml' sync\n"),
        ("scripts/up.sh", "local -r file=${ROOT}/bootstrap/helmfile.yaml\nhelmfile --file ${file} apply\n"),
        ("README.md", "# Start\n\n```sh\nhelmfile -f bootstrap/helmfile.yaml apply\n```\n"),
    ],
)
def test_the_bootstrap_names_it(one, script, text):
    survey = one({"bootstrap/helmfile.yaml": HELMFILE, script: text})
    (why,) = taken(survey).values()
    assert why.startswith(f"bootstrap/helmfile.yaml installs it before Flux, says {script}:")
    assert not survey.model.helmfiles[survey.model.root / "bootstrap/helmfile.yaml"][1]


@pytest.mark.parametrize(
    "files",
    [
        {},
        {"README.md": "The folder bootstrap/helmfile.yaml is no longer used.\n"},
        {"Makefile": "# helmfile -f bootstrap/helmfile.yaml apply\n"},
        {
            "Makefile": "up:\n\thelmfile -f elsewhere/helmfile.yaml apply\n",
            "elsewhere/helmfile.yaml": HELMFILE.replace("lb", "x"),
        },
    ],
    ids=["nobody", "a sentence", "a comment", "another one"],
)
def test_nothing_runs_it(one, files):
    survey = one(
        {"old/helmfile.yaml": HELMFILE, **{name: text.replace("bootstrap", "old") for name, text in files.items()}}
    )
    assert "old/helmfile.yaml" not in taken(survey)
    (left,) = [unknown for unknown in survey.unknowns if unknown.extent is Extent.NOTHING]
    assert left.what == "old/helmfile.yaml"
    assert "`bootstrap:` in .rebirth.yaml" in left.why


@pytest.mark.parametrize(("file", "only"), [("bootstrap/helmfile.yaml", False), ("bootstrap/crds/helmfile.yaml", True)])
def test_what_lies_in_a_folder_bootstrap(one, file, only):
    survey = one({file: HELMFILE})
    ((why, crds),) = survey.model.helmfiles.values()
    assert (why.endswith("it lies in a folder bootstrap"), crds) == (True, only)


def test_rebirth_yaml_names_it(one):
    survey = one({"bootstrap/helmfile.yaml": HELMFILE, ".rebirth.yaml": "bootstrap: [bootstrap/helmfile.yaml]\n"})
    assert taken(survey) == {
        "bootstrap/helmfile.yaml": "bootstrap/helmfile.yaml installs it before Flux, says .rebirth.yaml"
    }
    with pytest.raises(SpecError):
        one({".rebirth.yaml": "bootstrap: 1\n"})


def test_what_a_named_one_includes(one):
    survey = one({
        "helmfile.yaml": "helmfiles: [{path: more/helmfile.yaml}]\n", "more/helmfile.yaml": HELMFILE, "up.sh": "helmfile apply\n",
    })  # fmt: skip
    assert set(taken(survey)) == {"helmfile.yaml", "more/helmfile.yaml"}


@pytest.mark.parametrize(
    ("text", "only"),
    [
        ("helmfile -f helmfile.d/00-crds.yaml template -q | kubectl apply --server-side -f -\n", True),
        (
            "helmfile -f helmfile.d/00-crds.yaml template -q | kubectl apply -f -\nhelmfile -f helmfile.d/00-crds.yaml sync\n",
            False,
        ),
    ],
)
def test_a_helmfile_of_which_only_the_crds_are_applied(one, text, only):
    survey = one({"helmfile.d/00-crds.yaml": HELMFILE, "up.sh": text})
    assert [crds for _, crds in survey.model.helmfiles.values()] == [only]


def test_what_scripts_install_is_an_unknown_that_is_not_listed(one):
    survey = one(
        {
            "up.sh": "kubectl apply -f https://example.org/lions/install.yaml\nkubectl create secret generic age --from-file=k\n"
        }
    )
    (unknown,) = survey.unknowns
    assert (unknown.extent, unknown.listed, unknown.names) == (Extent.COMMAND, False, {"age"})
    assert "lions" in unknown.words
