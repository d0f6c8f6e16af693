"""What the repository's own scripts and documents apply with kubectl is there before Flux, and is said to be taken as there."""

import asyncio

import pytest

from flux_trees import config_map, node, resources
from rebirth.proof.prove import prove

VARIABLES = "postBuild:\n  substituteFrom:\n  - {kind: ConfigMap, name: settings}\n"
KEY = "apiVersion: v1\nkind: Secret\nmetadata: {name: sops-age}\nstringData: {age.agekey: x}\n"
TREE = {
    "clusters/x/sync.yaml": node("flux-system", "./clusters/x"),
    "clusters/x/apps.yaml": node("apps", "./apps", VARIABLES),
    "apps/kustomization.yaml": resources("vars/settings.yaml"),
    "apps/vars/settings.yaml": config_map("settings", "flux-system"),
}
DECRYPTED = {
    "clusters/x/sync.yaml": node("flux-system", "./clusters/x"),
    "clusters/x/apps.yaml": node("apps", "./apps", "decryption: {provider: sops, secretRef: {name: sops-age}}\n"),
    "apps/kustomization.yaml": resources("key.yaml", more="namespace: flux-system\n"),
    "apps/key.yaml": KEY,
}
LOOP = """local -r secrets=(
    "${ROOT_DIR}/apps/key.yaml"
)
for secret in "${secrets[@]}"; do
    sops exec-file "${secret}" "kubectl --namespace flux-system apply --server-side --filename {}"
done
"""


@pytest.fixture
def told(tree):
    """Which cycles are found in such files, and what is taken as applied by hand."""

    def run(files):
        proof = asyncio.run(prove(tree(files), clusters=["clusters/x"]))
        starts = proof.graph.starts
        seen = {thing.label for thing in proof.graph.outside if "by hand before Flux" in starts[thing][0]}
        return {finding.rule for finding in proof.findings} & {"R02", "R03"}, seen

    return run


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("README.md", "```sh\nkubectl apply -f ./apps/vars/settings.yaml\n```\n"),
        ("apps/README.md", "    kubectl apply -f ./vars/settings.yaml\n"),
        ("docs/bootstrap.md", "`kubectl apply -f apps/vars`\n"),
        ("Makefile", "up:\n\tkubectl -n flux-system apply \\\n\t  --filename=apps/vars/settings.yaml\n"),
        ("Taskfile.yaml", "x:\n- cat {{.ROOT_DIR}}/apps/vars/settings.yaml | kubectl apply -f -\n"),
        ("README.md", "sops -d apps/vars/settings.yaml | kubectl apply -f -\n"),
        ("Taskfile.yaml", 'x:\n- sops -d "apps/{{.WHICH}}/settings.yaml" | kubectl apply -f -\n'),
        ("scripts/up.sh", "kubectl apply -k $ROOT/apps\n"),
        ("scripts/up.sh", "kustomize build apps | kubectl apply --server-side -f -\n"),
        ("scripts/up.sh", 'if ! kubectl apply -f "$ROOT"/apps/vars/settings.yaml; then\n'),
        ("scripts/up.sh", "kubectl apply -f '${ROOT}'/apps/vars/settings.yaml || exit 1\n"),
        ("mod.just", "up:\n  kubectl -n flux-system create configmap settings --from-literal=key=value\n"),
    ],
)
def test_it_is_there_before_flux(told, file, text):
    assert told(TREE | {file: text}) == (set(), {"ConfigMap flux-system/settings"})


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("README.md", "The file apps/vars/settings.yaml is applied by Flux; see kubectl apply.\n"),
        ("README.md", "kubectl diff -f apps/vars/settings.yaml\n"),
        ("README.md", "kubectl delete -f apps/vars/settings.yaml\n"),
        ("README.md", "kubectl apply --dry-run=server -f apps/vars/settings.yaml\n"),
        ("docs/plans/later.md", "kubectl apply -f apps/vars/settings.yaml\n"),
        ("Makefile", "up:\n\t# kubectl apply -f apps/vars/settings.yaml\n"),
        ("scripts/up.sh", "kubectl apply -f elsewhere/settings.yaml\n"),
        ("scripts/up.sh", "kubectl apply -f elsewhere/settings.yaml -n apps\n"),
        ("scripts/up.sh", "kubectl -n other create configmap settings --from-literal=key=value\n"),
        ("scripts/lint.sh", 'files=(\n  "apps/vars/settings.yaml"\n)\nkubectl diff -f "${files[0]}"\n'),
    ],
)
def test_nobody_applies_it(told, file, text):
    rules, seen = told(TREE | {file: text})
    assert rules == {"R02"}
    assert "ConfigMap flux-system/settings" not in seen


@pytest.mark.parametrize(
    ("path", "there"),
    [
        ("{{.FOLDER}}/{{.which}}/flux/vars/settings.yaml", True),
        ("{{.FOLDER}}/flux/other/settings.yaml", False),
        ("{{.FOLDER}}/{{.which}}/settings.yaml", False),  # too little of it is said
    ],
)
def test_a_task_whose_folder_at_the_top_is_a_variable(told, path, there):
    deep = {
        "clusters/x/apps.yaml": node("apps", "./apps/x/flux", VARIABLES),
        "apps/x/flux/kustomization.yaml": resources("vars/settings.yaml"),
        "apps/x/flux/vars/settings.yaml": config_map("settings", "flux-system"),
        ".taskfiles/Start/Taskfile.yaml": f"x:\n- sops --decrypt {path} | kubectl --context {{{{.which}}}} apply -f -\n",
    }
    rules, seen = told({"clusters/x/sync.yaml": TREE["clusters/x/sync.yaml"]} | deep)
    assert (rules, "ConfigMap flux-system/settings" in seen) == (set() if there else {"R02"}, there)


def test_files_that_a_script_loops_over(told):
    assert told(DECRYPTED)[0] == {"R02"}
    assert told(DECRYPTED | {"scripts/up.sh": LOOP}) == (set(), {"Secret flux-system/sops-age"})


@pytest.mark.parametrize(
    ("command", "rules"),
    [
        ("kubectl -n flux-system create secret generic sops-age --from-file=age.agekey=age.key", set()),
        (
            "cat age.key | kubectl create secret generic sops-age --namespace=flux-system --from-file=age.agekey=/dev/stdin",
            set(),
        ),
        (
            "kubectl create secret generic sops-age -n flux-system --from-file=age.agekey --dry-run=client -o yaml | kubectl apply -f -",
            set(),
        ),
        ("kubectl create secret generic sops-age -n flux-system --from-file=age.agekey --dry-run=client -o yaml", {"R02"}),
    ],
)  # fmt: skip
def test_a_secret_that_is_created(told, command, rules):
    assert told(DECRYPTED | {"README.md": f"    {command}\n"})[0] == rules
