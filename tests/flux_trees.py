"""Texts that tests of reading repositories write into files."""


def config_map(name: str, namespace: str = "") -> str:
    where = f", namespace: '{namespace}'" if namespace else ""
    return f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}{where}}}\ndata: {{key: 'value'}}\n"


def node(
    name: str, path: str, spec: str = "", source: str = "GitRepository flux-system", namespace: str = "flux-system"
) -> str:
    """A Flux Kustomization; `spec` are more lines of its spec."""
    kind, _, source_name = source.partition(" ")
    more = "".join(f"  {line}\n" for line in spec.splitlines())
    return (
        "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\n"
        f"metadata: {{name: {name}, namespace: {namespace}}}\nspec:\n  interval: 10m\n  prune: true\n"
        f"  path: {path}\n  sourceRef: {{kind: {kind}, name: {source_name}}}\n{more}"
    )


def git(name: str, url: str, namespace: str = "flux-system") -> str:
    return (
        "apiVersion: source.toolkit.fluxcd.io/v1\nkind: GitRepository\n"
        f"metadata: {{name: {name}, namespace: {namespace}}}\nspec: {{interval: 1m, url: '{url}'}}\n"
    )


def resources(*entries: str, more: str = "") -> str:
    return "resources:\n" + "".join(f"- {entry}\n" for entry in entries) + more
