"""Whether a thing is in the store, without asking anybody."""

import re

from rebirth.fetch.git import wanted_of
from rebirth.fetch.images import tag_in
from rebirth.fetch.things import AnyThing, Artifact, Chart, File, Git, Image
from rebirth.store.names import Name
from rebirth.store.store import PLATFORM, Store


def is_present(store: Store, thing: AnyThing, platform: str = PLATFORM) -> bool:
    match thing:
        case Chart():
            return store.chart(thing.url, thing.name, thing.version) is not None
        case Artifact():
            return (name := _name(store, thing)) is not None and store.has_image(str(name), platform)
        case Git():
            known = store.git_references(thing.url)
            if thing.commit:
                return thing.commit in known
            return bool(store.git(thing.url)) and any(name in known for name, _ in wanted_of(thing, known))
        case File():
            return store.file(thing.url) is not None
        case Image():
            return store.has_image(str(thing.name), platform)


def _name(store: Store, thing: Artifact) -> Name | None:
    if not thing.semver:
        return Name(thing.repository, thing.tag, thing.digest)
    try:
        tag = tag_in(store.tags(thing.repository), thing.semver, thing.only, chart=thing.chart)
    except (ValueError, re.error):
        return None
    return Name(thing.repository, tag) if tag else None
