"""All that is outside of a rehearsal's cluster, in one process: started before Flux, asked afterwards what was missing."""

import socket
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rebirth.lab.ca import Authority
from rebirth.lab.kinds import Kinds
from rebirth.lab.systems.servers import Servers
from rebirth.paper.charts import PaperChart, StandIn, paper_charts
from rebirth.proof.prove import ClusterProof
from rebirth.proof.reading import artifacts
from rebirth.proof.reading.manifest import Manifest
from rebirth.proof.reading.repository_files import Files as RepositoryFiles
from rebirth.rehearse.outside import elsewhere, git_on_paper
from rebirth.rehearse.outside.admission import Admission, admission_app, configuration
from rebirth.rehearse.outside.answers import Files, Part, answers_app
from rebirth.rehearse.outside.buckets import Buckets
from rebirth.rehearse.outside.charts import ChartRepositories
from rebirth.rehearse.outside.git_hosts import GitHosts
from rebirth.rehearse.outside.missing import Refusals
from rebirth.rehearse.outside.names import Askers, address, address_of_bucket, sources
from rebirth.rehearse.outside.proxy import Proxy
from rebirth.rehearse.outside.references import references_of, tags_of
from rebirth.rehearse.outside.registry import Artifact, Registries, chart_artifact
from rebirth.rehearse.outside.tree import TREE, Tree
from rebirth.store.names import OCI
from rebirth.store.store import Store

_HOST = "127.0.0.1"
_FLUX_ARTIFACT = ("application/vnd.cncf.flux.config.v1+json", "application/vnd.cncf.flux.content.v1.tar+gzip")


