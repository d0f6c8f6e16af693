"""Why something is not Ready: the root first."""
