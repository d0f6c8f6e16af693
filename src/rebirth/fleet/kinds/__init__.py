"""The kinds of jobs, one file each: a command of the product, and what its answer means. Adding one touches this list and its file."""

from rebirth.errors import SpecError
from rebirth.fleet.kinds import check, create, destroy, drill, rehearse, simulate, verify
from rebirth.fleet.kinds.kind import Kind

__all__ = ["KINDS", "Kind", "kind"]

KINDS = {
    one.name: one
    for one in (check.KIND, rehearse.KIND, create.KIND, verify.KIND, drill.KIND, destroy.KIND, simulate.KIND)
}


def kind(name: str) -> Kind:
    """Raises SpecError where there is none of that name."""
    try:
        return KINDS[name]
    except KeyError:
        raise SpecError(f"no such kind of job: {name}", hint=f"There are {', '.join(KINDS)}.") from None
