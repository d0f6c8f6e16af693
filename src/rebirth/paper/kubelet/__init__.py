"""The nodes, the scheduler and the kubelets on paper."""
