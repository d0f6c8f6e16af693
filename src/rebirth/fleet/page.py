"""The fleet as pages: nothing is fetched from elsewhere, every text is escaped, what colour says is said by form, too."""

import re
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from html import escape
from pathlib import Path
from string import Template
from urllib.parse import quote, urlencode

from rebirth.castle import load
from rebirth.errors import Rebirth
from rebirth.fleet.account import Account
from rebirth.fleet.place import Worker
from rebirth.fleet.seen import Seen
from rebirth.paths import paths_of
from rebirth.phases import PHASES
from rebirth.report import page as report
from rebirth.report import timeline
from rebirth.report.gantt import gantt
from rebirth.report.history import history, section

_PAGE = Template(Path(__file__).with_name("page.html").read_text(encoding="utf-8"))
_SHOWN = 300  # jobs, the newest
_LINES = 40  # of what a command says
_LAYER_OF = {phase.name: phase.layer for phase in PHASES}


def page(title: str, main: str, nonce: str, *, nav: str = "") -> str:
    return _PAGE.substitute(title=escape(title), main=main, nonce=nonce, style=report.STYLE, nav=nav)


def jobs(workers: Sequence[Worker], seen: Sequence[Seen], wanted: Mapping[str, str], may_act: str) -> str:
    """Every job that the filter lets through. `may_act` is the token of forms that do something; "" where there are none."""
    shown = [one for one in reversed(seen) if _fits(one, wanted)]
    counts = Counter(one.state for one in seen)
    alive = [worker.name for worker in workers if worker.alive]
    said = f"{len(alive)} workers run: {', '.join(alive)}" if alive else "no worker runs"
    parts = [
        "<h1>Fleet</h1>",
        f'<p class="soft">{escape(said)}</p>',
        f'<ul class="figures">{"".join(_figure(state, number) for state, number in sorted(counts.items()))}</ul>',
        _filter(seen, wanted),
        f'<p class="soft">{len(shown)} of {len(seen)} jobs{", the newest" if len(shown) > _SHOWN else ""}</p>',
        _table(
            ("job", "castle", "state", "took", "", *(("",) if may_act else ())),
            (_job(one, may_act) for one in shown[:_SHOWN]),
        ),
    ]
    return "\n".join(parts)


def _fits(one: Seen, wanted: Mapping[str, str]) -> bool:
    fields = {"kind": one.job.kind, "state": one.state, "castle": one.job.castle}
    return all(fields[name] == value for name, value in wanted.items() if value and name in fields)


def _figure(state: str, number: int) -> str:
    kind = {"done": "good", "failed": "bad", "lost": "bad"}.get(state, "")
    return f'<li class="{kind}">{escape(state)} <b>{number}</b></li>'


def _filter(seen: Sequence[Seen], wanted: Mapping[str, str]) -> str:
    values = {
        "kind": {one.job.kind for one in seen},
        "state": {one.state for one in seen},
        "castle": {one.job.castle for one in seen},
    }
    fields = "".join(
        f'<label>{name}<select name="{name}"><option value="">all</option>{_options(found, wanted.get(name, ""))}</select></label>'
        for name, found in values.items()
    )
    return f'<form method="get" action="/">{fields}<button>Filter</button></form>'


def _options(values: Iterable[str], chosen: str) -> str:
    return "".join(
        f"<option{' selected' if value == chosen else ''}>{escape(value)}</option>" for value in sorted(values)
    )


def _job(one: Seen, may_act: str) -> Iterator[str]:
    job = one.job
    yield f'<a href="/job/{quote(job.id)}">{escape(job.id)}</a>'
    yield f'<a href="/castle?{urlencode({"of": job.key})}">{escape(job.castle)}</a>'
    yield f'<span class="state {escape(one.state)}">{escape(one.state)}</span>'
    yield took(one)
    yield escape(one.why or one.told)
    if may_act:
        yield _act(one, may_act)


