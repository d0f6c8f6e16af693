"""What was fetched of the world outside, by digest, in the cache. Nothing here uses the network."""
