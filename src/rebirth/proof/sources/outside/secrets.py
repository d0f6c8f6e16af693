"""External Secrets: what an ExternalSecret reads, what Secret it makes of it, and with which keys."""

from collections.abc import Iterator, Mapping
from typing import Any

from rebirth.proof.charts import knowledge
from rebirth.proof.graph import Graph
from rebirth.proof.reading import selectors
from rebirth.proof.reading.manifest import Manifest, Model, thing
from rebirth.proof.sources import external_secrets, meeting
from rebirth.proof.sources.external_secrets import target
from rebirth.proof.sources.meeting import vault_path
from rebirth.proof.things import NOWHERE, Milestone, Need, Place, Thing

_GENERATORS = "generators.external-secrets.io"


def read(model: Model, graph: Graph) -> None:
    handed_over = _handed_over(model)
    for member, _ in model.objects("PushSecret"):
        if member.group == external_secrets.GROUP:
            _push(model, member, graph)
    for member, _ in model.objects("ExternalSecret"):
        if member.group == external_secrets.GROUP:
            done = meeting.runs(member, graph)
            _Synced(model, graph, member, ("spec",), member.namespace, member.name, done, handed_over).read()
    for member, _ in model.objects("ClusterExternalSecret"):
        if member.group == external_secrets.GROUP:
            _everywhere(model, member, graph, handed_over)
    _kept(graph)


def _handed_over(model: Model) -> dict[Thing, set[str]]:
    """What a castle writes to Vault itself while it is made: path, and the properties."""
    found: dict[Thing, set[str]] = {}
    castle = model.castle
    vault = castle.engine.vault if castle else None
    for handover in castle.handovers if castle and vault else ():
        assert vault is not None
        path = vault_path(vault.mount, handover.to.path)
        found.setdefault(path, set()).add(handover.to.property)
    return found


