"""Schemas of kinds, as the API server has them: of Kubernetes itself, and of what most clusters install."""
