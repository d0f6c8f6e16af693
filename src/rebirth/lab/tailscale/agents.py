"""Devices of the tailnet that the lab brings itself: each a real tailscaled."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rebirth.errors import Broken

_PATIENCE = 60.0  # seconds until a device is on the tailnet


@dataclass(frozen=True)
class Agent:
    """One device. With `namespace` (a file) it gives that network namespace an interface; without, it has none: whoever
    connects to one of its ports is handed to the same port of 127.0.0.1, where it runs.
    """

    hostname: str
    folder: Path  # its state, and a key for a moment
    programs: Mapping[str, str]
    namespace: Path | None = None

    @property
    def _socket(self) -> Path:
        return Path("/run") / f"tailscaled-{self.hostname}.sock"  # in the world's own /run: its path has to be short

    @property
    def daemon(self) -> Sequence[str]:
        """What runs for as long as the device lives."""
        inside = ("nsenter", f"--net={self.namespace}") if self.namespace else ()
        tun = "tailscale0" if self.namespace else "userspace-networking"
        options = (f"--tun={tun}", f"--statedir={self.folder}", f"--socket={self._socket}", "--port=0")
        return (*inside, self.programs["tailscaled"], *options, "--no-logs-no-support")

    async def join(self, key: str) -> None:
        """Returns when the device is on the tailnet. Raises Broken."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        file = self.folder / "key"
        file.touch(mode=0o600)
        file.write_text(key)
        try:
            async with asyncio.timeout(_PATIENCE):
                while not self._socket.exists():  # noqa: ASYNC110 - made by another program
                    await asyncio.sleep(0.02)
                await self._tailscale(
                    "up", f"--auth-key=file:{file}", f"--hostname={self.hostname}", "--accept-dns=false"
                )
        except TimeoutError:
            raise Broken(
                f"is not on the tailnet after {_PATIENCE:.0f} s", system=self.hostname, operation="tailscale up"
            ) from None
        finally:
            file.unlink()

    async def meet(self, peer: str) -> None:
        """Returns when a packet has gone to that device and back. Raises Broken.

        The first one between two devices waits for both to hear of each other, for seconds; those of an operator have met long ago.
        """
        await self._tailscale("ping", "--tsmp", "--c=30", "--timeout=1s", "--until-direct=false", peer)

    async def _tailscale(self, *arguments: str) -> None:
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(
            self.programs["tailscale"],
            f"--socket={self._socket}",
            *arguments,
            stdout=pipe,
            stderr=asyncio.subprocess.STDOUT,
        )
        said, _ = await process.communicate()
        if process.returncode:
            words = said.decode(errors="replace").strip().splitlines()[-1:]
            raise Broken(" ".join(words), system=self.hostname, operation=f"tailscale {arguments[0]}")
