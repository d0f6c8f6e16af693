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


def test_nodes_of_flux_have_rows_of_their_own(record, course):
    since = course[0].at
    ready = [
        e.Noted("converge", "Kustomization flux-system/apps is Ready", at=since + 5),
        e.Noted("converge", "HelmRelease <b>/a-name-that-is-much-longer-than-its-column is Ready", at=since + 6),
    ]
    page = parsed(render(read(record("one", [*course[:-1], *ready, course[-1]])), LAYERS))
    words = " ".join(page.words)
    assert "Kustomization flux-system/apps: Ready after 5.0 s" in words
    assert "a-name-that-is-much-longe…" in words
    (box,) = [attrs["viewbox"] for tag, attrs in page.seen if tag == "svg"]
    width, height = (float(number) for number in box.split()[2:])
    dots = [attrs for tag, attrs in page.seen if tag == "circle"]
    assert len(dots) == 2
    assert all(0 < float(dot["cx"]) < width and 0 < float(dot["cy"]) < height for dot in dots)


def test_what_failed_is_marked_by_more_than_colour(record, course):
    failed = [*course[:-3], e.PhaseFailed("converge", "x", "Do y.", at=course[0].at + 6)]
    failed += [e.PhaseSkipped("later", "converge"), e.RunFinished(ok=False, at=course[0].at + 6)]
    page = parsed(render(read(record("one", failed)), LAYERS))
    words = " ".join(page.words)
    assert "✗ converge" in words
    assert "Do y." in words
    assert "1 later step did not run" in words
    assert [tag for tag, attrs in page.seen if attrs.get("class") == "hatched"] == ["rect"]


def test_every_table_scrolls_by_itself(record, course):
    page = parsed(render(read(record("one", course)), LAYERS))
    tags = [(tag, attrs.get("class")) for tag, attrs in page.seen]
    tables = [at for at, (tag, _) in enumerate(tags) if tag == "table"]
    assert tables
    assert all(tags[at - 1] == ("div", "scroll") for at in tables)


def test_the_path_to_online_begins_where_it_leaves_the_other(record, course):
    page = render(read(record("one", course)), LAYERS)
    own = page[page.index("The critical path to online") :]
    assert "As above until <b>boot</b>, then:" in own
    assert "<td>visit_sites</td>" in own
    assert "<td>resolve</td>" not in own


def test_the_run_before_is_named(record, course, later):
    page = render(read(record("b", later(course, 60))), LAYERS, read(record("a", course)))
    assert "compared with the run of" in page
    assert "(before: 9.0 s)" in page


@pytest.mark.parametrize(
    ("events", "words"),
    [
        ([e.PhaseHolds("resolve")], "No step had to run."),
        ([], "No step had to run."),
        ([e.PhaseReady("resolve"), e.PhaseStarted("resolve")], "interrupted after"),
        ([e.PhaseReady("resolve"), e.PhaseFailed("resolve", "the token was rejected")], "the token was rejected"),
    ],
)
def test_runs_of_every_kind_make_a_page(record, events, words):
    page = parsed(render(read(record("one", [e.RunStarted("tower", "create", ()), *events])), LAYERS))
    assert words in " ".join(page.words)
