"""A generated password reaches Vault, and the ExternalSecret that waits for it has looked since."""

import base64
import hashlib
import json
from dataclasses import dataclass, field

import pytest

from rebirth.castle import Handovers
from rebirth.errors import Broken
from rebirth.events import Noted, Nudged
from rebirth.phases.hand_over import hand_over, still
from rebirth.run.facts import HandedOver, VaultStoreApplied
from rebirth.secrets import Redaction, Secret

VERSION = "external-secrets.io/v1"
OLD, NEW = "an-old-password", "the-new-password"


@dataclass
class PaperVault:
    """Vault on paper: what is at each path."""

    kept: dict[str, dict[str, str]] = field(default_factory=dict)

    async def read(self, *, path):
        return {name: Secret(value) for name, value in self.kept.get(path, {}).items()}

    async def set(self, *, path, name, value):
        self.kept.setdefault(path, {})[name] = value.reveal()


@dataclass
class Operator:
    """What External Secrets does with the one ExternalSecret: `pause` seconds after it was asked, or not at all."""

    inside: object
    vault: PaperVault
    pause: float = 1.0
    failures: int = 0  # so many times it says that it cannot

    def __post_init__(self):
        self.inside.kubernetes.controllers.append(self._changed)

    def _changed(self, kubernetes, type_, item):
        if item["kind"] == "ExternalSecret" and self._version(item) != item.get("status", {}).get("seen"):
            kubernetes.status(item, {"seen": self._version(item)})
            kubernetes.after(self.pause, self.sync)

    def _version(self, item):
        notes = json.dumps([item["metadata"].get("annotations"), item["metadata"].get("labels")])
        return f"{item['metadata']['generation']}-{hashlib.sha256(notes.encode()).hexdigest()}"

    def sync(self):
        kubernetes = self.inside.kubernetes
        item = kubernetes.get(VERSION, "ExternalSecret", "grafana", "default")
        if self.failures:
            self.failures -= 1
            kubernetes.condition(item, "Ready", "False", "could not get secret data from provider")
            return
        synced = item.get("status", {}).get("syncedResourceVersion")
        if synced and item["spec"].get("refreshPolicy") == "CreatedOnce":
            return
        value = self.vault.kept.get("apps/grafana", {}).get("password", "")
        shown = f"<{value}>" if (item["spec"].get("target") or {}).get("template") else value
        kubernetes.put({
            "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "grafana", "namespace": "default"},
            "data": {"pass": base64.b64encode(shown.encode()).decode()},
        })  # fmt: skip
        kubernetes.status(item, {"syncedResourceVersion": self._version(item), "refreshTime": kubernetes.now()})
        kubernetes.condition(item, "Ready", "True", "secret synced")


@pytest.fixture
def handovers():
    return Handovers.model_validate_json(json.dumps({"handovers": [{
        "name": "grafana",
        "from": {"namespace": "default", "secret": "db-pguser", "key": "password"},
        "to": {"path": "apps/grafana", "property": "password"},
        "external_secret": {"namespace": "default", "name": "grafana"},
    }]}))  # fmt: skip


@pytest.fixture
def vault():
    return PaperVault({"apps/grafana": {"password": OLD}})


def generated(inside, value=b"the-new-password"):
    inside.kubernetes.put({
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "db-pguser", "namespace": "default"},
        "data": {"password": base64.b64encode(value).decode()},
    })  # fmt: skip


def external(inside, *, annotations=None, **spec):
    inside.serve("external-secrets.io", "v1", "ExternalSecret")
    remote = {"key": "apps/grafana", "property": "password"}
    return inside.kubernetes.put({
        "apiVersion": VERSION, "kind": "ExternalSecret",
        "metadata": {"name": "grafana", "namespace": "default", "annotations": annotations or {}},
        "spec": {"data": [{"secretKey": "pass", "remoteRef": remote}], **spec},
    })  # fmt: skip


def taken(inside):
    made = inside.kubernetes.get("v1", "Secret", "grafana", "default")
    return base64.b64decode(made["data"]["pass"]).decode()


async def hand(inside, handovers, vault):
    work = hand_over(handovers, None, inside.cluster, vault, Redaction(), VaultStoreApplied("vault"), None, None)
    return await inside.run(work)