class _Synced:
    """One ExternalSecret's spec, in one namespace."""

    def __init__(
        self, model: Model, graph: Graph, member: Manifest, path: tuple[str, ...], namespace: str, name: str, done: Thing,
        handed_over: dict[Thing, set[str]],
    ) -> None:  # fmt: skip
        self.model, self.graph, self.member, self.path = model, graph, member, path
        self.namespace, self.name, self.done = namespace, name, done
        self.handed_over = handed_over

    def read(self) -> None:
        own = self.member.mapping(*self.path, "secretStoreRef")
        for reference, place in external_secrets.references(self.member, *self.path):
            store_needed(self.graph, self.done, reference, self.namespace, place)
        for index, entry in enumerate(self.member.items(*self.path, "data")):
            remote = entry.get("remoteRef") if isinstance(entry, Mapping) else None
            if isinstance(remote, Mapping):
                self._remote(_store_of(entry, own), remote, ("data", index, "remoteRef"), whole=False)
        for index, entry in enumerate(self.member.items(*self.path, "dataFrom")):
            extract = entry.get("extract") if isinstance(entry, Mapping) else None
            if isinstance(extract, Mapping):
                self._remote(_store_of(entry, own), extract, ("dataFrom", index, "extract"), whole=True)
            self._generator(entry, index)
        self._templates()
        self._target()

    def _place(self, *path: str | int) -> Place:
        return self.member.place(*self.path, *path)

    def _remote(
        self, reference: Mapping[str, Any], remote: Mapping[str, Any], path: tuple[str | int, ...], *, whole: bool
    ) -> None:
        store = external_secrets.find(self.model, reference, self.namespace)
        key, wanted = str(remote.get("key") or ""), str(remote.get("property") or "")
        place = self._place(*path, "key")
        if external_secrets.version_2(store) and not whole and not wanted:
            words = f"{self.done.label} reads {key} without a property"
            self.graph.remark("no-property", self._place(*path), words, self.done, key=key)
        of = external_secrets.meaning(store, key)
        if of is None:
            return
        if of.kind == "Secret":
            self.graph.wanted(of)
            self.graph.needs(self.done, of, Need.SECRET, place)
            if wanted:
                self.graph.reads(self.done, of, wanted, place)
            return
        born = self.handed_over.get(of)
        if born is None and of not in self.graph.made:
            self.graph.assumed(of, "Vault has it already", place)
        if born is None or wanted in born or whole:
            self.graph.needs(self.done, of, Need.VAULT, place, f"property {wanted}" if wanted else "")
        if wanted:
            self.graph.reads(self.done, of, wanted, place)

    def _generator(self, entry: object, index: int) -> None:
        source = entry.get("sourceRef") if isinstance(entry, Mapping) else None
        named = source.get("generatorRef") if isinstance(source, Mapping) else None
        if isinstance(named, Mapping) and named.get("name"):
            kind = str(named.get("kind") or "")
            of = thing(kind, "" if kind == "ClusterGenerator" else self.namespace, str(named["name"]))
            self.graph.wanted(of)
            self.graph.needs(self.done, of, Need.STORE, self._place("dataFrom", index, "sourceRef", "generatorRef"))

    def _templates(self) -> None:
        for index, entry in enumerate(self.member.items(*self.path, "target", "template", "templateFrom")):
            if not isinstance(entry, Mapping):
                continue
            for field, made, need in (
                ("configMap", meeting.config_map, Need.CONFIG),
                ("secret", meeting.secret, Need.SECRET),
            ):
                named = entry.get(field)
                if isinstance(named, Mapping) and named.get("name"):
                    of = made(self.namespace, str(named["name"]))
                    place = self._place("target", "template", "templateFrom", index, field)
                    self.graph.wanted(of)
                    self.graph.needs(self.done, of, need, place, "its template")
                    for item in named.get("items") or []:
                        if isinstance(item, Mapping) and item.get("key"):
                            self.graph.reads(self.done, of, str(item["key"]), place)

    def _target(self) -> None:
        spec = self.member.mapping(*self.path)
        policy = self.member.at(*self.path, "target", "creationPolicy", default="Owner")
        if policy == "None" or "manifest" in self.member.mapping(*self.path, "target"):
            return
        of = meeting.secret(self.namespace, target(spec, self.name))
        named = self.member.at(*self.path, "target", "name")
        place = self._place("target", "name") if named else self.member.place("metadata", "name")
        if policy == "Merge":
            self.graph.wanted(of)
            self.graph.needs(self.done, of, Need.SECRET, place, "adds to it")
            self.graph.holds(of, keys(spec), place)
            return
        self.graph.makes(self.done, of, place)
        self.graph.holds(of, keys(spec), place)
        if policy == "Orphan" or spec.get("refreshPolicy") == "CreatedOnce":
            self.graph.remark("begins-only", place, f"{self.done.label} only sets {of.label} once", self.done)


def keys(spec: Mapping[str, Any]) -> set[str] | None:
    """The keys that an ExternalSecret makes; None where the files do not tell them."""
    aim = spec.get("target")
    template = aim.get("template") if isinstance(aim, Mapping) else None
    template = template if isinstance(template, Mapping) else {}
    templated = template.get("data")
    made = set(map(str, templated)) if isinstance(templated, Mapping) else set()
    if template.get("templateFrom"):
        written = _written_out(template["templateFrom"])
        if written is None:
            return None
        made |= written
    if made and template.get("mergePolicy", "Replace") != "Merge":
        return made
    if spec.get("dataFrom"):
        return None
    data = spec.get("data")
    for entry in data if isinstance(data, list) else []:
        if not isinstance(entry, Mapping) or not isinstance(entry.get("secretKey"), str):
            return None
        made.add(entry["secretKey"])
    return made


def _written_out(entries: object) -> set[str] | None:
    """Keys that templates of ConfigMaps and Secrets make: those of their items, unless a template writes its keys itself."""
    found: set[str] = set()
    for entry in entries if isinstance(entries, list) else ():
        if not isinstance(entry, Mapping) or entry.get("target", "Data") != "Data" or "literal" in entry:
            return None
        for field in ("configMap", "secret"):
            named = entry.get(field)
            items = named.get("items") if isinstance(named, Mapping) else None
            for item in items if isinstance(items, list) else ():
                if not isinstance(item, Mapping) or item.get("templateAs", "Values") != "Values":
                    return None
                found.add(str(item.get("key")))
    return found


