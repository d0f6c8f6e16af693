"""Brings into the store what a tree uses of the world outside: the only commands that use the network for it."""
