"""Where the programs are that a proof runs. Imports nothing of ours: who only asks whether they are the same need not load the proof."""

import shutil
import sys
from pathlib import Path


def kustomize() -> tuple[str, ...] | None:
    """What kustomize is started with; None where there is none."""
    beside = Path(sys.executable).with_name("kubectl")  # the wheel's, in the same environment
    if kubectl := str(beside) if beside.exists() else shutil.which("kubectl"):
        return (kubectl, "kustomize")
    if alone := shutil.which("kustomize"):
        return (alone, "build")
    return None
