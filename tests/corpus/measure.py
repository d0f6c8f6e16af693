"""Recall and precision over our own trees, by kind: `python -m corpus.measure`."""

import sys
import tempfile
from collections import Counter
from pathlib import Path

from corpus.every import CASES


def main() -> None:
    rows: dict[str, Counter[str]] = {}
    for case in CASES:
        with tempfile.TemporaryDirectory(prefix="rebirth-corpus-") as scratch:
            try:
                wrong = case.wrong(Path(scratch))
            except Exception as error:  # noqa: BLE001 - another version may crash where this one does not
                wrong = [*(f"not said: {type(error).__name__}" for _ in case.told), "said: a crash"]
        row = rows.setdefault(case.kind, Counter())
        row["expected"] += len(case.told)
        row["missed"] += sum(one.startswith("not said") for one in wrong)
        row["false"] += sum(one.startswith("said") for one in wrong)
    rows["all"] = sum(rows.values(), Counter())
    lines = [f"{len(CASES)} trees of our own\n\n{'':86}expected  found  false  recall  precision"]
    for kind, row in rows.items():
        found = row["expected"] - row["missed"]
        recall = f"{100 * found / row['expected']:.0f} %" if row["expected"] else ""
        precision = f"{100 * found / (found + row['false']):.0f} %" if found + row["false"] else ""
        lines.append(f"{kind:86}{row['expected']:>8}{found:>7}{row['false']:>7}{recall:>8}{precision:>11}")
    sys.stdout.write("\n".join(lines) + "\n")


main()