def asked(inside):
    return [event for event in inside.events if isinstance(event, Nudged)]


@pytest.mark.parametrize("spec", [{}, {"target": {"template": {"data": {"pass": "<{{ .pass }}>"}}}}])
async def test_an_old_ready_is_not_the_new_value(inside, handovers, vault, spec):
    operator = Operator(inside, vault)
    external(inside, **spec)
    operator.sync()  # Ready, with what was in Vault before
    generated(inside)
    await hand(inside, handovers, vault)
    assert vault.kept["apps/grafana"]["password"] == NEW
    assert taken(inside).strip("<>") == NEW
    assert len(asked(inside)) == 1
    assert [event.text for event in inside.events if isinstance(event, Noted)] == [
        "handed default/db-pguser over to Vault: apps/grafana"
    ]


async def test_again_nobody_is_asked_and_nothing_written(inside, handovers, vault):
    Operator(inside, vault)
    external(inside)
    generated(inside)
    await hand(inside, handovers, vault)
    inside.kubernetes.writes.clear()
    inside.events.clear()
    await hand(inside, handovers, vault)
    assert inside.kubernetes.writes == []
    assert asked(inside) == []


async def test_an_external_secret_that_comes_late_and_fails_at_first(inside, handovers, vault):
    operator = Operator(inside, vault, failures=2)
    inside.kubernetes.after(60, lambda: external(inside))
    generated(inside)
    await hand(inside, handovers, vault)
    assert taken(inside) == NEW
    assert operator.failures == 0


async def test_what_others_wrote_in_its_annotation_is_nobody_s_time(inside, handovers, vault):
    Operator(inside, vault)
    external(inside, annotations={"force-sync": "yes please"})
    generated(inside)
    await hand(inside, handovers, vault)
    assert taken(inside) == NEW


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ({"refreshPolicy": "CreatedOnce"}, "its refreshPolicy is CreatedOnce"),
        ({"refreshInterval": "0s"}, "its refreshInterval is 0s"),
    ],
)
async def test_one_that_never_looks_again_is_not_waited_for(inside, handovers, vault, spec, words):
    operator = Operator(inside, vault)
    external(inside, **spec)
    operator.sync()
    generated(inside)
    with pytest.raises(Broken, match=f"ExternalSecret default/grafana keeps an earlier value: {words}") as caught:
        await hand(inside, handovers, vault)
    assert "delete it" in caught.value.hint


async def test_one_that_looks_once_and_has_the_value_is_ready(inside, handovers, vault):
    Operator(inside, vault)
    inside.kubernetes.after(60, lambda: external(inside, refreshPolicy="CreatedOnce"))
    generated(inside)
    await hand(inside, handovers, vault)
    assert taken(inside) == NEW


async def test_a_value_that_is_no_text(inside, handovers, vault):
    generated(inside, b"\xff\xfe\x00binary")
    with pytest.raises(Broken, match="the key password of Secret default/db-pguser is not text") as caught:
        await hand(inside, handovers, vault)
    assert "hand-over grafana" in caught.value.hint
    assert vault.kept["apps/grafana"] == {"password": OLD}


async def test_a_secret_without_data_yet(inside, handovers, vault):
    place = {"name": "db-pguser", "namespace": "default"}
    inside.kubernetes.put({"apiVersion": "v1", "kind": "Secret", "metadata": place, "data": None})
    inside.kubernetes.after(30, lambda: generated(inside))
    Operator(inside, vault)
    external(inside)
    await hand(inside, handovers, vault)
    assert taken(inside) == NEW


async def test_it_does_not_hold_where_the_secret_holds_another_value(inside, handovers, vault):
    operator = Operator(inside, vault)
    external(inside)
    generated(inside)
    await hand(inside, handovers, vault)
    arguments = HandedOver(("grafana",)), handovers, None, inside.cluster, vault, Redaction()
    assert await still(*arguments)
    vault.kept["apps/grafana"]["password"] = OLD
    operator.sync()
    vault.kept["apps/grafana"]["password"] = NEW  # Ready, and not looked since
    with pytest.raises(Exception, match="has another value"):
        await still(*arguments)
