"""Rights of operators that the repository itself gives them: what their program asks for when it starts has to be among them.

Which ServiceAccount is the operator's is told by its pods, or by the rights to its own kinds: those in its namespace that may watch them. Of an
account some of whose roles stand elsewhere nothing is said.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from rebirth.proof.charts import knowledge, releases
from rebirth.proof.charts.chart_values import in_range, numbers
from rebirth.proof.charts.operator_file import Operator, Right
from rebirth.proof.graph import Graph
from rebirth.proof.reading import pods
from rebirth.proof.reading.manifest import Manifest, Model

_ALL = ("system:serviceaccounts", "system:authenticated")  # groups that hold it, whatever it is called


def read(model: Model, graph: Graph) -> None:
    for found in pods.every(model):
        for _, _, container in found.containers(init=False):
            image = str(container.get("image", ""))
            known = knowledge.of_image(image)
            version = image.partition("@")[0].rpartition("/")[2].partition(":")[2]
            if known and known.rights and numbers(version):
                _look(model, found, known, version, graph)


def _look(model: Model, found: pods.Pods, known: Operator, version: str, graph: Graph) -> None:
    for account, roles in _accounts(model, found):
        own = next((role for role in roles if _watches_own(known, role)), None)
        if own is None:
            continue
        for right in known.rights:
            if in_range(version, right.since, right.before) and not all(
                any(_allows(role, right, verb) for role in roles) for verb in right.verbs
            ):
                words = (
                    f"{known.title} {version} has to {' and '.join(right.verbs)} {right.resource} in all namespaces, and "
                    f"{own.thing().label} of its ServiceAccount {account} does not allow it"
                )
                graph.remark(
                    "not-granted", own.place("rules"), words, found.thing, resource=right.resource, role=own.name
                )


def _accounts(model: Model, found: pods.Pods) -> Iterator[tuple[str, list[Manifest]]]:
    """The ServiceAccounts that may be those of the pods, each with all its ClusterRoles; not where one is not in the files."""
    named = str(found.spec.get("serviceAccountName") or "")
    accounts: dict[str, list[Manifest | None]] = {}
    for binding, _ in model.objects("ClusterRoleBinding"):
        for subject in binding.items("subjects"):
            if not isinstance(subject, Mapping):
                continue
            if str(subject.get("name")).startswith(_ALL):
                return
            if (
                subject.get("kind") == "ServiceAccount"
                and str(subject.get("namespace") or binding.namespace) == found.namespace
            ):
                role = next((one for one, _ in model.find("ClusterRole", "", str(binding.at("roleRef", "name")))), None)
                accounts.setdefault(str(subject.get("name")), []).append(role)
    for account, roles in accounts.items():
        there = [role for role in roles if role is not None and not role.mapping("aggregationRule")]
        if len(there) == len(roles) and (not named or named == account or releases.MADE_UP in found.labels):
            yield account, there


def _watches_own(known: Operator, role: Manifest) -> bool:
    groups = {crds.group for crds in known.crds}
    return any(
        groups & set(_texts(rule, "apiGroups")) and {"watch", "*"} & set(_texts(rule, "verbs")) for rule in _rules(role)
    )


def _allows(role: Manifest, right: Right, verb: str) -> bool:
    return any(
        {right.group, "*"} & set(_texts(rule, "apiGroups"))
        and {right.resource, "*"} & set(_texts(rule, "resources"))
        and {verb, "*"} & set(_texts(rule, "verbs"))
        and not rule.get("resourceNames")
        for rule in _rules(role)
    )


def _rules(role: Manifest) -> Iterator[Mapping[str, Any]]:
    yield from (rule for rule in role.items("rules") if isinstance(rule, Mapping))


def _texts(rule: Mapping[str, Any], field: str) -> list[str]:
    found = rule.get(field)
    return [str(one) for one in found] if isinstance(found, list) else []
