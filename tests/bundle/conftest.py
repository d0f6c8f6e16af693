"""A castle with secrets, and a history in which they stand as if nothing had ever been redacted."""

from cli.desk import desk

__all__ = ["desk"]
