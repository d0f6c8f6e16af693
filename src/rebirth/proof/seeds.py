"""What a castle's phases place in the cluster before and beside Flux, as units like those of Flux: the sources then read
them as they read a repository. Made by the functions with which the phases themselves make it, so that both cannot differ.
"""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from rebirth.castle import Castle, ClusterDns, ExternalSecrets, Identity, Networking, Storage
from rebirth.castle.foundation import Chart
from rebirth.castle.storage import data_path_of
from rebirth.phases import (
    BOOTSTRAP,
    PHASES,
    announce_pool,
    apply_vault_store,
    bootstrap_flux,
    bootstrap_flux_instance,
    create_namespaces,
    install_cilium,
    install_coredns,
    install_external_secrets,
    install_metallb,
    install_storage,
    place_secrets,
)
from rebirth.phases.made import cilium, coredns, machine_patches, vault_store
from rebirth.phases.made import flux as made
from rebirth.proof.reading import flux, kustomization
from rebirth.proof.reading.manifest import MachineConfiguration, Manifest, Model, Unit, thing
from rebirth.proof.reading.repository_files import Files
from rebirth.proof.reading.yaml_files import UnreadableError, parse, read
from rebirth.proof.things import Atomicity, Milestone
from rebirth.run.create import sections
from rebirth.run.facts import NodeKeyMinted, SecretsResolved
from rebirth.run.phase import name_of
from rebirth.secrets import Secret

_PathIn = tuple[str | int, ...]
_UNSEEN = Secret("a-value-that-the-proof-does-not-see")


def plant(model: Model) -> None:
    """Adds to the model what the castle's phases make, and how they make it."""
    if model.castle is not None and model.castle_file is not None:
        _castle(model, model.castle, model.castle_file)


def _castle(model: Model, castle: Castle, file: Path) -> None:
    try:
        model.castle_line = read(file)[0].line
    except (UnreadableError, IndexError):
        return
    own = BOOTSTRAP.of(sections(castle))
    model.phases, model.connections = own.phases, own.connections
    planter = _Planter(model, castle, file)
    units = planter.units()
    _lead(model, castle, units)
    model.units[:0] = units
    model.machines += planter.machines()


def _lead(model: Model, castle: Castle, units: list[Unit]) -> None:
    """The cluster's folder is applied by a Kustomization that a phase makes, where none in the folder itself applies it."""
    root = next((unit for unit in model.units if unit.root and unit.own is None), None)
    for member in (member for unit in units for member in unit.members if flux.is_kustomization(member)):
        if root is not None and flux.folder_of(member, model.root) == model.root / castle.gitops.path:
            root.own, root.place = member, member.place("spec", "path")
            root.applied, root.ready = flux.applied(member), flux.ready(member.kind, member.namespace, member.name)
            model.own_source = flux.source_of(member)
            return