def took(one: Seen) -> str:
    """Seconds of its last start; of one that runs, until now."""
    if one.began is None or one.state == "waiting":
        return ""
    return f"{(one.ended or time.time()) - one.began:.0f} s"


def _act(one: Seen, token: str) -> str:
    verb = {"waiting": "cancel", "running": "cancel", "cancelled": "resume", "lost": "resume"}.get(one.state)
    if not verb:
        return ""
    hidden = f'<input type="hidden" name="token" value="{escape(token, quote=True)}">'
    return f'<form method="post" action="/{verb}/{quote(one.job.id)}">{hidden}<button>{verb.title()}</button></form>'


def job(one: Seen, account: Account, may_act: str) -> str:
    """Its account, what its command says, and the timelines of the runs that it has made."""
    parts = [
        f"<h1>{escape(one.job.id)}</h1>",
        f'<p><span class="state {escape(one.state)}">{escape(one.state)}</span> {escape(one.why or one.told)}</p>',
        f'<p class="soft">{escape(one.job.directory)}{" in the lab" if one.job.lab else ""}</p>',
        _act(one, may_act) if may_act else "",
        "<h2>Account</h2>",
        _table(
            ("when", "what", "worker", "took"),
            (
                (
                    _when(entry.at),
                    escape(entry.outcome or entry.what),
                    escape(entry.worker),
                    f"{entry.seconds:.0f} s" if entry.seconds else "",
                )
                for entry in one.entries
            ),
        ),
        *_runs(one),
        "<h2>What it says</h2>",
        f"<pre>{escape(_tail(account.output))}</pre>",
    ]
    return "\n".join(parts)


def castle(key: str, seen: Sequence[Seen]) -> str:
    """Its history and trend, and its jobs."""
    own = [one for one in seen if one.job.key == key]
    found = ""
    if own and (logs := _logs(own[-1])):
        found = section(history(logs)) or '<p class="soft">No run of create is recorded yet.</p>'
    table = _table(("job", "castle", "state", "took", ""), (_job(one, "") for one in reversed(own)))
    return f"<h1>{escape(key)}</h1>\n{found}\n<h2>Jobs</h2>\n{table}"


def _logs(one: Seen) -> Path | None:
    """Where the castle's runs are recorded; None for what is no castle, or one that cannot be read from here."""
    if not one.job.is_castle:
        return None
    try:
        return paths_of(Path(one.job.directory), load(Path(one.job.directory)).secrets).logs
    except Rebirth:
        return None


def _runs(one: Seen) -> Iterator[str]:
    """The timelines of the runs that were begun while it was done: no other job is at the castle then."""
    began = [entry.at for entry in one.entries if entry.what == "started"]
    logs = _logs(one) if began else None
    if logs is None or one.job.kind == "check":
        return
    for folder in timeline.runs(logs)[-20:]:
        try:
            run = timeline.read(folder)
        except Rebirth:
            continue
        if run.started >= began[0] - 1 and (one.ended is None or run.started <= one.ended):
            yield f"<h2>{escape(run.command)} of {escape(folder.name)}: {escape(run.outcome if run.finished or one.ended else 'running')}</h2>"
            yield f'<div class="chart">{gantt(run, _LAYER_OF)}</div>'


def _tail(file: Path) -> str:
    try:
        with file.open("rb") as said:
            said.seek(max(0, file.stat().st_size - 20_000))
            lines = said.read().decode(errors="replace").splitlines()
    except OSError:
        return "nothing yet"
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", "\n".join(lines[-_LINES:])) or "nothing yet"


def _when(at: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(at))


def _table(heads: Sequence[str], rows: Iterable[Iterable[str]]) -> str:
    """Cells are markup already."""
    head = "".join(f"<th>{escape(name)}</th>" for name in heads)
    body = "\n".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    return f"<div class=scroll><table class=stacked>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody></table></div>"
