"""Phases out of functions, for tests."""

from rebirth.run.phase import Phase, declared, declared_still


def as_phase(
    function, *, patience=2.0, on_demand=False, still=None, layer="platform", waits_for=(), found=None, **properties
) -> Phase:
    """A phase out of a function, as rebirth.run.phase.read makes one out of a module."""
    return Phase(
        **vars(declared(function)),
        title=function.__name__,
        layer=layer,
        patience=patience,
        on_demand=on_demand,
        waits_for=waits_for,
        still=declared_still(still) if still else None,
        found=declared(found) if found else None,
        **{"usually": 1.0, "online": 0, "hint": ""}
        | dict.fromkeys(("waits", "prepares", "looks", "verifies"), False)
        | properties,
    )
