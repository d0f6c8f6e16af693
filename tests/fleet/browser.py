"""A headless Chromium, told what to do through a pipe (the DevTools protocol): what a person sees, asked of the page itself."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

_FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", "--remote-debugging-pipe",
)  # fmt: skip


class Browser:
    """One page in a profile of its own."""

    def __init__(self, program: str, folder: Path) -> None:
        self._number, self._session = 0, ""
        here_out, there_in = os.pipe(), os.pipe()  # what it reads as 3, what it writes as 4
        argv = [program, *_FLAGS, f"--user-data-dir={folder}", "about:blank"]
        # bash, for dash knows no numbers above 9, gives both ends the numbers that Chromium wants them under.
        shell = ["bash", "-c", f'exec "$@" 3<&{here_out[0]} 4>&{there_in[1]}', "bash", *argv]
        self._process = subprocess.Popen(
            shell, pass_fds=(here_out[0], there_in[1]), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        os.close(here_out[0])
        os.close(there_in[1])
        self._write, self._read = here_out[1], os.fdopen(there_in[0], "rb")
        self.requested: list[str] = []
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Network"):
            self.ask(f"{domain}.enable")

    def ask(self, method: str, **parameters: Any) -> dict[str, Any]:
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        message |= {"sessionId": self._session} if self._session else {}
        os.write(self._write, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._next()
            if answer.get("id") == self._number:
                assert "error" not in answer, answer
                return answer["result"]

    def _next(self) -> dict[str, Any]:
        said = bytearray()
        while (byte := self._read.read(1)) != b"\0":
            assert byte, "the browser has ended"
            said += byte
        found = json.loads(said)
        if found.get("method") == "Network.requestWillBeSent":
            self.requested.append(found["params"]["request"]["url"])
        return found

    def open(self, url: str) -> None:
        """Returns when the page is loaded."""
        self.ask("Page.navigate", url=url)
        while self._next().get("method") != "Page.loadEventFired":
            pass

    def js(self, expression: str) -> Any:
        found = self.ask("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    def screen(self, width: int, *, dark: bool) -> None:
        self.ask("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=width < 500)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.ask("Emulation.setEmulatedMedia", features=[scheme])

    def picture(self) -> bytes:
        from base64 import b64decode

        return b64decode(self.ask("Page.captureScreenshot", format="png")["data"])

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._write)
        self._read.close()
