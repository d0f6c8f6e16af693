"""Run inside a lab: `python power.py CASTLE start|stop|shutdown|delete NAME`, through the Proxmox API as proxmoxer speaks it."""

import os
import sys
import time
from pathlib import Path

from proxmoxer import ProxmoxAPI

from rebirth.castle import host_of, load, port_of


def main(folder: Path, action: str, name: str) -> None:
    spec = load(folder).proxmox
    token = Path(os.environ["REBIRTH_VAULT_DIRECTORY"], spec.token.secret).read_text().strip()
    identity, value = token.split("=")
    user, token_name = identity.split("!")
    pve = ProxmoxAPI(
        host_of(spec.endpoint), port=port_of(spec.endpoint), user=user, token_name=token_name, token_value=value,
        verify_ssl=os.environ["SSL_CERT_FILE"], timeout=90,
    )  # fmt: skip
    (vm,) = [vm for vm in pve.cluster.resources.get(type="vm") if vm["name"] == name]
    node = pve.nodes(vm["node"])
    machine = node.qemu(vm["vmid"])
    task = machine.delete(purge=1) if action == "delete" else getattr(machine.status, action).post()
    while (state := node.tasks(task).status.get())["status"] == "running":
        time.sleep(0.1)
    assert state["exitstatus"] == "OK", state


main(Path(sys.argv[1]), *sys.argv[2:])
