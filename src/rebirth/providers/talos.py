"""Talos through talosctl: secrets, machine configurations, the machine API."""

import asyncio
import re
import ssl
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex

import yaml

from rebirth.commands import Commands, ProgramFailed
from rebirth.errors import Broken, NotYet, understood
from rebirth.paths import Paths
from rebirth.providers.talos_words import ADVICE, UNREACHABLE
from rebirth.run.files import sweep
from rebirth.run.waiting import asking

PORT = 50000
TRUSTD_PORT = 50001  # of a control plane: signs the certificates of workers
# talosctl makes and patches the others too: with `--config-patch` a patch that takes something out has to fit all of them.
_PATCH = {"controlplane": "--config-patch-control-plane", "worker": "--config-patch-worker"}


@dataclass(frozen=True)
class EtcdMember:
    identity: str
    name: str  # the hostname of its machine
    votes: bool  # a learner does not yet


@dataclass(frozen=True)
class MachineConfiguration:
    """Holds secrets; exists in memory and, while talosctl reads it, in a file of mode 0600 below the produced folder."""

    text: str

    def __repr__(self) -> str:
        return "MachineConfiguration([secret])"


@dataclass(frozen=True)
class Rehearsed:
    """What a machine says of a configuration that it was only shown."""

    reboots: bool  # applied, it would take a reboot
    same: bool  # it has that one already


