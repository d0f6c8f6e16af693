"""What is run before Flux: helmfiles that somebody names, and commands of scripts, of which only what they apply is read."""

from collections.abc import Iterator

from rebirth.proof.reading.manifest import Model
from rebirth.proof.reading.repository_files import Files
from rebirth.proof.reading.start import applied, helmfiles, scripts
from rebirth.proof.things import Place, Unknown


def read(model: Model, files: Files) -> Iterator[Unknown]:
    """Enters the helmfiles, and what is applied by hand; what is not known comes back. Raises SpecError where .rebirth.yaml cannot be used."""
    said, there = scripts.lines(model.root), helmfiles.find(model.root)
    run = helmfiles.runs(model.root, there, said)
    model.helmfiles = {file: (helmfiles.shown(model.root, file, one), one.only_crds) for file, one in run.items()}
    model.applied += applied.find(files, said)
    yield from scripts.unread(said)
    for file in helmfiles.left(there, run):
        why = "nothing here runs it before Flux; if you do, say so with `bootstrap:` in .rebirth.yaml"
        yield Unknown(str(file.relative_to(model.root)), Place(str(file)), why)
