"""docs/changes.md: what became of every case. `python -m changing.page docs/changes.md [WORDS]` makes it anew."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from changing.bench import Living, living
from changing.cases import ALL, Case
from rebirth.run.change import How
from rebirth.run.foresee import LEFT

PAGE = Path(__file__).parents[2] / "docs" / "changes.md"
_HEAD = """\
# What becomes of a change

Made by `tests/changing`, out of what happened: the example castle, alive in a world of stand-ins, one change at a time. `plan` was asked, `create`
run, and then `status`; a test fails where `create` did something else than `plan` had said, or `status` says something else than there is.
Machines were not real ones here: `tests/lab/test_changes.py` shows some of it with the real Talos.

Exit codes of `create`: 0 all done; 4 done, but for what is left to you; 3 the proof stopped it before it did anything; 1 something failed.
"""
_TITLES = {
    "machines": "The configuration of machines",
    "sizes": "Machines themselves",
    "cluster": "What the bootstrap installs in the cluster",
    "secrets": "Secrets and Vault",
    "gitops": "Flux, and what comes after it",
}
_COLUMNS = "| change | `plan` says | `create` | `status` afterwards |\n|---|---|---|---|"
_VOLATILE = {"sh.helm.release"}


@dataclass(frozen=True)
class Row:
    case: Case
    said: frozenset[How]
    exit_code: int
    cells: tuple[str, str, str, str]
    kept_its_word: bool  # what is left afterwards is what plan said would be left
    status_is_true: bool
    shows: bool

    def __str__(self) -> str:
        return "| " + " | ".join(cell.replace("|", "\\|") for cell in self.cells) + " |"


def row(case: Case) -> Row:
    with living() as one:
        case.bend(one)
        one.edit(case.edit)
        errors = one.errors()
        before = one.plan()
        held = _held(one)
        planned = [f"{change.how}: {change}" for change in before.all()] + [
            f"cannot be told: {why}" for why in dict.fromkeys(before.unknown.values())
        ]
        hows = frozenset(change.how for change in before.all())
        if errors:
            said = (
                f"{_lines(planned)}<br>the proof finds {len(errors)} errors"
                if planned
                else f"the proof finds {len(errors)} errors"
            )
            return Row(case, hows, 3, (case.name, said, "exit 3, before anything is done", "-"), True, True, True)
        outcome = one.create()
        one.rest()
        code = 1 if not outcome.ok else LEFT if outcome.left else 0
        made = ", ".join(_made(one, held)) or "nothing"
        failed = "; ".join(str(error).splitlines()[0] for error in outcome.failures.values())
        left = {str(change) for changes in outcome.left.values() for change in changes}
        kept = not outcome.ok or left == {str(change) for change in before.undone if change.how is not How.UNKNOWN}
        status = one.status()
        others = [f"`{phase}` {verdict}" for phase, verdict in status.items() if verdict != "in place"]
        changed = {phase for phase, verdict in status.items() if verdict.startswith("changed")}
        cells = (
            case.name,
            _lines(planned) or "nothing",
            f"exit {code}: {made}" + (f"; {failed}" if failed else ""),
            _lines(others) or "in place",
        )
        return Row(case, hows, code, cells, kept, not outcome.ok or changed == set(outcome.left), case.shows(one))


def _lines(said: list[str]) -> str:
    return "<br>".join(said)


def _held(one: Living) -> dict[str, Any]:
    """What the world holds that a change could be about."""
    world = one.world
    assert world.cluster
    found: dict[str, Any] = {}
    for name, item in world.cluster.contents().items():
        if not any(word in str(name) for word in _VOLATILE):
            found[f"{item['kind']} {_place(item)}"] = [item.get(part) for part in ("spec", "data")]
    for machine in world.yard.machines.values():
        found[f"the configuration of {machine.name}"] = machine.text
        found[f"a boot of {machine.name}"] = machine.life
    for options in world.pve.machines.values():
        found[f"the size of {options['name']}"] = [options.get("cores"), options.get("memory")]
    for release in ("metallb", "external-secrets", "longhorn"):
        assert world.helm
        found[f"release {release}"] = [
            one["metadata"]["name"] for one in world.helm.records(_NAMESPACES[release], release)
        ]
    return found


_NAMESPACES = {"metallb": "metallb-system", "external-secrets": "external-secrets", "longhorn": "longhorn-system"}


def _place(item: dict[str, Any]) -> str:
    meta = item["metadata"]
    return f"{meta['namespace']}/{meta['name']}" if meta.get("namespace") else str(meta["name"])


def _made(one: Living, held: dict[str, Any]) -> Iterator[str]:
    now = _held(one)
    for name in sorted({*held, *now}):
        if held.get(name) != now.get(name):
            yield name if name in held else f"{name} (new)"


def page(lines: dict[str, str]) -> str:
    """Of the lines of all cases, by their names."""
    parts = [_HEAD]
    for group, cases in ALL.items():
        parts += [f"## {_TITLES[group]}\n", "\n".join([_COLUMNS, *(lines[case.name] for case in cases)]) + "\n"]
    return "\n".join(parts)


def told(file: Path) -> dict[str, str]:
    """The lines that a page has, by the names of their cases."""
    lines = file.read_text().splitlines() if file.exists() else []
    return {line.split(" | ")[0].removeprefix("| "): line for line in lines if line.startswith("| ")}


if __name__ == "__main__":
    page_of, words = (
        Path(sys.argv[1]),
        sys.argv[2:],
    )  # words: of the cases that are made anew; all, where there are none
    kept = told(page_of)
    for one in (one for cases in ALL.values() for one in cases):
        if not words or one.name not in kept or any(word in one.name for word in words):
            kept[one.name] = str(row(one))
    page_of.write_text(page(kept))
