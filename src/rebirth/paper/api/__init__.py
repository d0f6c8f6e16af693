"""The Kubernetes API, as what stands in for others beside it sees and asks it."""
