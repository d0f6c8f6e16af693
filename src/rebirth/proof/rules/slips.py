"""Names that differ by a slip of the finger."""

from itertools import takewhile

_SURE = 9  # letters of a name that is not like another by chance
_SHORTEST = 4  # letters; of shorter names most are near to one another


def is_slip(written: str, meant: str) -> bool:
    """Whether one letter is missing, too much, another one, or changed places with the next. Digits tell names apart on purpose."""
    shorter = min(len(written), len(meant))
    if shorter < _SHORTEST or written == meant or abs(len(written) - len(meant)) > 1:
        return False
    start = _alike(written, meant)
    end = min(_alike(written[::-1], meant[::-1]), shorter - start)
    one, other = written[start : len(written) - end], meant[start : len(meant) - end]
    if any(letter.isdigit() for letter in one + other):
        return False
    swapped = len(one) == len("xy") and one == other[::-1]
    return swapped or max(len(one), len(other)) == 1


def is_mistyped(written: str, meant: str) -> bool:
    """Whether it is such a slip for sure: in a long name, and not by another letter, for that may tell two things apart."""
    moved = len(written) != len(meant) or sorted(written) == sorted(meant)
    return moved and len(written) >= _SURE and is_slip(written, meant)


def _alike(one: str, other: str) -> int:
    """How many letters both begin with."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))
