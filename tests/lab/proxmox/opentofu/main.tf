# Two machines for Talos, as users of the bpg provider write them.
terraform {
  required_providers {
    proxmox = {
      source = "bpg/proxmox"
    }
  }
}

variable "endpoint" {
  type = string
}

variable "image" {
  type = string
}

variable "memory" {
  type = number
}

variable "cores" {
  type = number
}

variable "tags" {
  type = list(string)
}

variable "machines" {
  type = map(object({ vm_id = number, address = string, mac = optional(string) }))
}

provider "proxmox" {
  endpoint = var.endpoint # the token comes from the environment
}

resource "proxmox_virtual_environment_download_file" "talos" {
  content_type = "iso"
  datastore_id = "local"
  node_name    = "pve"
  url          = var.image
  file_name    = "talos-nocloud-amd64.iso"
}

resource "proxmox_virtual_environment_vm" "talos" {
  for_each        = var.machines
  name            = each.key
  description     = "Talos"
  tags            = var.tags
  node_name       = "pve"
  vm_id           = each.value.vm_id
  machine         = "q35"
  scsi_hardware   = "virtio-scsi-single"
  boot_order      = ["scsi0", "ide3"]
  stop_on_destroy = true
  on_boot         = true

  agent {
    enabled = false # Talos has it as an extension
  }

  cpu {
    cores = var.cores
    type  = "host"
  }

  memory {
    dedicated = var.memory
  }

  disk {
    datastore_id = "local-lvm"
    interface    = "scsi0"
    iothread     = true
    discard      = "on"
    ssd          = true
    size         = 20
  }

  cdrom {
    file_id   = proxmox_virtual_environment_download_file.talos.id
    interface = "ide3"
  }

  network_device {
    bridge      = "vmbr0"
    mac_address = each.value.mac
  }

  operating_system {
    type = "l26"
  }

  initialization {
    datastore_id = "local-lvm"
    interface    = "ide2"

    dns {
      servers = ["192.0.2.53"]
    }

    ip_config {
      ipv4 {
        address = each.value.address
        gateway = "192.0.2.1"
      }
    }
  }
}

output "addresses" {
  value = { for name, machine in proxmox_virtual_environment_vm.talos : name => machine.mac_addresses }
}