class _Planter:
    def __init__(self, model: Model, castle: Castle, file: Path) -> None:
        self.model, self.castle, self.file = model, castle, file
        self.secrets = SecretsResolved({reference.secret: _UNSEEN for _, reference in castle.references()})

    def units(self) -> list[Unit]:
        operator = self.castle.engine.external_secrets
        units = [
            self._unit(create_namespaces, self._namespaces()),
            self._unit(place_secrets, self._secrets()),
            self._unit(install_coredns, self._coredns()),
        ]
        if isinstance(operator, ExternalSecrets):
            units.append(self._chart(install_external_secrets, "external-secrets", operator, ("engine", "external_secrets"), {"installCRDs": True}))  # fmt: skip
        units += [
            self._unit(apply_vault_store, self._store()),
            *self._networking(),
            self._unit(bootstrap_flux, self._flux_of_repository()),
            *self._flux_by_operator(),
        ]
        own = {phase.name for phase in self.model.phases}
        return [unit for unit in units if unit.phase in own]

    def _unit(self, module: ModuleType, members: Iterable[Manifest]) -> Unit:
        place = next(found for found in PHASES if found.name == name_of(module))
        applied = thing("phase", "", place.name, Milestone.APPLIED)
        ready = applied._replace(milestone=Milestone.READY)
        where = self.model.at()._replace(file=place.file, line=place.line)
        return Unit(applied, ready, Atomicity.PHASE, where, members=list(members), phase=place.name)

    def _manifest(
        self, data: Mapping[str, Any], prefix: _PathIn, written: Mapping[_PathIn, _PathIn] | None = None
    ) -> Manifest:
        return Manifest(data, str(self.file), self.model.castle_line, prefix, written=written or {})

    def _namespaces(self) -> Iterator[Manifest]:
        castle, engine = self.castle, self.castle.engine
        where: dict[str, _PathIn] = {
            "flux-system": ("gitops",),
        }
        if engine.external_secrets:
            where[engine.external_secrets.namespace] = ("engine", "external_secrets", "namespace")
        networking = castle.networking or Networking.model_construct()
        storage = castle.storage if isinstance(castle.storage, Storage) else None
        for chart, place in (
            (networking.metallb, ("networking", "metallb")),
            (networking.cilium, ("networking", "cilium")),
            (storage, ("storage",)),
        ):
            if chart:
                where[chart.namespace] = (*place, "namespace")
        for index, direct in enumerate(engine.direct_secrets):
            where.setdefault(direct.namespace, ("engine", "direct_secrets", index, "namespace"))
        for number, pull in enumerate(engine.pull_secrets):
            for index, name in enumerate(pull.namespaces):
                where.setdefault(name, ("engine", "pull_secrets", number, "namespaces", index))
        for data in create_namespaces.objects(engine, networking.metallb, networking.cilium, storage):
            yield self._manifest(data, where[data["metadata"]["name"]])

    def _secrets(self) -> Iterator[Manifest]:
        engine = self.castle.engine
        prefixes: list[_PathIn] = [("engine", "direct_secrets", index) for index in range(len(engine.direct_secrets))]
        prefixes += [
            ("engine", "pull_secrets", number, "namespaces", index)
            for number, pull in enumerate(engine.pull_secrets)
            for index in range(len(pull.namespaces))
        ]
        gitops = self.castle.gitops
        prefixes += [("gitops", "decryption")] if gitops.decryption else []
        prefixes += [("gitops", "ssh")] if gitops.ssh else []
        prefixes += [("gitops", "substitution", "secrets", name) for name in gitops.substitution.secrets]
        for data, prefix in zip(place_secrets.objects(engine, gitops, self.secrets), prefixes, strict=True):
            yield self._manifest(
                data, prefix, {("metadata", "name"): (*prefix, "name") if "direct_secrets" in prefix else prefix}
            )

    def _coredns(self) -> Iterator[Manifest]:
        if (own := self.castle.engine.coredns) is None:
            return
        for data in coredns.objects(own, self.castle.kubernetes):
            written: dict[_PathIn, _PathIn] = {("spec", "clusterIP"): ("kubernetes", "cluster_dns")}
            yield self._manifest(data, ("engine", "coredns"), written)

    def _store(self) -> Iterator[Manifest]:
        engine = self.castle.engine
        if engine.store is None or engine.vault is None:
            return
        vault: _PathIn = ("spec", "provider", "vault")
        written: dict[_PathIn, _PathIn] = {
            ("metadata", "name"): ("engine", "store", "name"),
            (*vault, "server"): ("engine", "vault", "address"),
            (*vault, "path"): ("engine", "vault", "mount"),
            (*vault, "caProvider"): ("engine", "store", "ca_secret"),
            (*vault, "auth", "tokenSecretRef"): ("engine", "store", "token_secret"),
        }
        store = vault_store.cluster_secret_store(engine.store, engine.vault)
        yield self._manifest(store, ("engine", "store"), written)

    def _chart(self, module: ModuleType, name: str, chart: Chart, prefix: _PathIn, values: Mapping[str, Any]) -> Unit:
        """A release that a phase installs. Its object is none of Flux'; it only tells chart, version and values."""
        applied = thing("Helm release", chart.namespace, name, Milestone.APPLIED)
        spec = {
            "chart": {"spec": {"chart": name, "version": chart.version}},
            "url": chart.repository,
            "values": {**values, **chart.values},
        }
        own = self._manifest(
            {"kind": "Helm release", "metadata": {"name": name, "namespace": chart.namespace}, "spec": spec},
            prefix,
            {("spec", "values"): (*prefix, "values"), ("spec", "chart", "spec", "version"): (*prefix, "version")},
        )
        ready = applied._replace(milestone=Milestone.READY)
        return Unit(applied, ready, Atomicity.HELM, own.place(), own, known=False, phase=name_of(module))

    def _networking(self) -> Iterator[Unit]:
        """Who connects pods, who gives addresses, who makes volumes, as far as the castle installs them."""
        networking, storage = self.castle.networking, self.castle.storage
        if networking and (chart := networking.cilium):
            own = cilium.values(chart, self.castle.kubernetes, self.castle.machines)
            yield self._chart(install_cilium, "cilium", chart, ("networking", "cilium"), own)
            if chart.pool:
                objects = cilium.objects(chart.pool, cilium.POOL_VERSIONS[0])
                yield self._unit(announce_pool, self._pool(objects, ("networking", "cilium", "pool"), "blocks"))
        if networking and networking.metallb and networking.pool:
            yield self._chart(install_metallb, "metallb", networking.metallb, ("networking", "metallb"), {})
            objects = install_metallb.objects(networking.metallb, networking.pool)
            yield self._unit(install_metallb, self._pool(objects, ("networking", "pool"), "addresses"))
        if isinstance(storage, Storage):
            yield self._chart(install_storage, storage.chart, storage, ("storage",), {})

    def _pool(self, objects: Iterable[Mapping[str, Any]], place: _PathIn, field: str) -> Iterator[Manifest]:
        written: dict[_PathIn, _PathIn] = {("spec", field): (*place, "addresses")}
        return (self._manifest(data, place, written) for data in objects)

    def _flux_of_repository(self) -> Iterator[Manifest]:
        """The folder `flux-system` beside the root Kustomization's path, and what the castle itself adds."""
        gitops = self.castle.gitops
        folder = str(self.model.root / gitops.path / "flux-system")
        first = [unit for unit in self.model.units if unit.root]
        kept = [member for unit in first for member in unit.members if str(Path(member.file).parent) == folder]
        if not kept and Path(folder).is_dir():  # the phase reads it whether the cluster's kustomization lists it or not
            kept = kustomization.folder(Files(self.model.root), Path(folder)).manifests
        yield from kept
        if not any(member.group.endswith("toolkit.fluxcd.io") for member in kept):
            yield from self._sync()
        yield from self._config_maps()

    def _flux_by_operator(self) -> Iterator[Unit]:
        """The operator, the FluxInstance, and what the operator makes of that."""
        if (flux := self.castle.gitops.flux) is None:
            return
        at: _PathIn = ("gitops", "flux")
        yield self._chart(bootstrap_flux_instance, "flux-operator", flux.operator, (*at, "operator"), {})
        instance = bootstrap_flux_instance.instance(flux, self.castle.gitops, self.castle.kubernetes)
        own = self._manifest(instance, (*at, "instance"), {("metadata", "name"): at})
        yield self._unit(bootstrap_flux_instance, [own, *self._sync(), *self._config_maps()])

    def _sync(self) -> Iterator[Manifest]:
        written: dict[_PathIn, _PathIn] = {
            ("spec", "path"): ("gitops", "path"),
            ("spec", "secretRef"): ("gitops", "auth_secret"),
        }
        return (self._manifest(data, ("gitops",), written) for data in made.sync(self.castle.gitops))

    def _config_maps(self) -> Iterator[Manifest]:
        gitops = self.castle.gitops
        further: _PathIn = ("gitops", "substitution", "config_maps")
        for data in made.config_maps(gitops):
            name = data["metadata"]["name"]
            prefix: _PathIn = (*further, name) if name in gitops.substitution.config_maps else ("gitops", "variables")
            yield self._manifest(data, prefix, {("data",): prefix, ("metadata", "name"): prefix})

    def machines(self) -> Iterator[MachineConfiguration]:
        castle, folder = self.castle, self.file.parent
        wanted = machine_patches.Wanted(
            folder, Identity(name=castle.name), castle.machines, castle.talos, castle.kubernetes, data_path_of(castle.storage),
            ClusterDns(ours=castle.engine.coredns is not None), castle.tailscale.node_key if castle.tailscale else None,
            castle.engine.registry_logins,
        )  # fmt: skip
        for index, machine in enumerate(castle.machines.nodes):
            texts = wanted.patches(machine, self.secrets, NodeKeyMinted(_UNSEEN, ""))
            own = castle.talos.patches_for(machine)
            ours = len(texts) - len(own)
            prefix: _PathIn = ("machines", "nodes", index)
            patches = [self._manifest(d.data, prefix, _GENERATED) for text in texts[:ours] for d in parse(text)]
            for where, patch in own.items():
                at = where if where[0] == "talos" else (*prefix, *where)
                patches += _documents(folder / patch) if isinstance(patch, str) else [self._manifest(patch, at)]
            yield MachineConfiguration(machine.name, machine.role, tuple(patches))


