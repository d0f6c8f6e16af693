"""Variables and resources of OpenTofu with bpg/proxmox, as public repositories write them."""

from init.grounds import said
from rebirth.init.readers.opentofu import read as opentofu

TOFU = {
    "tofu/variables.tf": """
        variable "bridge" {
          type    = string
          default = "vmbr7"
        }
        variable "proxmox" {
          type = object({ endpoint = string })
        }
        """,
    "tofu/main.tf": """
        resource "proxmox_virtual_environment_download_file" "talos" {
          content_type = "iso"
          datastore_id = "isos"
          node_name    = var.host
        }
        resource "proxmox_virtual_environment_vm" "node" {
          node_name = var.host
          disk {
            datastore_id = "fast"
          }
          network_device {
            bridge = var.bridge
          }
        }
        """,
    "tofu/terraform.tfvars": """
        # mine
        host = "pve3"
        proxmox = {
          endpoint  = "https://pve3.example:8006/"
          api_token = "root@pam!tofu=very-secret"
        }
        cluster_name  = "tofu-home"
        talos_version = "1.12.3"
        nodes = {
          "ctrl-0" = {
            host_node     = "pve3"
            machine_type  = "controlplane"
            ip            = "192.168.20.20/24"
            mac_address   = "BC:24:11:2E:C8:E5"
            vlan_id       = 20
            cpu           = 4
            ram_dedicated = 4096
          }
          "work-0" = {
            machine_type  = "worker"
            ip            = "192.168.20.30"
            cpu           = 8
            ram_dedicated = 16384
          }
        }
        """,
}


def test_opentofu(ground):
    for name, text in TOFU.items():
        ground.write(name, text)
    found = said(ground.read(opentofu))
    assert {path: value for path, (value, _) in found.items()} == {
        "proxmox.endpoint": "https://pve3.example:8006",
        "proxmox.node": "pve3",
        "proxmox.image_storage": "isos",
        "proxmox.disk_storage": "fast",
        "proxmox.bridge": "vmbr7",
        "name": "tofu-home",
        "talos.version": "v1.12.3",
        "machines.nodes.ctrl-0.role": "controlplane",
        "machines.nodes.ctrl-0.address": "192.168.20.20",
        "machines.nodes.ctrl-0.mac": "BC:24:11:2E:C8:E5",
        "machines.nodes.ctrl-0.node": "pve3",
        "machines.nodes.ctrl-0.vlan": 20,
        "machines.nodes.ctrl-0.cores": 4,
        "machines.nodes.ctrl-0.memory_mib": 4096,
        "machines.nodes.work-0.role": "worker",
        "machines.nodes.work-0.address": "192.168.20.30",
        "machines.nodes.work-0.cores": 8,
        "machines.nodes.work-0.memory_mib": 16384,
    }
    assert found["proxmox.endpoint"][1] == "tofu/terraform.tfvars:4"
    assert found["proxmox.image_storage"][1] == "tofu/main.tf:3"
    assert found["machines.nodes.work-0.cores"][1] == "tofu/terraform.tfvars:19"


def test_opentofu_that_is_none(ground):
    ground.write("main.tf", "resource {{{")
    assert said(ground.read(opentofu)) == {}
