"""A Flux repository converges against a real Kubernetes API and the real Flux controllers, as plain processes of an ordinary user.

Nothing runs in containers: what would is on paper (`rebirth.paper`).
"""
