"""The Talos API on the wire: its messages."""
