"""What is run before Flux: helmfiles that somebody names, and commands of scripts, of which only what they apply is read."""

from collections.abc import Collection, Sequence
from pathlib import Path

from rebirth.proof.reading.manifest import Model
from rebirth.proof.reading.repository_files import Files, is_near
from rebirth.proof.reading.start import applied, helmfiles, installs, scripts
from rebirth.proof.things import Place, Unknown


def read(models: Sequence[Model], files: Files) -> list[list[Unknown]]:
    """Enters the helmfiles, and what is applied by hand, for the clusters that they are of; what is not known of each comes back.

    What lies nearer to another cluster's folder, or names its context, is the other's. Raises SpecError where .rebirth.yaml cannot be used.
    """
    root = files.root
    said, there = scripts.lines(files), helmfiles.find(files)
    run = helmfiles.runs(root, there, said)
    shown = {file: (helmfiles.shown(root, file, one), one.only_crds) for file, one in run.items()}
    for file, place in applied.charts(files, said):
        shown.setdefault(file, (helmfiles.shown(root, file, helmfiles.Run(place)), False))
    hooks = (line for file, one in run.items() if not one.only_crds for line in helmfiles.hooks(root, file))
    does = (*said, *hooks)
    by_hand, fetched = list(applied.find(files, does)), list(applied.addresses(files, does))
    by_helm = list(installs.find(files, said))
    why = "nothing here runs it before Flux; if you do, say so with `bootstrap:` in .rebirth.yaml"
    left = [Unknown(str(file.relative_to(root)), Place(str(file)), why) for file in helmfiles.left(there, run)]
    clusters = [model.cluster for model in models]
    unread: dict[tuple[scripts.Line, ...], list[Unknown]] = {}  # by lines: mostly all are of all clusters
    found = []
    for model in models:

        def is_of(file: str, context: str = "", cluster: str = model.cluster) -> bool:
            return _is_of(files, file, cluster, clusters, context)

        model.helmfiles = {file: why for file, why in shown.items() if is_of(str(file))}
        model.applied += [one for one in by_hand if is_of(one.file, one.context)]
        model.installed += [one for one in by_helm if is_of(one.place.file)]
        model.fetched += [one for one in fetched if is_of(one[1].file)]
        own = tuple(line for line in said if is_of(line.place.file, applied.context(line.text)))
        if own not in unread:
            unread[own] = list(scripts.unread(own))
        found.append([*unread[own], *(one for one in left if is_of(one.place.file))])
    return found


def _is_of(files: Files, file: str, cluster: str, clusters: Collection[str], context: str = "") -> bool:
    named = [one for one in clusters if context and context in Path(one).parts]
    if named and len(named) < len(clusters):
        return cluster in named
    return is_near(Path(files.shown(Path(file))), cluster, clusters)
