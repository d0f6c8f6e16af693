"""What outlives a castle is kept: a graph of its own, beside the one that makes the castle."""
