"""What container mode cannot show of an installation: the installer is pulled, the disk is written, and the machine boots again.

On metal Talos does this when it gets its first configuration (sequencer: Install): its API goes away meanwhile.
"""

import asyncio
import ssl
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import yaml

_AGAIN = 5.0  # seconds between two tries to pull
_KINDS = "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json"


@dataclass
class Installer:
    ca: Path  # the certificates that are trusted
    seconds: float  # that writing the disk takes
    stuck: AbstractSet[str] = field(default_factory=frozenset)  # machines whose disk is never done

    @staticmethod
    def installed(disk: Path) -> bool:
        return (disk / "installed").exists()

    async def install(self, machine: str, disk: Path) -> None:
        """Returns when the disk boots by itself; tries to pull the installer for as long as that takes."""
        image = _image(disk / "state/config.yaml")
        with (disk / "console.log").open("a") as console:
            while problem := await self._pull(image):
                console.write(f"lab: pulling {image}: {problem}\n")
                console.flush()
                await asyncio.sleep(_AGAIN)
            console.write(f"lab: {image} writes the disk\n")
            console.flush()
        if machine in self.stuck:
            await asyncio.Event().wait()
        await asyncio.sleep(self.seconds)
        (disk / "installed").write_text(image)

    async def _pull(self, image: str) -> str:
        """What is in the way; nothing where the registry has it."""
        host, _, rest = image.partition("/")
        name, _, tag = rest.rpartition(":")
        if "@" in name:
            name, tag = name.partition("@")[0].rpartition(":")[0] or name.partition("@")[0], f"sha256:{tag}"
        trust = ssl.create_default_context(cafile=str(self.ca))
        url = f"https://{host}/v2/{name}/manifests/{tag}"
        try:
            async with httpx.AsyncClient(verify=trust, timeout=10, trust_env=False) as client:
                answer = await client.get(url, headers={"accept": _KINDS})
                if answer.status_code == httpx.codes.UNAUTHORIZED:
                    token = await _token(client, answer.headers.get("www-authenticate", ""))
                    answer = await client.get(url, headers={"accept": _KINDS, "authorization": f"Bearer {token}"})
        except (httpx.HTTPError, OSError) as error:
            return f"{type(error).__name__}: {error}"
        return "" if answer.is_success else f"{url}: {answer.status_code}"


async def _token(client: httpx.AsyncClient, challenge: str) -> str:
    """An anonymous token, as the Docker registry's token specification has it."""
    words = dict(part.split("=", 1) for part in challenge.partition(" ")[2].split(",") if "=" in part)
    asked = {key: value.strip('"') for key, value in words.items()}
    answer = await client.get(asked.pop("realm", ""), params=asked)
    return str(answer.json().get("token", "")) if answer.is_success else ""


def _image(configuration: Path) -> str:
    for document in yaml.load_all(configuration.read_text(), Loader=yaml.CSafeLoader):
        if document and "machine" in document:
            return str((document["machine"].get("install") or {}).get("image", ""))
    return ""
