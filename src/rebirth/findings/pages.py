"""The page of a rule: its docstring, for a terminal, as Markdown, and with the files of its example as documentation."""

import inspect
import re
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from rebirth.errors import SpecError
from rebirth.findings.ignores import r00_ignore
from rebirth.proof.rules import RULES

HEADINGS = ("What it finds", "Why it cannot work", "Example", "Instead")
_LONGEST = 120  # lines of an example's file that its page shows


@dataclass(frozen=True)
class Page:
    id: str  # R13
    slug: str  # r13_depends_on: name of the module, the function, the test folder and the page
    title: str
    sections: tuple[tuple[str, str], ...]  # heading, text

    def section(self, heading: str) -> str:
        return dict(self.sections).get(heading, "")

    def text(self) -> str:
        parts = [f"{self.id}: {self.title}"]
        parts += [f"{heading}:\n{textwrap.indent(words, '    ')}" for heading, words in self.sections]
        return "\n\n".join(parts) + "\n"

    def markdown(self, more: str = "") -> str:
        parts = [f"# {self.id}: {self.title.rstrip('.')}", f"`{self.slug}`"]
        parts += [f"## {heading}\n\n{words}" for heading, words in self.sections]
        return "\n\n".join([*parts, *([more] if more else [])]) + "\n"


def pages() -> Iterator[Page]:
    """Of every rule, by id."""
    found = [_page(rule.__name__, sys.modules[rule.__module__].__doc__ or "") for rule in RULES]
    found.append(_page(r00_ignore.__name__, r00_ignore.__doc__ or ""))
    yield from sorted(found, key=lambda page: page.slug)


def page_of(name: str) -> Page:
    """The page of the rule with that id or slug. Raises SpecError."""
    known = list(pages())
    for page in known:
        if name.upper() == page.id or name.lower() == page.slug:
            return page
    near = get_close_matches(name.upper(), [page.id for page in known], 1) or get_close_matches(
        name.lower(), [page.slug for page in known], 1, 0.4
    )
    meant = f"; did you mean {near[0]}?" if near else ""
    ids = ", ".join(page.id for page in known)
    raise SpecError(
        f"--explain: no such rule {name}{meant}", hint=f"There are {ids}; `rebirth check --rules` says of what."
    )


def index() -> str:
    """Every rule in a line, for the terminal."""
    return "".join(f"{page.id}  {page.title.rstrip('.')}\n" for page in pages())


def _page(slug: str, doc: str) -> Page:
    title, _, rest = inspect.cleandoc(doc).partition("\n")
    sections: list[tuple[str, str]] = []
    for part in re.split(rf"^(?=(?:{'|'.join(HEADINGS)}):)", rest.strip(), flags=re.MULTILINE):
        heading, _, words = part.partition(":")
        if heading in HEADINGS:
            sections.append((heading, textwrap.dedent(words.strip("\n")).strip()))
    return Page(slug.partition("_")[0].upper(), slug, title.strip(), tuple(sections))


def write(folder: Path, cases: Path) -> None:
    """A page a rule and an index in `folder`; the examples come from the rules' test cases."""
    folder.mkdir(parents=True, exist_ok=True)
    wanted = documents(cases)
    for old in folder.glob("*.md"):
        if old.name not in wanted:
            old.unlink()
    for name, words in wanted.items():
        (folder / name).write_text(words, encoding="utf-8")


def documents(cases: Path) -> dict[str, str]:
    """File name -> text of every page, and of the index."""
    known = list(pages())
    rows = "\n".join(f"| [{page.id}]({page.slug}.md) | {page.title.rstrip('.')} |" for page in known)
    index = (
        "# The rules of `rebirth check`\n\nMade by `make docs` from the rules' docstrings and test cases. "
        "How to use them: [check and plan](../check.md).\n\n"
        f"| rule | what it finds |\n|---|---|\n{rows}\n"
    )
    return {"README.md": index} | {f"{page.slug}.md": page.markdown(_example(cases / page.slug)) for page in known}


def _example(folder: Path) -> str:
    """The files of the first faulty case, which is the smallest."""
    bad = next(iter(sorted(path for path in folder.glob("bad_*") if path.is_dir())), None)
    if bad is None:
        return ""
    files = sorted(f for f in bad.rglob("*") if f.is_file() and f.name != "expected.yaml")
    words = "## Smallest case\n\n"
    words += "A change of the example castle:" if (bad / "change.patch").exists() else "These files are found:"
    return "\n\n".join([words, *(_fenced(file, bad) for file in files)])


def _fenced(file: Path, base: Path) -> str:
    lines = file.read_text(encoding="utf-8", errors="replace").rstrip("\n").splitlines()
    shown = lines[:_LONGEST] + (["..."] if len(lines) > _LONGEST else [])
    kind = {".yaml": "yaml", ".yml": "yaml", ".patch": "diff"}.get(file.suffix, "")
    fence = "````" if any("```" in line for line in shown) else "```"
    heading = [] if file.suffix == ".patch" else [f"`{file.relative_to(base)}`"]
    return "\n\n".join([*heading, "\n".join([fence + kind, *shown, fence])])


if __name__ == "__main__":
    write(Path(sys.argv[1]), Path(sys.argv[2]))
