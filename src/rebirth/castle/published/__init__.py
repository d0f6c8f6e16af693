"""castle.yaml for readers: its JSON Schema, and the reference."""
