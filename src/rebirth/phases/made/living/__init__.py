"""A castle that lives: what differs from castle.yaml, and how its machines are changed one after the other."""
