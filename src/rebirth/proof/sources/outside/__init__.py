"""What stands beyond the cluster's objects: names, secrets, registries, certificates."""
