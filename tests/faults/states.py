"""What is wrong inside a system outside: full, sealed, somebody else's, or lying."""

import dataclasses
from collections.abc import Callable, Iterator

from faults import scenes
from faults.cell import Cell
from faults.stage import Stage
from faults.wrongs import Wrong
from rebirth.lab.proxmox import Pace, Rights
from rebirth.lab.tailscale import OAuthClient


def until(stage: Stage, seconds: float | None, begin: Callable[[], None], end: Callable[[], None]) -> None:
    """Something is so, for that long; without an end until everything is mended."""
    begin()
    stage.lift = end
    if seconds is not None:
        stage.kubernetes.after(seconds, end)


# -- Proxmox


def _storage(name: str, **change: object) -> Callable[[Stage], None]:
    def arrange(stage: Stage) -> None:
        storage = stage.pve.storages[name]
        before = {key: getattr(storage, key) for key in change}
        for key, value in change.items():
            setattr(storage, key, value)
        stage.lift = lambda: [setattr(storage, key, value) for key, value in before.items()]

    return arrange


def _pve(**change: object) -> Callable[[Stage], None]:
    def arrange(stage: Stage) -> None:
        before = {key: getattr(stage.pve, key) for key in change}
        for key, value in change.items():
            setattr(stage.pve, key, value)
        stage.lift = lambda: [setattr(stage.pve, key, value) for key, value in before.items()]

    return arrange


def _token_ends(stage: Stage) -> None:
    """After the first writes: another token is valid from then on."""
    token, posted = stage.pve.token, Wrong("HTTP 401", status=401)
    stage.lines["Proxmox"].cut(posted, path="/tasks/")
    assert token


def _name_taken(stage: Stage) -> None:
    from rebirth.lab.proxmox.host import Condition

    stage.pve.machines[900] = {"name": "lushycorp-k8s", "cores": "4", "memory": "8192", "tags": "theirs"}
    stage.pve.conditions[900] = Condition("pve")
    stage.lift = lambda: (stage.pve.machines.clear(), stage.pve.conditions.clear())


def _ids_taken(stage: Stage) -> None:
    from rebirth.lab.proxmox.host import Condition

    taken = range(stage.castle.proxmox.vm_ids.first, stage.castle.proxmox.vm_ids.last + 1)
    for number in taken:
        stage.pve.machines[number] = {"name": f"other-{number}", "tags": "theirs"}
        stage.pve.conditions[number] = Condition("pve")
    stage.lift = lambda: (stage.pve.machines.clear(), stage.pve.conditions.clear())


def _no_image(stage: Stage) -> None:
    volumes = stage.pve.storage("local").volumes
    gone = dict(volumes)
    volumes.clear()
    stage.lift = lambda: volumes.update(gone)


