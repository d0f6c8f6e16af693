"""Writes docs/mistakes.md: what `check` or `rehearse` says of each single mistake that tests/rehearse/mistakes.py knows.

python bench/mistakes.py
"""

import asyncio
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parents[1]
sys.path[0] = str(HERE / "tests")  # not this folder

from rehearse.mistakes import MISTAKES  # noqa: E402 - found only now
from rehearse.telling_of_mistakes import checked, rehearsed  # noqa: E402

HEAD = """\
# Mistakes of a beginner

What somebody who writes a Flux repository for the first time gets wrong, and what he is told. Each is a single change of a small
repository that works (`tests/rehearse/beginner`). `rebirth check` says what the files alone show, in less than a second; what only the API
server or Flux can tell, `rebirth rehearse` says with their own words, the line, and a sentence that explains them. Made by
`python bench/mistakes.py`; `tests/rehearse/test_mistakes.py` holds it to that.

| mistake | instead of | is written | told by | at | what it says |
|---|---|---|---|---|---|
"""


async def main() -> None:
    with tempfile.TemporaryDirectory(prefix="rebirth-mistakes-") as scratch:
        folder = Path(scratch)
        mine = [mistake for mistake in MISTAKES if mistake.told_by == "rehearse"]
        found = await rehearsed(mine, folder / "all", lambda words: print(words, file=sys.stderr))
        rows = []
        for number, mistake in enumerate(MISTAKES):
            root = folder / str(number)
            said = await checked(mistake, root)
            if mistake.told_by == "rehearse":
                said = found[mistake.name]
            told = next((one for one in said if one.place == mistake.place(root)), None)
            if told is None:
                sys.exit(f"{mistake.name} is not told at {mistake.place(root)}: {said}")
            by = "`rehearse`" if told.by == "rehearse" else f"`check` ({told.by})"
            where = f"{told.place[0].rpartition('/')[2]}:{told.place[1]}"
            row = (
                mistake.name,
                code(mistake.old, mistake.new),
                code(mistake.new, mistake.old),
                by,
                where,
                f"{told.message}. {told.advice}",
            )
            rows.append("| " + " | ".join(cell.replace("|", "\\|").replace("](", "]\\(") for cell in row) + " |\n")
    (HERE / "docs" / "mistakes.md").write_text(HEAD + "".join(rows))


def code(text: str, other: str) -> str:
    """The first line of a change that is another one."""
    lines = [line.strip() for line in text.splitlines() if line not in other.splitlines()]
    return f"`{lines[0]}`{' …' * (len(lines) > 1)}" if lines else "(nothing)"


asyncio.run(main())
