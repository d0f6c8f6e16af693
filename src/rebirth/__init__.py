"""From nothing to online: the bootstrap of a disposable Kubernetes cluster as a graph."""