# Where castle.yaml says what a generated machine configuration holds.
_GENERATED: Mapping[_PathIn, _PathIn] = {
    ("machine", "network", "interfaces"): ("machines", "shared_address"),
    ("machine", "kubelet", "clusterDNS"): ("kubernetes", "cluster_dns"),
    ("machine", "kubelet", "extraMounts"): ("storage",),
    ("cluster", "network", "cni"): ("kubernetes", "cni"),
    ("cluster", "proxy"): ("kubernetes", "kube_proxy"),
    ("machine", "kubelet", "nodeIP"): ("machines", "network"),
    ("cluster", "etcd"): ("machines", "network"),
    ("machine", "install", "image"): ("talos", "installer"),
    ("machine", "registries", "config"): ("engine", "pull_secrets"),
    ("machine", "network", "nameservers"): ("machines", "nameservers"),
    ("cluster", "apiServer", "certSANs"): ("kubernetes", "cert_sans"),
    ("cluster", "apiServer", "extraArgs"): ("kubernetes", "service_account"),
    ("cluster", "coreDNS"): ("engine", "coredns"),
    ("cluster", "network", "podSubnets"): ("kubernetes", "pod_network"),
    ("cluster", "network", "serviceSubnets"): ("kubernetes", "service_network"),
    ("environment",): ("tailscale", "node_key"),
}


def _documents(file: Path) -> list[Manifest]:
    """The documents of a patch. One that is no mapping (a JSON patch is a list) is left to talosctl."""
    try:
        return [Manifest(d.data, str(file), d.line) for d in read(file) if isinstance(d.data, Mapping)]
    except UnreadableError:
        return []
