"""`python -m killing`: twenty kills over the whole run of `rebirth create --lab`, each followed by another create.

Several share one castle's life: killed, begun again, killed further on, until it is online; then destroyed.
"""

import argparse
import json
import math
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from killing import held
from killing.ended import Ended, Runs, is_handing_over
from killing.points import WAYS, Point, drawn
from rehearsal import Castle, rehearsed

_SETTLES = 10.0  # seconds in which controllers come to rest


class Killing:
    """`ends`: the moment after which nothing more is killed, and no life begun."""

    def __init__(self, castle: Castle, scratch: Path, ends: float) -> None:
        self.castle, self.runs, self.ends = castle, Runs(castle, scratch), ends
        self.complaints: list[str] = []
        self.table: list[Ended] = []
        self._versions: dict[str, int] = {}

    def begin(self) -> None:
        self.castle.rebirth("lab", "up", str(self.castle.folder), "--lab-name", self.castle.lab.name)
        self._versions = held.versions(self._look())

    def undisturbed(self) -> tuple[list[float], float, float, held.Held]:
        """Moments of its journal, its end, the moment of the hand-over, and what it leaves."""
        since, before = time.time(), set(self.runs.logs())
        ended = self.runs.create()
        if ended.code:
            raise SystemExit(f"the undisturbed run exited with {ended.code}: {ended.said[-600:]}")
        over = time.time() - since
        handed = next(event["at"] for event in self.runs.events(before) if is_handing_over(event)) - since
        moments = [at - since for at in self.runs.journal]
        time.sleep(_SETTLES)
        found = self._look()
        self._complain("undisturbed", held.wrong(found, found, self._versions))
        self._destroy("undisturbed")
        return moments, over, handed, found

    def life(self, number: int, points: list[Point], expected: held.Held) -> list[Point]:
        """The points that it did not come to: what went on in the cluster while it was killed was faster than undisturbed."""
        name, left = f"life {number}", list(points)
        while left and time.monotonic() < self.ends:
            ended = self.runs.create(left[0])
            self._judged(f"{name}, {left[0]}", ended)
            if not ended.killed:
                break
            left.pop(0)
            self._say(number, ended)
        else:
            self._judged(f"{name}, last run", self.runs.create())
        time.sleep(_SETTLES)
        self._complain(name, held.wrong(self._look(), expected, self._versions))
        again = self.runs.create()
        self._judged(f"{name}, again", again)
        if "nothing to do: everything is in place" not in again.said:
            self._complain(name, [f"an online castle is not left alone: {again.said[-300:]}"])
        self._destroy(name)
        return left

    def _destroy(self, name: str) -> None:
        self.castle.inside("destroy", "--yes")
        found = self._look()
        lab = self.castle.lab
        files = [*(lab.secrets / "produced").glob("*"), *lab.folder.glob("machines/*"), *self.runs.scratch.iterdir()]
        self._complain(f"{name}, destroyed", [*held.left(found), *(f"left a file: {file.name}" for file in files)])
        self._versions = held.versions(found)

    def _judged(self, where: str, ended: Ended) -> None:
        self._complain(where, ended.complaints)
        if ended.killed:
            self.table.append(ended)

    def _complain(self, where: str, words: Iterator[str] | list[str]) -> None:
        for one in words:
            self.complaints.append(f"{where}: {one}")
            _print(f"WRONG {self.complaints[-1]}")

    def _look(self) -> held.Held:
        script = str(Path(__file__).with_name("look.py"))
        lab = ("lab", "run", "--lab-name", self.castle.lab.name, "--")
        return json.loads(self.castle.rebirth(*lab, sys.executable, script, str(self.castle.folder)))

    def _say(self, life: int, ended: Ended) -> None:
        assert ended.point
        said = f"{len(self.table):2}  life {life}  {ended.point.way:8} {ended.point!s:45} after {ended.seconds:5.1f} s"
        running = ", ".join(ended.running) or "-"
        _print(
            f"{said}  exit {ended.code:4}  gone after {ended.gone_after:.2f} s  files {len(ended.scraps)}  {running}"
        )


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m killing", description=__doc__)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    parser.add_argument("--lives", type=int, default=5, help="that the kills are spread over")
    parser.add_argument("--minutes", type=float, default=math.inf, help="kill nothing after that")
    asked = parser.parse_args()
    signal.signal(signal.SIGHUP, signal.SIG_DFL)  # what runs in the background ignores them, and hands that on
    signal.signal(signal.SIGINT, signal.default_int_handler)
    began = time.monotonic()
    with TemporaryDirectory(prefix="rebirth-killing-") as folder:
        scratch = Path(folder) / "tmp"
        scratch.mkdir()
        with rehearsed(Path(folder), "killing") as castle:
            killing = Killing(castle, scratch, began + 60 * asked.minutes)
            killing.begin()
            moments, over, handed, expected = killing.undisturbed()
            _print(f"seed {asked.seed}; undisturbed: {over:.1f} s, {len(moments)} lines of the journal")
            lives, number = drawn(asked.seed, asked.lives, moments, over, handed), 0
            while lives and number < 2 * asked.lives and time.monotonic() < killing.ends:
                number += 1
                if missed := killing.life(number, lives.pop(0), expected):
                    lives.append([replace(point, seconds=point.seconds / 2) for point in missed])
    ways = Counter(ended.point.way for ended in killing.table if ended.point)
    phases = Counter(phase for ended in killing.table for phase in ended.running)
    _print(
        f"{len(killing.table)} kills in {number} lives: {dict(ways)}; {time.monotonic() - began:.0f} s; seed {asked.seed}"
    )
    _print(f"met while these ran: {dict(phases.most_common())}")
    longest = max((ended.gone_after for ended in killing.table), default=0.0)
    _print(f"longest until all processes of a run were gone: {longest:.2f} s")
    _print(f"{len(killing.complaints)} failures")
    return int(bool(killing.complaints) or len(killing.table) < len(WAYS))


def _print(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
