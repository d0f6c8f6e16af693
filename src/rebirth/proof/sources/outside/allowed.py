"""References into another namespace that the other side does not allow.

Vault Secrets Operator: a VaultAuth serves its own namespace, and those of `allowedNamespaces` (its `default` in the operator's namespace
serves all; internal/common/common.go). External Secrets: a ClusterSecretStore with `conditions` serves the namespaces that one of
them names or selects (pkg/controllers/secretstore/client_manager.go).
"""

import re
from collections.abc import Mapping
from typing import Any

from rebirth.proof.graph import Graph
from rebirth.proof.reading import selectors
from rebirth.proof.reading.manifest import Manifest, Model
from rebirth.proof.sources import external_secrets

_VAULT = "secrets.hashicorp.com"


def read(model: Model, graph: Graph) -> None:
    for member, _ in model.objects("VaultStaticSecret", "VaultDynamicSecret", "VaultPKISecret"):
        if member.group == _VAULT:
            _vault(model, member, graph)
    for member, _ in model.objects("ExternalSecret", "PushSecret"):
        if member.group == external_secrets.GROUP:
            _store(model, member, graph)


def _vault(model: Model, member: Manifest, graph: Graph) -> None:
    space, _, name = str(member.at("spec", "vaultAuthRef") or "").rpartition("/")
    if not space or space == member.namespace or name == "default" or "${" in space + name + member.namespace:
        return
    for auth, _ in model.find("VaultAuth", space, name):
        allowed = [str(one) for one in auth.items("spec", "allowedNamespaces")]
        if allowed != ["*"] and member.namespace not in allowed and not any("${" in one for one in allowed):
            words = f"{member.thing().label} logs in with {auth.thing().label}, which does not allow the namespace {member.namespace}"
            where = auth.place("spec", "allowedNamespaces") if allowed else auth.place("spec")
            graph.remark(
                "not-allowed", where, words, member.thing(), field="spec.allowedNamespaces", of=auth.thing().label
            )


def _store(model: Model, member: Manifest, graph: Graph) -> None:
    references = [one for one, _ in external_secrets.references(member, "spec")] + member.items(
        "spec", "secretStoreRefs"
    )
    for reference in references:
        if not isinstance(reference, Mapping) or reference.get("kind") != "ClusterSecretStore":
            continue
        store = external_secrets.find(model, reference, member.namespace)
        conditions = store.items("spec", "conditions") if store else []
        if store and conditions and not any(_admits(model, one, member.namespace) for one in conditions):
            words = f"{member.thing().label} reads through {store.thing().label}, whose conditions leave out {member.namespace}"
            graph.remark(
                "not-allowed",
                store.place("spec", "conditions"),
                words,
                member.thing(),
                field="spec.conditions",
                of=store.thing().label,
            )


def _admits(model: Model, condition: Any, namespace: str) -> bool:
    """Whether a condition lets a namespace in; it does where that is not known."""
    if not isinstance(condition, Mapping) or "${" in namespace + str(condition):
        return True
    if namespace in (condition.get("namespaces") or []):
        return True
    for pattern in condition.get("namespaceRegexes") or []:
        try:
            if re.search(str(pattern), namespace):
                return True
        except re.error:
            return True
    selector = condition.get("namespaceSelector")
    if not isinstance(selector, Mapping):
        return False
    made = [member for member, _ in model.find("Namespace", "", namespace)]
    labels = [{**member.labels, "kubernetes.io/metadata.name": namespace} for member in made]
    return not made or any(selectors.selects(selector, one) for one in labels)
