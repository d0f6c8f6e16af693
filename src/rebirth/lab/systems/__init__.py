"""The systems outside a cluster that the lab serves under their real names; Proxmox and the tailnet have folders of their own."""
