"""An object that an operator makes of a custom resource: what is known of it, and how it looks."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field

from rebirth.paper.api.client import Object
from rebirth.paper.given import Invents
from rebirth.paper.kubelet.needs import OPEN

# What the API server asks of a Secret by its type (pkg/apis/core/validation).
_REQUIRED = {
    "kubernetes.io/tls": ("tls.crt", "tls.key"),
    "kubernetes.io/dockerconfigjson": (".dockerconfigjson",),
    "kubernetes.io/basic-auth": ("username", "password"),
    "kubernetes.io/ssh-auth": ("ssh-privatekey",),
}


def owned_by(owner: Object) -> Object:
    """The reference to a custom resource from what is made of it."""
    meta = owner["metadata"]
    return {
        "apiVersion": owner["apiVersion"], "kind": owner["kind"], "name": meta["name"], "uid": meta["uid"],
        "controller": True, "blockOwnerDeletion": True,
    }  # fmt: skip


@dataclass(frozen=True)
class Making:
    """`keys` None: nobody knows them, so it has whichever is asked for. `values` are those that are not invented."""

    kind: str  # Secret, ConfigMap or Service
    namespace: str
    name: str
    keys: tuple[str, ...] | None = None
    more: bool = False  # it has other keys besides
    values: Mapping[str, str] = field(default_factory=dict)
    type: str = "Opaque"
    address: str = ""
    ports: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    joins: bool = False  # an object of that name that somebody else made gets the keys, too

    @property
    def open(self) -> bool:
        return self.kind != "Service" and (self.keys is None or self.more)

    def manifest(self, owner: Object, invent: Invents) -> Object:
        """The object, owned by the custom resource where both are in one namespace."""
        meta = owner["metadata"]
        owned = {"ownerReferences": [owned_by(owner)]} if meta.get("namespace", "") == self.namespace else {}
        annotations = {**self.annotations, **({OPEN: "true"} if self.open else {})}
        return {
            "apiVersion": "v1",
            "kind": self.kind,
            "metadata": {
                "name": self.name, "namespace": self.namespace, "labels": dict(self.labels), "annotations": annotations, **owned,
            },
            **(self._service() if self.kind == "Service" else self.data(self._known, invent)),
        }  # fmt: skip

    @property
    def _known(self) -> tuple[str, ...]:
        required = _REQUIRED.get(self.type, ()) if self.open else ()
        return tuple(dict.fromkeys([*(self.keys or ()), *required]))

    def data(self, keys: tuple[str, ...], invent: Invents) -> Object:
        """What a Secret or ConfigMap holds under these keys."""
        texts = {
            key: self.values.get(key) or invent.make(key, self.name, f"{self.namespace}/{self.name}") for key in keys
        }
        if self.kind == "ConfigMap":
            return {"data": texts}
        return {
            "type": self.type,
            "data": {key: base64.b64encode(text.encode()).decode() for key, text in texts.items()},
        }

    def _service(self) -> Object:
        ports = [port.partition("/") for port in self.ports]
        listed = [
            {"name": f"{protocol or 'TCP'}-{number}".lower(), "port": int(number), "protocol": protocol or "TCP"}
            for number, _, protocol in ports
        ]
        # Without an address of its own it needs no ports: none are known.
        address = {"clusterIP": self.address or ("" if listed else "None")}
        return {"spec": {"ports": listed, **{key: value for key, value in address.items() if value}}}
