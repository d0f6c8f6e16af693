"""What the tests of `init` share."""

from cli.desk import desk
from init.grounds import ground

__all__ = ["desk", "ground"]
