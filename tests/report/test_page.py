"""The page: whole by itself, well-formed, every text escaped, every second on it."""

from html.parser import HTMLParser

import pytest

from rebirth import events as e
from rebirth.report.page import render
from rebirth.report.timeline import read

LAYERS = {"resolve": "secrets", "boot": "platform"}
VOID = {"meta", "link", "br", "img"}


class Reader(HTMLParser):
    """Elements, their text, and whether each is closed in its turn."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, dict]] = []
        self.words: list[str] = []

    def handle_starttag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)


def parsed(page: str) -> Reader:
    reader = Reader()
    reader.feed(page)
    reader.close()
    assert reader.open == []
    return reader


def test_every_phase_has_its_bar_and_the_sum_is_whole(record, course):
    page = parsed(render(read(record("one", course)), LAYERS))
    words = " ".join(page.words)
    for phase in ("resolve", "boot", "fetch", "visit_sites", "converge"):
        assert phase in words
    assert "in all 10.00 s" in words
    assert "in all 9.00 s" in words  # the path to online
    bars = [attrs for tag, attrs in page.seen if tag == "rect" and attrs.get("class") in {"plain", "critical"}]
    assert len(bars) == 5
    assert [attrs["class"] for attrs in bars] == ["critical", "plain", "critical", "plain", "critical"]


def test_nothing_is_fetched_and_nothing_runs(record, course):
    page = parsed(render(read(record("one", course)), LAYERS))
    assert not {tag for tag, _ in page.seen} & {"script", "link", "img", "iframe", "object", "base"}
    assert not [attrs for _, attrs in page.seen if {"src", "href", "onload"} & set(attrs)]


def test_texts_are_escaped(record, course):
    markup = '<script>alert(1) & "q" $name ${x}'
    hostile = [
        e.RunStarted(markup, "create", (), at=course[0].at),
        e.PhaseReady(markup, at=course[0].at),
        e.PhaseFailed(markup, markup, at=course[0].at + 1),
        e.PhaseSkipped("next", markup, at=course[0].at + 1),
    ]
    page = render(read(record("one", hostile)), {markup: markup})
    assert "<script" not in page
    words = " ".join(parsed(page).words)
    assert markup in words


def test_bars_stay_inside_the_chart(record, course, later):
    slow = [*course[:-1], e.RunFinished(ok=True, at=course[0].at + 9.6)]
    earlier = [
        *course[:-2],
        e.PhaseDone("converge", at=course[0].at + 25),
        e.RunFinished(ok=True, at=course[0].at + 25),
    ]
    page = parsed(render(read(record("b", later(slow, 60))), LAYERS, read(record("a", earlier))))
    (box,) = [attrs["viewbox"] for tag, attrs in page.seen if tag == "svg"]
    width, height = (float(number) for number in box.split()[2:])
    bars = [attrs for tag, attrs in page.seen if tag == "rect"]
    assert any(bar["class"] == "before" for bar in bars)
    for bar in bars:
        assert 0 <= float(bar["x"]) <= float(bar["x"]) + float(bar["width"]) <= width
        assert 0 <= float(bar["y"]) <= float(bar["y"]) + float(bar["height"]) <= height


def test_the_run_before_is_named(record, course, later):
    page = render(read(record("b", later(course, 60))), LAYERS, read(record("a", course)))
    assert "compared with the run of" in page
    assert "(before: 9.0 s)" in page


@pytest.mark.parametrize(
    ("events", "words"),
    [
        ([e.PhaseHolds("resolve")], "No phase had to run."),
        ([], "No phase had to run."),
        ([e.PhaseReady("resolve"), e.PhaseStarted("resolve")], "interrupted after"),
        ([e.PhaseReady("resolve"), e.PhaseFailed("resolve", "the token was refused")], "the token was refused"),
    ],
)
def test_runs_of_every_kind_make_a_page(record, events, words):
    page = parsed(render(read(record("one", [e.RunStarted("tower", "create", ()), *events])), LAYERS))
    assert words in " ".join(page.words)
