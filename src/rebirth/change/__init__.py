"""What a change of a tree changes in its proof: against a revision of Git, or from one moment to the next."""
