"""Fields that Flux leaves out without a word, since the object's kind does not have them.

The API server, which would refuse a misspelt field, or one in the wrong block, never sees it (`flux.loses_unknown_fields`). So it
is asked here, with the object as the repository has it.
"""

from collections.abc import Iterator

from rebirth.living.places import field_of
from rebirth.proof.reading import flux
from rebirth.proof.reading.manifest import Manifest, Model
from rebirth.proof.things import Atomicity
from rebirth.providers.cluster import Cluster
from rebirth.rehearse.result import Dropped
from rebirth.run.waiting import together

_AT_ONCE = 20


async def dropped(cluster: Cluster, model: Model) -> list[Dropped]:
    """To be asked at the end, when the namespaces of what Flux has applied are there."""
    members = list(_native(model))
    found: list[Dropped] = []
    for start in range(0, len(members), _AT_ONCE):
        some = members[start : start + _AT_ONCE]
        said = await together(*(cluster.unknown_field(_plain(member)) for member in some))
        found += [
            Dropped((member.kind, member.namespace, member.name), words, field_of(member, words))
            for member, words in zip(some, said, strict=True)
            if words
        ]
    return found


def _native(model: Model) -> Iterator[Manifest]:
    for unit in model.units:
        if unit.atomicity is Atomicity.FLUX:
            for member in unit.members:
                if flux.loses_unknown_fields(member) and not flux.is_left_out(member):
                    yield member


def _plain(member: Manifest) -> dict[str, object]:
    """Without what SOPS has added."""
    return {key: value for key, value in member.data.items() if key != "sops"}
