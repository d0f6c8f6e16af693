"""What can start when, and why it does not start earlier. Pure functions over the graph; nothing is touched."""
