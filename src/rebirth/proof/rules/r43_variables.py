"""A variable that nothing provides.

What it finds:
    `${NAME}` in a Kustomization with postBuild, without a default, that neither `substitute` nor anything in
    `substituteFrom` provides; `${NAME}` in a name, host, address or amount of a Kustomization without postBuild (hosts of an Ingress or route in a chart's values, too), or anywhere in it
    where a ConfigMap or Secret in flux-system has a value of that name (a warning); text that Flux's substitution does not
    understand, such as `${a.b}`; a name under `substitute`, or a key of what `substituteFrom` names, that is no name of a variable (`my-domain`).

Why it cannot work:
    From 2.9 on Flux applies nothing of such a Kustomization, unless its feature gate StrictPostBuildSubstitutions is off: an error
    where the repository says that version. Before, it substitutes an empty string, silently: a host becomes empty, a script loses
    its variables, a name vanishes. Text that it cannot parse fails the whole Kustomization. Without postBuild nothing is replaced,
    and `${` is no part of any name.

Example:
    `${DOMAIN}` in an Ingress, where the ConfigMap says DOMAIN_NAME; a shell script in a ConfigMap that uses `${HOME}`.

Instead:
    Provide it, or write a default: `${NAME:=value}`. Write `$${NAME}` for what is not a Flux variable, or give its object
    the annotation `kustomize.toolkit.fluxcd.io/substitute: disabled`.
"""

from collections.abc import Iterator

from rebirth.proof.graph import Graph
from rebirth.proof.rules.finding import Finding, Severity

# Values that name something: empty they name nothing.
_NAMES = frozenset({"name", "namespace", "secretName", "host", "hosts", "hostnames"})
_EMPTY = "Flux substitutes an empty string, and from 2.9 on applies nothing of such a Kustomization."
_FREE = ("spec.values.", "data.", "stringData.")  # below these only the reader knows what a value means


def r43_variables(graph: Graph) -> Iterator[Finding]:
    # Of the places where one object has a variable the gravest tells it.
    yield from sorted(_found(graph), key=lambda finding: finding.severity is not Severity.ERROR)


def _found(graph: Graph) -> Iterator[Finding]:
    version = next((remark.words for remark in graph.marked("strict-variables")), "")
    for remark in graph.marked("undefined-variable"):
        named = _names_something(remark["path"]) or remark["host"] == "yes"
        nameless = named and not _is_name(remark["left"])
        if version:
            why = f"{version} applies nothing of {remark['unit']} while a variable of it has neither value nor default."
        else:
            why = "Flux substitutes an empty string, so that is no name." if nameless else _EMPTY
        yield Finding(
            "R43",
            Severity.ERROR if version or nameless else Severity.WARNING,
            remark.words,
            remark.place,
            why=why,
            instead=f"Provide it to {remark['unit']}, write a default, or $${{...}} where it is not a Flux variable.",
            cause=remark["names"] if version or nameless else "",
        )
    for remark in graph.marked("no-substitution"):
        cannot = ", and this field cannot hold `${`" if remark["strict"] else ""
        yield Finding(
            "R43",
            Severity.ERROR if remark["strict"] else Severity.WARNING,
            remark.words,
            remark.place,
            why=f"Flux replaces variables only in a Kustomization with spec.postBuild{cannot}.",
            instead=f"Give {remark['name']} a value in spec.postBuild.substitute or substituteFrom of the Kustomization.",
        )
    for remark in graph.marked("variable-name"):
        yield Finding(
            "R43",
            Severity.ERROR,
            remark.words,
            remark.place,
            why="Flux checks every name that it is given, used or not, and then applies nothing of the Kustomization.",
            instead="A variable's name has letters, digits and _ alone, and no digit at its beginning. Keep other keys in another object.",
            cause=f"{remark.place.file} {remark['key']}",
        )
    for remark in graph.marked("bad-substitution"):
        yield Finding(
            "R43",
            Severity.ERROR,
            remark.words,
            remark.place,
            why="Flux applies nothing of a Kustomization in which one substitution fails.",
            instead="Write $${...}, or annotate the object with kustomize.toolkit.fluxcd.io/substitute: disabled.",
        )


def _is_name(left: str) -> bool:
    """Whether what is left of a text can be a name: it is not empty, and no separator is at its ends."""
    return bool(left) and left.strip("-.") == left


def _names_something(path: str) -> bool:
    last = next((part for part in reversed(path.split(".")) if not part.isdigit()), "")
    return last in _NAMES and not path.startswith(_FREE)