class Talosctl:
    """talosctl with this castle's secrets and client configuration."""

    def __init__(self, *, paths: Paths, commands: Commands) -> None:
        self._paths, self._commands = paths, commands
        self._is_swept = False
        self._run_id = token_hex(4)  # a program of a killed run may still write, and must not be in the way of this one

    async def ensure_secrets(self) -> None:
        """Makes the secrets bundle once; machines that were configured with it need the same one for ever."""
        if not self._paths.talos_secrets.exists():
            await self._produce(self._paths.talos_secrets, "gen secrets", "gen", "secrets", "--output-file")

    def put_secrets(self, content: bytes) -> None:
        """A secrets bundle that was kept, whole or not at all."""
        with self._scratch(self._paths.talos_secrets.name) as file:
            _write_private(file, content.decode())
            file.replace(self._paths.talos_secrets)

    async def generate(
        self,
        *,
        kind: str,
        cluster: str,
        endpoint: str,
        kubernetes: str,
        installer: str,
        talos: str,
        patches: Sequence[str],
    ) -> MachineConfiguration:
        """A machine configuration of the kind controlplane, worker or talosconfig, with patches in order; validated by itself."""
        with ExitStack() as scratch:
            files = []
            for number, patch in enumerate(patches):
                file = scratch.enter_context(self._scratch(f"patch-{kind}-{id(patches):x}-{number}.yaml"))
                _write_private(file, patch)
                files.append(file)
            text = await self._run(
                f"gen config ({kind})",
                *("gen", "config", cluster, endpoint, "--with-secrets", str(self._paths.talos_secrets)),
                *(
                    "--kubernetes-version",
                    kubernetes.removeprefix("v"),
                    "--install-image",
                    installer,
                    "--talos-version",
                    talos,
                ),
                *("--output-types", kind, "--output", "-", "--with-docs=false", "--with-examples=false"),
                *(argument for file in files for argument in (_PATCH[kind], f"@{file}")),
            )
        return MachineConfiguration(text)

    async def write_client_configuration(
        self, *, cluster: str, endpoint: str, endpoints: Sequence[str], talos: str
    ) -> None:
        """The talosconfig, in the produced folder."""
        made = await self.generate(
            kind="talosconfig",
            cluster=cluster,
            endpoint=endpoint,
            kubernetes="v1.0.0",
            installer="none",
            talos=talos,
            patches=(),
        )
        with self._scratch(self._paths.talosconfig.name) as file:
            _write_private(file, made.text)
            await self._run("config endpoint", "--talosconfig", str(file), "config", "endpoint", *endpoints)
            await self._run("config node", "--talosconfig", str(file), "config", "node", *endpoints[:1])
            file.replace(self._paths.talosconfig)

    async def validate(self, *, configuration: MachineConfiguration, machine: str) -> None:
        await self._with_file(
            configuration, machine, lambda file: ("validate", "--mode", "metal", "--config", file), "validate"
        )

    async def apply(self, *, configuration: MachineConfiguration, address: str, machine: str) -> None:
        """To a machine in maintenance mode."""
        await self._with_file(
            configuration,
            machine,
            lambda file: ("apply-config", "--insecure", "--nodes", address, "--file", file),
            f"apply-config to {machine}",
        )

    async def configuration(self, *, address: str) -> MachineConfiguration:
        """The one that a configured machine has."""
        said = await self._machine("get machineconfig", address, "get", "machineconfig", "v1alpha1", "--output", "yaml")
        with understood("talosctl", "get machineconfig", "talosctl on PATH"):
            text = yaml.safe_load(said)["spec"]
            return MachineConfiguration(text if isinstance(text, str) else yaml.safe_dump(text))

    async def rehearse(self, *, configuration: MachineConfiguration, address: str, machine: str) -> Rehearsed:
        """How a configured machine would apply it. Nothing else of its answer is kept: the rest is a diff that holds secrets.

        The words are Talos' own (v1alpha1_server.go: ApplyConfiguration), and talosctl writes them to standard error.
        """
        said = await self._changing(configuration, address, machine, "--dry-run")
        summary, _, diff = said.partition("Config diff:")
        if "with a reboot" not in summary and "without a reboot" not in summary:
            raise Broken(
                "its answer says nothing of a reboot", system="talosctl", operation=f"apply-config to {machine}"
            )
        return Rehearsed("with a reboot" in summary, diff.strip() == "No changes.")

    async def change(self, *, configuration: MachineConfiguration, address: str, machine: str, reboot: bool) -> None:
        """To a machine that is configured: what it can it applies at once, for the rest it reboots; `reboot`: in any case."""
        await self._changing(configuration, address, machine, *(("--mode", "reboot") if reboot else ()))

    async def _changing(self, configuration: MachineConfiguration, address: str, machine: str, *options: str) -> str:
        with self._scratch(f"{machine}.yaml") as file:
            _write_private(file, configuration.text)
            arguments = ("apply-config", *options, "--file", str(file))
            return await self._machine(f"apply-config to {machine}", address, *arguments, both=True)

    async def version(self, *, address: str) -> str:
        """The Talos that runs on the machine, such as v1.12.0; "" where it does not say it."""
        said = await self._machine("version", address, "version")
        tags = re.findall(r"^\s*Tag:\s*(\S+)", said, re.MULTILINE)
        return str(tags[-1]) if tags else ""

    async def boot(self, *, address: str) -> str:
        """Which of its boots a configured machine is in, as its kernel names it."""
        return (await self._machine("read the boot's id", address, "read", "/proc/sys/kernel/random/boot_id")).strip()

    async def cards(self, *, address: str) -> frozenset[str]:
        """The MAC addresses of the machine in maintenance mode that answers there, lower case."""
        client = ("--insecure", "--nodes", address)
        said = await self._run("get links", "get", "links", *client, "--output", "jsonpath={.spec.hardwareAddr}")
        return frozenset(line.strip().lower() for line in said.splitlines() if ":" in line)

    @property
    def has_credentials(self) -> bool:
        """Whether this castle's client configuration is there."""
        return self._paths.talosconfig.exists()

    async def answers(self, *, address: str) -> bool:
        """Whether the machine answers to this castle's credentials."""
        if not self.has_credentials:
            return False
        try:
            await self._machine("version", address, "version", "--short")
        except (NotYet, ProgramFailed):
            return False
        return True

    async def listens(self, *, address: str) -> None:
        """Raises NotYet until something listens on the machine API's port."""
        if not await _answers(address):
            raise NotYet(f"{address}:{PORT} does not answer")

    async def serves(self, *, address: str, port: int) -> bool:
        """Whether anything listens there."""
        try:
            async with asyncio.timeout(3):
                _, writer = await asyncio.open_connection(address, port)
        except (OSError, TimeoutError):
            return False
        writer.close()
        return True

    async def bootstrap(self, *, address: str) -> None:
        """Bootstraps etcd. That it was done before is success."""
        try:
            await self._machine("bootstrap", address, "bootstrap")
        except ProgramFailed as error:
            if "FailedPrecondition" in error.said:
                raise NotYet(f"talosctl: bootstrap: {error.said}") from None
            if "AlreadyExists" not in error.said:
                raise

    async def etcd_exists(self, *, address: str) -> bool:
        """Whether etcd runs on the machine.

        By the columns NODE SERVICE STATE: before it is bootstrapped etcd is Preparing, with the event `Running pre state`.
        """
        said = await self._machine("service etcd", address, "services")
        return any(line.split()[1:3] == ["etcd", "Running"] for line in said.splitlines())

    async def reset(self, *, address: str) -> None:
        """Wipes what Talos keeps of this castle on the machine, which then starts in maintenance mode. Other disks stay."""
        wiped = ("--system-labels-to-wipe", "STATE", "--system-labels-to-wipe", "EPHEMERAL")
        await self._machine("reset", address, "reset", "--graceful=false", "--reboot", "--wait=false", *wiped)

    async def in_maintenance(self, *, address: str) -> bool:
        """Whether a machine without a configuration answers there."""
        try:
            await self.cards(address=address)
        except (NotYet, ProgramFailed):
            return False
        return True

    async def tell_kubelet(self, what: str, *, where: str, address: str) -> bool:
        """Has it restarted, or started, where it is in that state, in Talos' word. Whether it was. Its pods go on running."""
        said = await self._machine("service kubelet", address, "service", "kubelet")
        if there := any(line.split()[:2] == ["STATE", where] for line in said.splitlines()):
            await self._machine(f"{what} kubelet", address, "service", "kubelet", what)
        return there

    async def etcd_members(self, *, address: str) -> list[EtcdMember]:
        """As that control plane sees them. By the columns NODE ID HOSTNAME PEER-URLS CLIENT-URLS LEARNER."""
        rows = [line.split() for line in (await self._machine("etcd members", address, "etcd", "members")).splitlines()]
        return [EtcdMember(row[1], row[2], row[-1] == "false") for row in rows if row and row[-1] in {"true", "false"}]

    async def etcd_voters(self, *, address: str) -> frozenset[str]:
        """The hostnames of etcd's voting members."""
        return frozenset(member.name for member in await self.etcd_members(address=address) if member.votes)

    async def remove_etcd_member(self, member: EtcdMember, *, address: str) -> None:
        """Takes a member that cannot leave by itself out of etcd; `address` is a healthy one's."""
        await self._machine(f"remove {member.name} from etcd", address, "etcd", "remove-member", member.identity)

    async def leave_etcd(self, *, address: str) -> None:
        """The control plane there gives its seat in etcd back, and stops its etcd."""
        await self._machine("leave etcd", address, "etcd", "leave")

    async def write_kubeconfig(self, *, address: str) -> None:
        """The admin kubeconfig, in the produced folder."""
        client = ("--talosconfig", str(self._paths.talosconfig), "--endpoints", address, "--nodes", address)
        await self._produce(self._paths.kubeconfig, "kubeconfig", *client, "kubeconfig", "--force", "--merge=false")

    async def _produce(self, target: Path, operation: str, *arguments: str) -> None:
        """Lets talosctl write a file, named last, that is there whole or not at all: a run can be killed at any instant."""
        with self._scratch(target.name) as made:
            await self._run(operation, *arguments, str(made))
            try:
                made.chmod(0o600)
            except FileNotFoundError:
                raise NotYet(f"talosctl: {operation}: it ended well, and has written nothing") from None
            made.replace(target)

    async def _machine(self, operation: str, address: str, *arguments: str, both: bool = False) -> str:
        if not self._paths.talosconfig.exists():
            raise Broken("the castle has no talosconfig yet", system="talosctl", operation=operation)
        client = ("--talosconfig", str(self._paths.talosconfig), "--endpoints", address, "--nodes", address)
        return await self._run(operation, *client, *arguments, both=both)

    async def _with_file(self, configuration: MachineConfiguration, machine: str, arguments, operation: str) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001
        with self._scratch(f"{machine}.yaml") as file:
            _write_private(file, configuration.text)
            await self._run(operation, *arguments(str(file)))

    @contextmanager
    def _scratch(self, name: str) -> Iterator[Path]:
        """A place for a file that is of use to this run only, and is gone afterwards however that ends."""
        folder = self._paths.scratch
        if not self._is_swept:  # what a killed run left holds secrets
            sweep(folder)
            self._is_swept = True
        for made in (self._paths.produced, folder):  # mkdir gives its mode to the last folder only
            made.mkdir(parents=True, exist_ok=True, mode=0o700)
        file = folder / f"{self._run_id}-{name}"
        try:
            yield file
        finally:
            file.unlink(missing_ok=True)

    async def _run(self, operation: str, *arguments: str, both: bool = False) -> str:
        try:
            with asking("talosctl", operation):
                return await self._commands.run(("talosctl", *arguments), operation=operation, both=both)
        except ProgramFailed as error:
            if any(word in error.said for word in UNREACHABLE):
                failed = error.advised(ADVICE, "")
                text = f"talosctl: {operation}: {error.said.rpartition('desc = ')[2]}"
                raise NotYet(text, hint=failed.hint) from None
            raise error.advised(ADVICE, "`talosctl dmesg` of the machine, or its console, says more.") from None


async def _answers(address: str) -> bool:
    """Whether the port speaks TLS; which certificate it shows does not matter here."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_alpn_protocols(["h2"])
    try:
        async with asyncio.timeout(3):
            _, writer = await asyncio.open_connection(address, PORT, ssl=context)
    except ssl.SSLError:
        return True  # it asks for a client certificate: something is there
    except (OSError, TimeoutError):
        return False
    # Not close, which reads on: the alert that answers a handshake without a client certificate would stay among OpenSSL's
    # errors, which it keeps by thread, and be taken for the error of another connection, as was seen.
    writer.transport.abort()
    return True


def _write_private(file: Path, text: str) -> None:
    file.touch(mode=0o600)
    file.chmod(0o600)  # where it was there already
    file.write_text(text)
