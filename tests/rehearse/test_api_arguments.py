"""What a repository's Talos configuration asks of the API server."""

from pathlib import Path

from rebirth.rehearse.api_arguments import arguments, asked_for, gates_of
from trees import write

HELP = "      --feature-gates mapStringBool   A set of key=value pairs:\n   kube:HPAScaleToZero=true|false (ALPHA - default=false)\n"
PATCH = "cluster:\n  apiServer:\n    extraArgs:\n      feature-gates: HPAScaleToZero=true,Gone=true\n      runtime-config: admissionregistration.k8s.io/v1beta1=true\n"


def test_feature_gates_and_apis_are_found_in_patches_and_templates(tmp_path: Path):
    write(tmp_path, "talos/controlplane.yaml.j2", PATCH)
    asked = asked_for(tmp_path)
    assert arguments(asked, gates_of(HELP)) == [
        "--feature-gates=HPAScaleToZero=true", "--runtime-config=admissionregistration.k8s.io/v1beta1=true",
    ]  # fmt: skip


def test_what_others_ask_of_their_own_programs_is_none(tmp_path: Path):
    write(tmp_path, "apps/flux/values.yaml", PATCH)
    write(tmp_path, "talos/kubelet.yaml", "machine:\n  kubelet:\n    extraArgs:\n      feature-gates: X=true\n")
    assert arguments(asked_for(tmp_path), ["HPAScaleToZero", "X"]) == []
