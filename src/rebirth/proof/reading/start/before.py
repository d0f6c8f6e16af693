"""What is run before Flux: helmfiles that somebody names, and commands of scripts, of which only what they apply is read."""

from collections.abc import Iterable

from rebirth.proof.reading.manifest import Model
from rebirth.proof.reading.repository_files import Files
from rebirth.proof.reading.start import applied, helmfiles, scripts
from rebirth.proof.things import Place, Unknown


def read(models: Iterable[Model], files: Files) -> list[Unknown]:
    """Enters the helmfiles, and what is applied by hand, for every cluster of the repository; what is not known comes back.

    Raises SpecError where .rebirth.yaml cannot be used.
    """
    root = files.root
    said, there = scripts.lines(root), helmfiles.find(root)
    run = helmfiles.runs(root, there, said)
    shown = {file: (helmfiles.shown(root, file, one), one.only_crds) for file, one in run.items()}
    by_hand = list(applied.find(files, said))
    for model in models:
        model.helmfiles = shown
        model.applied += by_hand
    why = "nothing here runs it before Flux; if you do, say so with `bootstrap:` in .rebirth.yaml"
    left = [Unknown(str(file.relative_to(root)), Place(str(file)), why) for file in helmfiles.left(there, run)]
    return [*scripts.unread(said), *left]
