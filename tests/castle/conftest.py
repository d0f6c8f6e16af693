"""The example castle as a document that tests change and load."""

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml

from rebirth.castle import Castle, load
from rebirth.errors import Problem, SpecError

EXAMPLE = Path(__file__).parents[2] / "examples" / "castle" / "castle.yaml"


class Draft:
    """castle.yaml of a scratch castle directory. `draft["machines.nodes.0.address"] = ...` changes one place."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.document: dict[str, Any] = copy.deepcopy(yaml.safe_load(EXAMPLE.read_text()))

    def _inner(self, path: str) -> tuple[Any, Any]:
        inner: Any = self.document
        *parts, last = [int(part) if part.isdigit() else part for part in path.split(".")]
        for part in parts:
            inner = inner[part]
        return inner, last

    def __getitem__(self, path: str) -> Any:
        inner, last = self._inner(path)
        return inner[last]

    def __setitem__(self, path: str, value: object) -> None:
        inner, last = self._inner(path)
        inner[last] = value

    def __delitem__(self, path: str) -> None:
        inner, last = self._inner(path)
        del inner[last]

    def load(self) -> Castle:
        return self.load_text(yaml.safe_dump(self.document, sort_keys=False))

    def load_text(self, text: str) -> Castle:
        (self.directory / "castle.yaml").write_text(text, encoding="utf-8")
        return load(self.directory)

    def refused(self) -> list[Problem]:
        """The problems that loading finds."""
        with pytest.raises(SpecError) as caught:
            self.load()
        return caught.value.problems


@pytest.fixture
def draft(tmp_path: Path) -> Draft:
    return Draft(tmp_path)
