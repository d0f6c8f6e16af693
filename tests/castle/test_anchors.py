"""Section anchors: what a castle keeps, and the phases that follow from it."""

import pytest

from rebirth.errors import SpecError
from rebirth.phases import BOOTSTRAP, read_archive
from rebirth.run.create import sections
from rebirth.run.phase import name_of, needs

KEPT = {"archive": {"folder": "kept"}, "age_key": {"secret": "age-key"}}


def restoring(castle):
    return {
        phase.name for phase in BOOTSTRAP.of(sections(castle)).phases if phase.name.startswith(("restore", "read_a"))
    }


def test_a_castle_without_restores_nothing(draft):
    assert restoring(draft.load()) == set()
    draft["anchors"] = KEPT | {"vault": {"token": {"secret": "snapshot-token"}}}
    assert restoring(draft.load()) == set()


def test_what_is_kept_is_what_is_restored(draft):
    draft["anchors"] = KEPT | {"restore": "latest"}
    assert restoring(draft.load()) == {"read_archive", "restore_credentials"}
    draft["anchors"] = KEPT | {"restore": "latest", "vault": {"token": {"secret": "t"}}, "credentials": False}
    assert restoring(draft.load()) == {"read_archive", "restore_vault"}


S3 = {"endpoint": "https://s3.test", "bucket": "kept", "access_key": {"secret": "a"}, "secret_key": {"secret": "b"}}


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"archive": {}}, "needs either `folder` or `s3`"),
        ({"archive": {"folder": "x", "s3": S3}}, "needs either `folder` or `s3`"),
        ({"archive": {"s3": S3 | {"endpoint": "http://s3.test"}}}, "https"),
        ({"archive": {"s3": S3 | {"prefix": "/x"}}}, "a path without slashes at its ends"),
        ({"archive": {"s3": S3 | {"secret_key": "clear"}}}, "write `{secret: NAME}`"),
        ({"restore": "yesterday"}, "must be `latest`"),
        ({"restore": "../20260101T000000Z-x"}, "must be `latest`"),
        ({"credentials": False}, "keeps nothing"),
    ],
)
def test_what_is_refused(draft, said, words):
    draft["anchors"] = KEPT | said
    with pytest.raises(SpecError, match=words):
        draft.load()


def test_a_snapshot_is_of_a_vault(draft):
    for key in ("engine.vault", "engine.store", "handovers"):
        del draft[key]
    draft["anchors"] = KEPT | {"vault": {"token": {"secret": "t"}}}
    with pytest.raises(SpecError, match=r"snapshot is taken of engine\.vault"):
        draft.load()


def test_nothing_is_made_before_it_is_read(draft):
    """Whatever makes something outside needs it, directly or not."""
    draft["anchors"] = KEPT | {"restore": "latest"}
    own = BOOTSTRAP.of(sections(draft.load()))
    by_fact = {phase.makes: phase for phase in own.phases}

    def all_needs(phase):
        direct = [by_fact[fact] for fact in needs(phase, own.phases, own.connections)]
        return {one.name for one in direct}.union(*map(all_needs, direct))

    makes = [phase for phase in own.phases if phase.undo and not phase.prepares]
    assert makes
    assert [phase.name for phase in makes if name_of(read_archive) not in all_needs(phase)] == []
