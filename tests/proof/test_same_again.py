"""What is told hangs on what is written alone, not on the hashes of texts, which differ from run to run."""

import os
import subprocess
import sys
from pathlib import Path

EXAMPLE = Path(__file__).parents[2] / "examples" / "castle"
ORDERS = """
from rebirth.proof.graph import Graph
from rebirth.proof.things import NOWHERE, Milestone, Need, Thing
graph = Graph()
things = [Thing("thing", "", str(number), Milestone.READY) for number in range(60)]
for start, made, user in zip(things[:20], things[20:40], things[40:], strict=True):
    graph.given(start, "")
    graph.makes(start, made, NOWHERE)
    graph.needs(user, made, Need.SECRET, NOWHERE)
print([thing.name for thing in graph.made], [thing.name for thing in graph.settle().order])
"""
FINDINGS = """
import asyncio, sys
from pathlib import Path
from rebirth.findings import data
from rebirth.findings.places import Places
from rebirth.findings.verdict import weigh
from rebirth.proof.prove import prove
places = Places(here=Path(sys.argv[1]))
print(data.render(weigh(asyncio.run(prove(Path(sys.argv[1]) / "gitops")), places), places))
"""


def told(program, *arguments):
    """What the program prints under several seeds, each once."""
    runs = [
        subprocess.run(
            [sys.executable, "-c", program, *arguments],
            env=os.environ | {"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        )
        for seed in ("1", "2", "3")
    ]
    return {run.stdout for run in runs}


def test_things_are_in_the_order_of_their_entry():
    assert len(told(ORDERS)) == 1


def test_the_same_bytes():
    assert len(told(FINDINGS, str(EXAMPLE))) == 1
