"""talosctl and machines whose state is in files that a test reads and writes: a stand-in.

In `world`: a file an address (`maintenance`, `configured`, or `deaf`: configured, and nobody signs its certificate), its network card in
`card-ADDRESS`, its configuration in `given-ADDRESS`; `lose`: the answer to the next write is lost; `refuse`: a configuration is refused;
`becomes-ADDRESS`: the state after a configuration; `calls`: what was asked, a line each.
"""

from dataclasses import dataclass
from pathlib import Path

from standins import talos_configuration as configuration
from standins.programs import Call, Exit

_VERBS = ("gen", "config", "validate", "apply-config", "version", "get", "read")


@dataclass
class PaperMachines:
    world: Path

    async def __call__(self, call: Call) -> str:
        verb = next(word for word in call.argv[1:] if word in _VERBS)
        node = call.option("--nodes")
        shown = f"{verb} --dry-run {node}" if "--dry-run" in call.argv else f"{verb} {node}"
        with (self.world / "calls").open("a") as calls:
            calls.write(f"{shown}\n")
        if verb == "gen":
            return self._generate(call)
        if verb in {"config", "validate"}:
            return ""
        state = self._text(node)
        if "--insecure" in call.argv:
            if state != "maintenance":
                raise _said("Unavailable", "tls: certificate required")
            return self._text(f"card-{node}") if verb == "get" else self._apply(call, node)
        if state != "configured":
            raise _said("Unavailable", "connection refused")
        if verb == "version":
            return "Client:\n\tTag: v1.12.0\nServer:\n\tTag: v1.12.0\n"
        if verb == "read":
            return self._text(f"boot-{node}") or "0"
        given = self._text(f"given-{node}")
        return configuration.shown(given) if verb == "get" else self._change(call, node, given)

    def _generate(self, call: Call) -> str:
        if "secrets" in call.argv:
            Path(call.argv[-1]).write_text("cluster: {id: paper}\n")
            return ""
        return (
            "context: stand-in\n" if call.option("--output-types") == "talosconfig" else configuration.generated(call)
        )

    def _apply(self, call: Call, node: str) -> str:
        self._refuse()
        (self.world / f"given-{node}").write_text(Path(call.option("--file")).read_text())
        (self.world / node).write_text(self._text(f"becomes-{node}") or "configured")
        return self._wrote()

    def _change(self, call: Call, node: str, given: str) -> str:
        self._refuse()
        text = Path(call.option("--file")).read_text()
        if "--dry-run" in call.argv:
            return configuration.rehearsed(given, text)
        if "reboot" in call.argv or configuration.with_reboot(given, text):
            (self.world / f"boot-{node}").write_text(self._text(f"boot-{node}") + "1")
        (self.world / f"given-{node}").write_text(text)
        return self._wrote()

    def _refuse(self) -> None:
        if (self.world / "refuse").exists():
            raise _said("InvalidArgument", "unknown keys found")

    def _wrote(self) -> str:
        if (self.world / "lose").exists():
            (self.world / "lose").unlink()
            raise _said("Unavailable", "EOF")
        return ""

    def _text(self, name: str) -> str:
        file = self.world / name
        return file.read_text() if file.exists() else ""


def _said(code: str, why: str) -> Exit:
    return Exit(1, f"error: rpc error: code = {code} desc = {why}")
