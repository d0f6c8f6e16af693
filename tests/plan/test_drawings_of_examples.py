"""Every form of drawing, of every example: with its castle, and of its repository alone."""

import asyncio
import json
import re
from pathlib import Path

import pytest

from rebirth.castle import load
from rebirth.findings.places import Places
from rebirth.plan import drawing, schedule, times
from rebirth.proof.prove import prove

EXAMPLES = sorted(file.parent for file in (Path(__file__).parents[2] / "examples").glob("*/castle.yaml"))


@pytest.fixture(
    scope="module",
    params=[(e, whole) for e in EXAMPLES for whole in (True, False)],
    ids=lambda param: f"{param[0].name}-{'castle' if param[1] else 'repository'}",
)
def proof(request):
    directory, whole = request.param
    castle = {"castle": load(directory), "directory": directory} if whole else {}
    found = asyncio.run(prove(directory / "gitops", **castle))
    times.predict(found.graph, times.Measured(), schedule.labels(found.model, found.graph))
    return found


@pytest.fixture(params=["plan", "graph"])
def drawn(request, proof):
    """Names and arrows: of what is run, or of all things."""
    if request.param == "graph":
        return drawing.of_graph(proof.graph)
    return drawing.of_plan(schedule.plan(proof.model, proof.graph))


def test_every_arrow_ends_at_something_that_is_drawn(drawn):
    names, arrows = drawn
    assert arrows
    assert {end for arrow in arrows for end in (arrow.by, arrow.needs)} <= set(names)


def test_mermaid(drawn):
    lines = drawing.mermaid(*drawn).splitlines()
    boxes = {found[1] for line in lines if (found := re.match(r'  (n\d+)\["', line))}
    arrows = [found.groups() for line in lines if (found := re.match(r"  (n\d+) -\.?->(?:\|[^|]*\|)? (n\d+)$", line))]
    assert len(boxes) + len(arrows) + 1 == len(lines), "every line is a box or an arrow"
    assert {end for ends in arrows for end in ends} <= boxes


def test_dot(drawn):
    text = drawing.dot(*drawn)
    boxes = set(re.findall(r'^  ("(?:[^"\\]|\\.)*");$', text, re.MULTILINE))
    arrows = re.findall(r'^  ("(?:[^"\\]|\\.)*") -> ("(?:[^"\\]|\\.)*") \[', text, re.MULTILINE)
    assert len(arrows) == len(drawn[1])
    assert {end for ends in arrows for end in ends} <= boxes


def test_json(proof):
    found = json.loads(drawing.graph_json(proof.graph, Places()))
    things = [tuple(thing[key] for key in ("kind", "namespace", "name", "milestone")) for thing in found["things"]]
    assert len(set(things)) == len(things)
    plan = json.loads(drawing.plan_json(schedule.plan(proof.model, proof.graph), Places()))
    names = {node["name"] for node in plan["nodes"]}
    assert {other for node in plan["nodes"] for other in (*node["starts_after"], *node["ready_after"])} <= names
