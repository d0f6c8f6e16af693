"""`fetch --from`: what somebody brings along, on a disk or in an archive, instead of the network."""
