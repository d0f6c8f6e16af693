"""Kinds that the API server does not know: misspelt, of another group, or of a version that is no longer served."""

from collections.abc import Iterator

from rebirth.proof.schemas import bundle
from rebirth.proof.schemas.shape import Mistake, near

# Every version of Kubernetes that anybody supports is newer: what was gone by then is gone everywhere.
_EVERYWHERE = "1.25"


def unknown_kind(group: str, version: str, kind: str, kubernetes: str = "") -> Iterator[Mistake]:
    """What is wrong with a kind of a group that is known; nothing where it may come with a CRD.

    `kubernetes`: the version that the cluster has; "" where nothing says so.
    """
    known = bundle.group(group)
    if known is None or kind.endswith("List"):
        return
    written = f"{group}/{version}" if group else version
    if not known.is_native:
        if kind not in known.kinds and (meant := near(kind, known.kinds)):
            # A word more may be a kind of a later version; a letter more is a slip.
            slip = abs(len(kind) - len(meant)) <= 1
            yield Mistake("unknown-kind", ("kind",), f"{written} has no kind {kind}; did you mean {meant}?", sure=slip)
        return
    if version in known.versions(kind):
        return
    if since := bundle.gone(group, version):
        now = next(iter(bundle.homes(kind)), "")
        hint = f"; write {now}" if now else ""
        words = f"Kubernetes serves no {kind} of {written} since {since}{hint}"
        yield Mistake(
            "unknown-kind", ("apiVersion",), words, sure=_numbers(since) <= _numbers(kubernetes or _EVERYWHERE)
        )
    elif kind in known.kinds:
        words = f"Kubernetes {bundle.kubernetes()} has no {kind} of {written}; write {bundle.homes(kind)[0]}"
        yield Mistake("unknown-kind", ("apiVersion",), words, sure=_is_known(kubernetes))
    elif homes := bundle.homes(kind):
        words = f"{written} has no kind {kind}; it belongs to {homes[0]}"
        yield Mistake("unknown-kind", ("apiVersion",), words)
    else:
        meant = near(kind, known.kinds)
        hint = f"; did you mean {meant}?" if meant else ""
        words = f"{written} has no kind {kind}{hint}"
        yield Mistake("unknown-kind", ("kind",), words, sure=bool(meant) or _is_known(kubernetes))


def is_newer(version: str, kubernetes: str) -> bool:
    """Whether that version is newer than the cluster's; not where that is not known."""
    return bool(kubernetes) and _numbers(version) > _numbers(kubernetes)


def _is_known(kubernetes: str) -> bool:
    """Whether that is the version whose kinds are here, or an older one."""
    return bool(kubernetes) and _numbers(kubernetes) <= _numbers(bundle.kubernetes())


def _numbers(version: str) -> tuple[int, ...]:
    """Major and minor."""
    return tuple(int(part) for part in version.lstrip("v").split(".")[:2] if part.isdigit())
