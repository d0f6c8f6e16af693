"""Which cluster is meant: the castle's, or the one that kubectl would ask."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

import yaml

from rebirth.errors import Broken
from rebirth.paths import paths_of
from rebirth.providers.advice import SYSTEM
from rebirth.providers.cluster import Cluster

_DEFAULT = "~/.kube/config"


def of_castle(directory: Path) -> Path:
    """The kubeconfig that `create` has written. Raises SpecError, and Broken where there is none."""
    from rebirth.castle import load

    file = paths_of(directory, load(directory).secrets).kubeconfig
    if not file.exists():
        hint = "`rebirth create` makes the cluster; --kubeconfig names another one."
        raise Broken(
            f"{file}: no such file: the castle has no cluster yet", system=SYSTEM, operation="connect", hint=hint
        )
    return file


def of_kubectl(context: str, environment: Mapping[str, str] = os.environ) -> Path:
    """Of the files that kubectl would read the first that has the context (none named: the first that has a current one).

    Raises Broken where there is none.
    """
    listed = (environment.get("KUBECONFIG") or _DEFAULT).split(os.pathsep)
    files = [Path(name).expanduser() for name in listed if name]
    for file in files:
        if any(name == context or not context for name in _contexts(file, current=not context)):
            return file
    wanted = f"a context {context}" if context else "a current context"
    text = f"no kubeconfig with {wanted} in {', '.join(map(str, files))}"
    hint = "Name a kubeconfig with --kubeconfig, a context with --context, or a castle directory."
    raise Broken(text, system=SYSTEM, operation="connect", hint=hint)


def cluster(kubeconfig: Path, context: str) -> Cluster:
    """Raises Broken."""
    return Cluster(kubeconfig=kubeconfig, context=context or None)


def _contexts(file: Path, *, current: bool) -> Iterator[str]:
    try:
        data = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError):
        return
    if isinstance(data, dict):
        named = [one.get("name") for one in data.get("contexts") or [] if isinstance(one, dict)]
        yield from filter(None, [data.get("current-context")] if current else named)
