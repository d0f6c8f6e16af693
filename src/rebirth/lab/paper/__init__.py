"""What stands in, in the castle's cluster, for images that the lab does not have: a named stub in the place of each container."""
