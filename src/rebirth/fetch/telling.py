"""What a fetch says at its end, for people and for programs."""

import json
from collections import Counter
from collections.abc import Iterator

from rebirth.fetch.fetching import FAILED, FETCHED, LARGE, STORED, Outcome
from rebirth.fetch.progress import size
from rebirth.fetch.run import Answer
from rebirth.fetch.things import Artifact, Chart, File, Git, Image
from rebirth.secrets import Redaction

_KINDS = {Chart: "chart", Artifact: "artifact", Git: "Git repository", File: "file", Image: "image"}


def told(answer: Answer, redaction: Redaction) -> str:
    return redaction.redact("".join(f"{line}\n" for line in _lines(answer)))


def _lines(answer: Answer) -> Iterator[str]:
    if failed := answer.of(FAILED):
        yield "could not be had:"
        for outcome in failed:
            yield f"  {outcome.thing.label}"
            if where := answer.where.get(outcome.thing):
                yield f"    wanted by {where}"
            yield f"    {outcome.error}"
            if outcome.error and outcome.error.hint:
                yield f"    hint: {outcome.error.hint}"
        yield ""
    fetched, stored = answer.of(FETCHED), answer.of(STORED)
    came = sum(outcome.size for outcome in fetched)
    much = f" ({size(came)})" if came else ""
    parts = [f"fetched {_counted(fetched)}{much} in {answer.seconds:.1f} s"] if fetched else []
    parts += [f"{_counted(stored)} {'was' if len(stored) == 1 else 'were'} there already"] if stored else []
    parts += [f"{len(failed)} could not be had"] if failed else []
    yield "; ".join(parts) or "nothing to fetch: the tree uses nothing from elsewhere"
    if large := answer.of(LARGE):
        yield f"left out: {_counted(large)} of {size(sum(one.size for one in large))} (`--images all` fetches them)"
    if answer.left_out:
        count = len(answer.left_out)
        yield f"not fetched: {count} image{'s' * (count != 1)} (`--images small` or `all` fetches them)"
    if answer.unrendered:
        yield (
            f"of {answer.unrendered} release{'s' * (answer.unrendered != 1)} the images are not known: "
            "the chart is not there, or cannot be rendered here (`rebirth check` says why)"
        )


def _counted(outcomes: list[Outcome]) -> str:
    """Such as 3 charts, 1 artifact."""
    kinds = Counter(_KINDS[type(outcome.thing)] for outcome in outcomes)
    words = [
        f"{count} {'Git repositories' if kind == 'Git repository' else kind + 's'}" if count != 1 else f"1 {kind}"
        for kind, count in kinds.items()
    ]
    return ", ".join(words)


def as_json(answer: Answer, redaction: Redaction) -> str:
    """One object of `version` 1."""
    things = [
        {
            "kind": _KINDS[type(outcome.thing)],
            "name": outcome.thing.label.removeprefix(f"{_KINDS[type(outcome.thing)]} "),
            "state": outcome.state,
            "bytes": outcome.size,
            "where": answer.where.get(outcome.thing, ""),
            "error": redaction.redact(str(outcome.error)) if outcome.error else None,
        }
        for outcome in answer.outcomes
    ]
    said = {
        "version": 1,
        "ok": answer.ok,
        "folder": str(answer.folder),
        "seconds": round(answer.seconds, 1),
        "things": things,
        "images_left_out": [str(image.name) for image in answer.left_out],
        "releases_unrendered": answer.unrendered,
    }
    return json.dumps(said, indent=2) + "\n"