def _unreachable_for_the_host(stage: Stage) -> None:
    import httpx

    before = stage.pve.web

    async def nobody(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("Name or service not known")

    stage.pve.web = httpx.MockTransport(nobody)
    stage.lift = lambda: setattr(stage.pve, "web", before)


def _proxmox() -> Iterator[Cell]:
    def cell(fault: str, scene: scenes.Scene, arrange: Callable[[Stage], None]) -> Cell:
        return Cell("Proxmox", fault, scene, arrange)

    yield cell("token without rights", scenes.reaching, _pve(rights=Rights({"/": frozenset()})))
    yield cell("token without rights", scenes.creating, _pve(rights=Rights({"/": frozenset({"VM.Audit"})})))
    yield cell("token ends in the middle of a task", scenes.creating, _token_ends)
    yield cell("disk storage full", scenes.creating, _storage("local-lvm", total=1, thin=False))
    yield cell("image storage full", scenes.uploading, _storage("local", total=1))
    yield cell("node offline", scenes.creating, _pve(offline={"pve"}))
    yield cell("no such node", scenes.reaching, _pve(node="other"))
    yield cell("no such bridge", scenes.reaching, _pve(bridges=frozenset({"vmbr9"})))
    yield cell("storage takes no images", scenes.reaching, _storage("local-lvm", content=frozenset({"iso"})))
    yield cell("tasks take longer than patience", scenes.creating, _pve(pace=Pace(task_seconds=150)))
    yield cell("tasks take 20 s", scenes.creating, _pve(pace=Pace(task_seconds=20)))
    yield cell("the name is another machine's", scenes.creating, _name_taken)
    yield cell("every id is taken", scenes.creating, _ids_taken)
    yield cell("the image is gone", scenes.creating, _no_image)
    yield cell("the host does not reach the factory", scenes.uploading, _unreachable_for_the_host)
    lie = Wrong("success said, nothing done", status=200, body=b'{"data": "UPID:pve:0:0:0:qmcreate:800:root@pam:"}')
    yield cell(
        "an answer of a task that nobody knows",
        scenes.creating,
        lambda stage: stage.lines["Proxmox"].cut(lie, method="POST"),
    )
    lost = Wrong("the answer to a write is lost", lost=True)
    for scene in (scenes.creating, scenes.uploading):
        yield cell(lost.words, scene, lambda stage: stage.lines["Proxmox"].cut(lost, method="POST", times=1))


# -- Tailscale


def _client(**change: object) -> Callable[[Stage], None]:
    def arrange(stage: Stage) -> None:
        (client,) = stage.tailnet.clients
        stage.tailnet.clients[:] = [dataclasses.replace(client, **change)]
        stage.lift = lambda: stage.tailnet.clients.__setitem__(slice(None), [client])

    return arrange


def _no_client(stage: Stage) -> None:
    clients = list(stage.tailnet.clients)
    stage.tailnet.clients[:] = [OAuthClient("other", "other")]
    stage.lift = lambda: stage.tailnet.clients.__setitem__(slice(None), clients)


def _foreign_device(stage: Stage) -> None:
    node = stage.control.add_device("tazlab-k8s-worker-1", tags=("tag:theirs",))
    stage.lift = lambda: stage.control.devices.pop(node.identity)


def _access_ends(stage: Stage) -> None:
    """The access token that the first request got is revoked before the second."""
    stage.lines["Tailscale"].cut(Wrong("HTTP 401", status=401), path="/device/", times=1)


def _tailscale() -> Iterator[Cell]:
    def cell(fault: str, scene: scenes.Scene, arrange: Callable[[Stage], None]) -> Cell:
        return Cell("Tailscale", fault, scene, arrange)

    yield cell("OAuth client revoked", scenes.minting, _no_client)
    yield cell("OAuth client without the scopes", scenes.reaching, _client(scopes=frozenset({"dns"})))
    yield cell("OAuth client does not own the tags", scenes.minting, _client(tags=frozenset({"tag:theirs"})))
    yield cell("access token ends in between", scenes.freeing, _access_ends)
    yield cell("a name is somebody else's", scenes.freeing, _foreign_device)
    yield cell("a name is somebody else's", scenes.reaching, _foreign_device)
    lie = Wrong("success said, nothing removed", status=200, body=b"")
    yield cell(lie.words, scenes.freeing, lambda stage: stage.lines["Tailscale"].cut(lie, method="DELETE"))
    lost = Wrong("the answer to a write is lost", lost=True)
    yield cell(lost.words, scenes.freeing, lambda stage: stage.lines["Tailscale"].cut(lost, method="DELETE", times=1))
    yield cell(lost.words, scenes.minting, lambda stage: stage.lines["Tailscale"].cut(lost, path="/keys", times=1))


# -- Vault


def _sealed(seconds: float | None) -> Callable[[Stage], None]:
    def arrange(stage: Stage) -> None:
        vault = stage.vault
        until(stage, seconds, lambda: setattr(vault, "sealed", True), lambda: setattr(vault, "sealed", False))

    return arrange


def _vault_attribute(**change: object) -> Callable[[Stage], None]:
    def arrange(stage: Stage) -> None:
        before = {key: getattr(stage.vault, key) for key in change}
        for key, value in change.items():
            setattr(stage.vault, key, value)
        stage.lift = lambda: [setattr(stage.vault, key, value) for key, value in before.items()]

    return arrange


def _vault() -> Iterator[Cell]:
    def cell(fault: str, scene: scenes.Scene, arrange: Callable[[Stage], None]) -> Cell:
        return Cell("Vault", fault, scene, arrange)

    for scene in (scenes.reaching, scenes.handing_over):
        yield cell("sealed for 20 s", scene, _sealed(20))
        yield cell("sealed", scene, _sealed(None))
        yield cell("token revoked", scene, _vault_attribute(token="another"))
        yield cell("token without the right to write", scene, _vault_attribute(capabilities=frozenset({"read"})))
        yield cell("no such mount", scene, _vault_attribute(mount="kv"))
    lost, full = Wrong("the answer to a write is lost", lost=True), Wrong("storage full (HTTP 500)", status=500)
    lie = Wrong("success said, nothing written", status=200, body=b'{"data": {"version": 1}}')
    for wrong, options in ((lost, {"times": 1}), (full, {}), (lie, {})):
        yield cell(
            wrong.words,
            scenes.handing_over,
            lambda stage, wrong=wrong, options=options: stage.lines["Vault"].cut(
                wrong, method="POST", path="/data/", **options
            ),
        )
    yield cell(
        "somebody else writes there at the same time",
        scenes.handing_over,
        lambda stage: stage.vault.between.__setitem__(scenes.PATH, {"other": "theirs"}),
    )


def cells() -> list[Cell]:
    return [*_proxmox(), *_tailscale(), *_vault()]
