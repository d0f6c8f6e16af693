"""What starts when, and what `create` would do to a castle that lives."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

from rebirth.checking import Asked, Proved, of_one_cluster, proved
from rebirth.errors import SpecError
from rebirth.findings.verdict import weigh
from rebirth.paths import paths_of
from rebirth.phases import BOOTSTRAP
from rebirth.plan import changes, drawing, schedule, text, times
from rebirth.proof.rules import Severity
from rebirth.run.create import foreseen
from rebirth.secrets import Redaction
from rebirth.terminal.output import width, write


def plan(asked: Asked, *, style: str, graph: str, whole: bool) -> int:
    """On standard output; `graph` is a form of drawing instead, of all things if `whole`. Returns the exit code."""
    if style not in {"text", "json"}:
        raise SpecError(f"--format: {style} is neither text nor json")
    if graph not in {"", "json", *drawing.FORMS}:
        raise SpecError(f"--graph: {graph} is none of {', '.join((*drawing.FORMS, 'json'))}")

    async def run() -> int:
        async with proved(asked) as done:
            proof, places = of_one_cluster(done.proof), done.places
            if whole and graph:
                shown = drawing.of_graph(proof.graph)
                write(drawing.FORMS[graph](*shown) if graph != "json" else drawing.graph_json(proof.graph, places))
                return 0
            logs = paths_of(done.directory, done.castle.secrets).logs if done.castle and done.directory else None
            earlier = times.measured(logs) if logs else times.Measured()
            times.predict(proof.graph, earlier, schedule.labels(proof.model, proof.graph))
            found = schedule.plan(proof.model, proof.graph)
            if graph in drawing.FORMS:
                write(drawing.FORMS[graph](*drawing.of_plan(found)))
                return 0
            ahead = _Ahead() if graph else await _of_living(done)
            if graph or style == "json":
                write(drawing.plan_json(found, places, ahead.data))
            else:
                cards = done.castle.machines.reservations(done.castle.name) if done.castle else None
                write(text.render(found, places, width=width(), measured=earlier.run, cards=cards))
                write(ahead.words)
            return ahead.exit_code

    return asyncio.run(run())


@dataclass(frozen=True)
class _Ahead:
    """What is ahead of a castle that lives; nothing where it does not, or where there is a repository alone."""

    words: str = ""
    data: Mapping[str, object] = field(default_factory=dict)
    exit_code: int = 0


async def _of_living(done: Proved) -> _Ahead:
    if (castle := done.castle) is None or (directory := done.directory) is None:
        return _Ahead()
    redaction = Redaction()
    outlook = await foreseen(BOOTSTRAP, castle, paths_of(directory, castle.secrets), redaction)
    if outlook is None:
        return _Ahead()
    words = changes.render(outlook, directory, castle=castle.name, width=width())
    errors = weigh(done.proof, done.places).count(Severity.ERROR)
    if errors:
        found = f"{errors} error{'s' * (errors != 1)}"
        words += (
            f"but the proof finds {found}, and `rebirth create` stops before it does anything: see `rebirth check`\n"
        )
    data = {**changes.data(outlook, directory), "stopped_by_errors": errors}
    return _Ahead("\n" + redaction.redact(words), data, 3 if errors else outlook.exit_code)
