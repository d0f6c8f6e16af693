"""Directories for jobs: castles, with canaries for secrets, whose outside nobody answers for; and a repository alone."""

import re
import secrets
import shutil
import uuid
from pathlib import Path

from cli.conftest import certificate

EXAMPLE = Path(__file__).parents[2] / "examples" / "castle"
_REFERENCE = re.compile(r"\{secret: ([^}]+)\}")
# Nothing listens there: a connection is refused at once, and what may be tried again is.
_NOBODY = "127.0.0.1:9"


def castle(folder: Path, name: str) -> Path:
    """A copy of the example castle under another name; its secrets are canaries, in its own vault directory."""
    shutil.copytree(EXAMPLE, folder, ignore=shutil.ignore_patterns("logs", ".rebirth", "blog"))
    file = folder / "castle.yaml"
    text = file.read_text().replace("directory: ~/secrets ", "directory: vault ")
    text = text.replace("name: tazlab-k8s", f"name: {name}", 1)
    text = re.sub(r"https://github\.com/", f"https://{_NOBODY}/", text)
    assert f"name: {name}" in text
    assert _NOBODY in text
    file.write_text(text)
    for reference in _REFERENCE.findall(text):
        secret = folder / "vault" / reference
        secret.parent.mkdir(parents=True, exist_ok=True)
        value = secrets.token_hex(16)
        if reference == "proxmox-api-token":
            value = f"root@pam!test={uuid.uuid4()}"
        secret.write_text(certificate() if reference.endswith("ca.crt") else value)
        secret.chmod(0o600)
    return folder


def canaries(folder: Path) -> list[str]:
    """Every value of its vault directory, line by line."""
    files = [file for file in (folder / "vault").rglob("*") if file.is_file() and not file.name.endswith("ca.crt")]
    return [line for file in files for line in file.read_text().splitlines()]


def repository(folder: Path) -> Path:
    """One whose Flux applies a ConfigMap."""
    files = {
        "clusters/x/apps.yaml": """apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: apps, namespace: flux-system}
spec: {interval: 1h, path: ./apps, prune: true, sourceRef: {kind: GitRepository, name: flux-system}}
""",
        "apps/map.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: default}\n",
    }
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder
