"""Where Corefiles stand: in ConfigMaps, and in the values of CoreDNS' chart. Which of them is the cluster's own."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from rebirth.proof.graph import Graph
from rebirth.proof.reading.manifest import Manifest, Model
from rebirth.proof.reading.texts.lines import Lines
from rebirth.proof.sources.outside.corefile.plugins import read
from rebirth.proof.sources.outside.corefile.syntax import CorefileError
from rebirth.proof.sources.outside.corefile.words import Meaning
from rebirth.proof.things import Milestone, Place, Thing


@dataclass(frozen=True, slots=True)
class Corefile:
    manifest: Manifest
    meanings: tuple[Meaning, ...]
    place: Place  # of its text

    def zone_place(self, zone: str, line: int) -> Place:
        """Where a forward stands: in castle.yaml, if that is what the Corefile is made of."""
        if self.manifest.prefix == ("engine", "coredns"):
            named = zone.rstrip(".")
            path = ("engine", "coredns", "forwards", named) if named else ("engine", "coredns")
            return Place(self.manifest.file, self.manifest.line, path)
        return line_of(self.place, line)


def line_of(place: Place, line: int) -> Place:
    """The place of a line in a text that begins, as a block, under the key at `place`, or is a file of its own."""
    if not place.file or line < 1:
        return place
    if not place.path:
        return Place(place.file, line)
    at = Lines().line(place)
    try:
        written = Path(place.file).read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError):
        return place
    if at and at <= len(written) and written[at - 1].rstrip().endswith(("|", "|-", "|+")) and at + line <= len(written):
        return Place(place.file, at + line)
    return place


def find(model: Model, graph: Graph, address: str) -> Corefile | None:
    """The cluster's own Corefile; those that CoreDNS rejects are remarked. `address` is the cluster's DNS."""
    return next(iter(list(_Finder(model, graph, address).corefiles())), None)


class _Finder:
    def __init__(self, model: Model, graph: Graph, address: str) -> None:
        self.model, self.graph, self.address = model, graph, address

    def corefiles(self) -> Iterator[Corefile]:
        """The cluster's own Corefiles; all are read."""
        for member, _ in self.model.objects("ConfigMap"):
            data = member.mapping("data")
            text = data.get("Corefile")
            if not isinstance(text, str) or "__PILLAR__" in text:
                continue
            version, official = self._image(member)
            beside = {str(key): str(value) for key, value in data.items()}
            place = member.place("data", "Corefile")
            meanings = self._read(text, member.thing(Milestone.MATERIALISED), place, version, official, beside)
            if meanings and member.namespace == "kube-system" and "local" not in member.name:
                yield Corefile(member, tuple(meanings), place)
        for member, _ in self.model.objects("HelmRelease"):
            servers = member.items("spec", "values", "servers")
            if servers and is_coredns(member, self.address):
                place = member.place("spec", "values", "servers")
                meanings = self._read(of_values(servers), member.thing(Milestone.READY), place, (), True, {})
                if meanings:
                    yield Corefile(member, tuple(meanings), place)

    def _read(
        self, text: str, about: Thing, place: Place, version: tuple[int, ...], official: bool, beside: Mapping[str, str]
    ) -> list[Meaning]:
        try:
            return read(text, version=version, official=official, beside=beside)
        except CorefileError as error:
            words = f"line {error.line} of the Corefile: {error.words}"
            self.graph.remark("corefile", line_of(place, error.line), words, about)
            return []

    def _image(self, config: Manifest) -> tuple[tuple[int, ...], bool]:
        """Version of the CoreDNS that reads that ConfigMap, and whether it has the official plugins only."""
        for member, _ in self.model.objects("Deployment", "DaemonSet"):
            if member.namespace != config.namespace:
                continue
            volumes = member.items("spec", "template", "spec", "volumes")
            if not any(
                isinstance(v, Mapping) and (v.get("configMap") or {}).get("name") == config.name for v in volumes
            ):
                continue
            for index, _ in enumerate(member.items("spec", "template", "spec", "containers")):
                image = str(member.at("spec", "template", "spec", "containers", index, "image", default=""))
                if found := re.search(r"(^|/)coredns:v?(\d+)\.(\d+)\.(\d+)$", image):
                    return tuple(map(int, found.groups()[1:])), True
                if image:
                    return (), False
        # Programs made of CoreDNS, such as k8s_gateway, have plugins of their own.
        return (), config.namespace == "kube-system" or "coredns" in config.name


def of_values(servers: list[object]) -> str:
    """The Corefile that CoreDNS' chart makes of its value `servers`."""
    found = []
    for server in servers:
        if not isinstance(server, Mapping):
            continue
        port = server.get("port") or 53
        zones = [zone for zone in server.get("zones") or [] if isinstance(zone, Mapping)]
        keys = [f"{zone.get('scheme') or ''}{zone.get('zone') or '.'}:{port}" for zone in zones] or [f".:{port}"]
        lines = [f"{' '.join(keys)} {{"]
        for plugin in server.get("plugins") or []:
            if isinstance(plugin, Mapping):
                block = str(plugin.get("configBlock") or "").rstrip("\n")
                parameters = plugin.get("parameters")
                head = f"    {plugin.get('name')} {'' if parameters is None else parameters}".rstrip()
                lines += [f"{head} {{", block, "    }"] if block else [head]
        found += [*lines, "}"]
    return "\n".join(found) + "\n"


def is_coredns(member: Manifest, address: str) -> bool:
    reference = str(member.at("spec", "chartRef", "name", default=""))
    chart = str(member.at("spec", "chart", "spec", "chart", default=reference))
    said = member.at("spec", "values", "service", "clusterIP")
    return chart == "coredns" and (said is None or str(said) == address)
