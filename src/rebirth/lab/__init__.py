"""The lab: a world in a box in which a castle is rehearsed unmodified."""
