"""What is seen of a fetch on a terminal, and in a pipe."""

import io

import pytest
from rich.console import Console

from rebirth.errors import Broken
from rebirth.fetch.fetching import FAILED, FETCHED, LARGE, STORED, Outcome
from rebirth.fetch.progress import Lines, Terminal, size
from rebirth.fetch.things import Chart
from rebirth.secrets import Redaction, Secret

THING = Chart("https://charts.example.com", "web", "1.2.3")


@pytest.fixture
def screen():
    return Console(file=io.StringIO(), force_terminal=True, width=100, color_system=None)


def test_a_bar_while_it_is_fetched_and_a_line_in_the_end(screen):
    view = Terminal(Redaction(), screen)
    task = view.begin(THING)
    view.end(task, Outcome(THING, FETCHED, 4 << 20))
    view.say("charts.example.com: HTTP 429; waits 3 s")
    other = view.begin(THING)
    other.expect(4 << 20)
    other.count(1 << 20)
    view.close()  # draws once more what is under way
    shown = screen.file.getvalue()
    assert "1.0/4.0 MiB" in shown
    assert "✓ chart web 1.2.3 of https://charts.example.com (4.0 MiB)" in shown
    assert "· charts.example.com: HTTP 429; waits 3 s" in shown


def test_what_a_failure_says_holds_no_secret(screen, capsys):
    redaction = Redaction([Secret("c4nary-secret")])
    outcome = Outcome(THING, FAILED, error=Broken("of c4nary-secret\nand more"))
    view = Terminal(redaction, screen)
    view.end(view.begin(THING), outcome)
    view.close()
    lines = Lines(redaction)
    lines.end(lines.begin(THING), outcome)
    for shown in (screen.file.getvalue(), capsys.readouterr().out):
        assert "chart web 1.2.3 of https://charts.example.com: of [secret]" in shown


def test_lines(capsys):
    lines = Lines(Redaction())
    for state in (FETCHED, STORED, LARGE):
        lines.end(lines.begin(THING), Outcome(THING, state, 2048))
    lines.say("charts.example.com: HTTP 503")
    assert capsys.readouterr().out.splitlines() == [
        "fetched   chart web 1.2.3 of https://charts.example.com (2.0 KiB)",
        "too large chart web 1.2.3 of https://charts.example.com: left out, it has 2.0 KiB",
        "waiting   charts.example.com: HTTP 503",
    ]


@pytest.mark.parametrize(
    ("number", "words"), [(0, "0 B"), (1024, "1.0 KiB"), (1 << 20, "1.0 MiB"), (3 << 30, "3.0 GiB")]
)
def test_sizes(number, words):
    assert size(number) == words