@dataclass
class Outside:
    """`folder`: private, and with a short path: a socket lies in it. `age_key`: the castle's own, with which Flux decrypts;
    without one what is encrypted is invented. `unresolved`: why a name does not resolve in a pod, "" where it does.
    """

    folder: Path
    authority: Authority
    world: ClusterProof
    store: Store
    age_key: Path | None = None
    unresolved: Callable[[str], str] = lambda _: ""
    proxy: str = field(default="", init=False)  # the URL, once it is started
    missing: Refusals = field(default_factory=Refusals, init=False)
    stand_ins: list[StandIn] = field(default_factory=list, init=False)  # known once it is started
    trees: list[str] = field(default_factory=list, init=False)  # addresses of Git repositories and artifacts on paper
    _admission: str = field(default="", init=False)  # where the webhook is asked
    _made: Mapping[str, Path] = field(
        default_factory=dict, init=False
    )  # Git repositories with charts on paper, by address

    def __post_init__(self) -> None:
        self._askers = Askers(self.world.model)
        kinds = None if self.age_key else Kinds(self.authority, [], "git.rehearsal.internal")
        self._own = self._own_sources()
        git = [one for one in self._own if one.kind == "GitRepository"]
        self._tree = Tree(self.world.model.root, self.folder, references_of(git), kinds)
        self._registries = Registries(self.store, self.missing, self._askers)
        self._servers = Servers(self.authority, self.folder / "keys", self.folder)
        self._proxy = Proxy(self.authority, self.folder / "keys", self.folder / "answers.sock", self.unresolved)

    @property
    def ca_file(self) -> Path:
        """Of the authority that everything outside is known by (PEM)."""
        return self.folder / "ca.crt"

    @property
    def environment(self) -> dict[str, str]:
        """What makes a program ask here: Go's own HTTP, git and curl."""
        names = {f"{scheme}_PROXY": self.proxy for scheme in ("HTTP", "HTTPS")}
        lower = {name.lower(): url for name, url in names.items()}
        trust = dict.fromkeys(("SSL_CERT_FILE", "GIT_SSL_CAINFO"), str(self.ca_file))
        return {**names, **lower, **trust, "NO_PROXY": _HOST, "no_proxy": _HOST}

    async def start(self, definitions: Iterable[Mapping[str, Any]] = ()) -> None:
        """`definitions`: CRDs that stay as they are, whatever the repository says. Raises OSError, RuntimeError."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.ca_file.write_text(self.authority.pem)
        charts, stand_ins = paper_charts(self.world.model, self.store, self.authority.pem)
        charts = [chart for chart in charts if address(chart.url) not in self._places()]
        self.stand_ins = [one for one in stand_ins if address(one.url) not in self._places()]
        in_git = [chart for chart in charts if chart.path]
        git, artifacts = (
            elsewhere.trees(self.world.model, kind, self._places(), self.store)
            for kind in ("GitRepository", "OCIRepository")
        )
        self.trees = [*git, *artifacts]
        self._made = await git_on_paper.repositories(in_git, git, self.world.model, self.folder / "git")
        self._add_artifacts(artifacts)
        for chart in charts:
            if chart.url.startswith(OCI):
                self._registries.add(chart.url, chart_artifact(chart))
        await self.take()
        await self._servers.start_local(self._answers(charts), self._proxy.answers)
        port = _free_port()
        kept = {crd["metadata"]["name"]: crd["spec"] for crd in definitions}
        in_part = {one.release for one in self.stand_ins if not one.whole}
        castle = self.world.model.castle
        places = {*self._places(), *self._made}
        owned = [address(castle.gitops.repository)] if castle else []
        admission = Admission(places, self._tag_for(charts), in_part, kept, with_credentials=owned)
        await self._servers.start("admission", admission_app(admission), address=_HOST, port=port, hosts=[_HOST])
        self._admission = f"https://{_HOST}:{port}/"
        self.proxy = await self._proxy.start()

    async def take(self) -> None:
        """Serves the repository's files as they are now. Raises OSError, RuntimeError."""
        commit = await self._tree.take()
        artifact_of = [one for one in self._own if one.kind == "OCIRepository"]
        layer = self._tree.packed() if artifact_of else b""
        for one in artifact_of:
            config, content = _FLUX_ARTIFACT
            types = config, str(one.at("spec", "layerSelector", "mediaType") or content)
            revision = {"org.opencontainers.image.revision": f"main@sha1:{commit}"}
            made = Artifact.of(tags_of(one), config=b"{}", layer=layer, types=types, annotations=revision)
            self._registries.add(str(one.at("spec", "url")), made)

    def _add_artifacts(self, trees: Mapping[str, elsewhere.Files]) -> None:
        """Of trees on paper."""
        for one in sources(self.world.model, "OCIRepository"):
            url = str(one.at("spec", "url"))
            if files := trees.get(address(url)):
                types = _FLUX_ARTIFACT[0], str(one.at("spec", "layerSelector", "mediaType") or _FLUX_ARTIFACT[1])
                layer = elsewhere.packed(files)
                self._registries.add(url, Artifact.of(tags_of(one), config=b"{}", layer=layer, types=types))

    def first(self) -> list[dict[str, Any]]:
        """What the API server has to have before any object of Flux: the webhook that makes them answerable."""
        return [configuration(self._admission, self.authority.pem)]

    async def stop(self) -> None:
        await self._proxy.stop()
        await self._servers.stop()

    def _answers(self, charts: list[PaperChart]) -> Any:
        named = [str(one.at("spec", "url")) for one in sources(self.world.model, "HelmRepository")]
        parts: list[Part] = [
            ChartRepositories(
                named, [chart for chart in charts if not chart.path], self.store, self.missing, self._askers
            ),
            GitHosts(self._git_repositories(), self.store, self.missing, self._askers),
            self._registries,
            Buckets(self._buckets(), self._tree),
            Files(self.store),
        ]
        return answers_app(parts, self.missing, self._askers)

    # -- the repository's own source

    def _own_sources(self) -> list[Manifest]:
        """The source objects that hold the repository itself: its own, and others of the same address."""
        model = self.world.model
        own = [member for member, _ in model.find(*model.own_source)]
        said = {address(str(url)) for one in own if (url := one.at("spec", "url"))}
        said |= {address_of_bucket(one.mapping("spec")) for one in own if one.kind == "Bucket"}
        said |= {address(one.url) for one in artifacts.syncs(RepositoryFiles(self.world.model.root)) if one.url}
        if model.castle is not None:
            said.add(address(model.castle.gitops.repository))
        self._said = said
        others = [
            one
            for one in sources(model, "GitRepository", "OCIRepository")
            if address(str(one.at("spec", "url"))) in said
        ]
        return [*own, *(one for one in others if one not in own)]

    def _places(self) -> frozenset[str]:
        return frozenset({address(TREE), *self._said})

    def _buckets(self) -> dict[str, frozenset[str]]:
        """The names of buckets that hold the repository itself, by the host that has them."""
        found: dict[str, frozenset[str]] = {}
        for one in self._own:
            if one.kind == "Bucket":
                host = str(one.at("spec", "endpoint")).lower()
                found[host] = found.get(host, frozenset()) | {str(one.at("spec", "bucketName"))}
        return found

    def _git_repositories(self) -> dict[str, Path]:
        """By address: the repository itself, and what was fetched of the sources that the model names."""
        found = {}
        for one in sources(self.world.model, "GitRepository"):
            url = str(one.at("spec", "url"))
            if (bare := self.store.git(url)) is not None:
                found[address(url)] = bare
        return {**self._made, **found, **dict.fromkeys(self._places(), self._tree.bare)}

    def _tag_for(self, charts: list[PaperChart]) -> Any:
        tags = {address(chart.url): min(chart.tags) for chart in charts if chart.url.startswith(OCI)}
        tags |= {
            address(str(one.at("spec", "url"))): min(tags_of(one)) for one in self._own if one.kind == "OCIRepository"
        }

        def tag_for(url: str, digest: str) -> str:
            return "" if self._registries.has(url, digest) else tags.get(address(url), "")

        return tag_for


def _free_port() -> int:
    with socket.socket() as found:
        found.bind((_HOST, 0))
        return int(found.getsockname()[1])