def _store_of(entry: object, own: Mapping[str, Any]) -> Mapping[str, Any]:
    source = entry.get("sourceRef") if isinstance(entry, Mapping) else None
    reference = source.get("storeRef") if isinstance(source, Mapping) else None
    return reference if isinstance(reference, Mapping) else own


def store_needed(graph: Graph, done: Thing, reference: Mapping[str, Any], namespace: str, place: Place) -> None:
    """`done` reads through that store."""
    kind = str(reference.get("kind") or "SecretStore")
    if kind not in external_secrets.KINDS:
        return
    store = external_secrets.ready(kind, namespace, str(reference.get("name")))
    existing = store._replace(milestone=Milestone.EXISTS)
    graph.wanted(existing)
    graph.needs(done, store, Need.STORE, place)
    graph.needs(store, existing, Need.APPLIED_BY, place)


# -- the other way: into a store


def _push(model: Model, member: Manifest, graph: Graph) -> None:
    done = meeting.runs(member, graph)
    name = member.at("spec", "selector", "secret", "name")
    of = meeting.secret(member.namespace, str(name)) if isinstance(name, str) else None
    if of:
        place = member.place("spec", "selector", "secret", "name")
        graph.wanted(of)
        graph.needs(done, of, Need.SECRET, place)
    for index, reference in enumerate(member.items("spec", "secretStoreRefs")):
        if not isinstance(reference, Mapping) or not reference.get("name"):
            continue
        store_needed(graph, done, reference, member.namespace, member.place("spec", "secretStoreRefs", index, "name"))
        store = external_secrets.find(model, reference, member.namespace)
        for number, entry in enumerate(member.items("spec", "data")):
            match = entry.get("match") if isinstance(entry, Mapping) else None
            if not isinstance(match, Mapping):
                continue
            if of and match.get("secretKey"):
                where = member.place("spec", "data", number, "match", "secretKey")
                graph.reads(done, of, str(match["secretKey"]), where)
            remote = match.get("remoteRef")
            key = str(remote.get("remoteKey") or "") if isinstance(remote, Mapping) else ""
            made = external_secrets.meaning(store, key)
            if made and key:
                graph.makes(done, made, member.place("spec", "data", number, "match", "remoteRef"), "pushed")


def _kept(graph: Graph) -> None:
    """What is pushed, and needed to make what is pushed, was in Vault before: the push is a copy that outlives the cluster."""
    for of in [one for one in graph.made if one.kind == "vault path"]:
        if any(edge.needs.kind == "PushSecret" and graph.path(edge.needs, of) for edge in graph.makers(of)):
            graph.assumed(of, "Vault has it already", graph.where.get(of, NOWHERE))


def _everywhere(model: Model, member: Manifest, graph: Graph, handed_over: dict[Thing, set[str]]) -> None:
    """A ClusterExternalSecret makes an ExternalSecret in each namespace that it selects."""
    done = meeting.runs(member, graph)
    name = str(member.at("spec", "externalSecretName") or member.name)
    for namespace in _selected(model, member):
        one = thing("ExternalSecret", namespace, name)
        graph.makes(done, one, member.place("metadata", "name"))
        synced = one._replace(milestone=Milestone.READY)
        graph.needs(synced, one, Need.APPLIED_BY, member.place("metadata", "name"))
        known = knowledge.of_kind(external_secrets.GROUP, "ExternalSecret")
        if known and graph.makers(known.thing):
            graph.needs(synced, known.thing, Need.WORKLOAD, member.place("kind"))
        _Synced(model, graph, member, ("spec", "externalSecretSpec"), namespace, name, synced, handed_over).read()


def _selected(model: Model, member: Manifest) -> Iterator[str]:
    listed = member.items("spec", "namespaces")
    yield from (name for name in listed if isinstance(name, str))
    asked = [*member.items("spec", "namespaceSelectors"), member.at("spec", "namespaceSelector")]
    for space, _ in model.objects("Namespace"):
        labels = {"kubernetes.io/metadata.name": space.name, **space.labels}
        if space.name not in listed and any(
            isinstance(one, Mapping) and selectors.selects(one, labels) for one in asked
        ):
            yield space.name
