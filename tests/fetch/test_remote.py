"""What an entry of a kustomization leads to."""

import pytest

from rebirth.fetch.remote import thing_of
from rebirth.fetch.things import File, Git
from rebirth.proof.things import NOWHERE

GITHUB = "https://github.com/owner/app"


@pytest.mark.parametrize(
    ("entry", "thing"),
    [
        ("https://example.com/a/crds.yaml", File("https://example.com/a/crds.yaml")),
        (f"{GITHUB}/releases/download/v1/x.yaml", File(f"{GITHUB}/releases/download/v1/x.yaml")),
        ("https://example.com/x.yaml?token=1", File("https://example.com/x.yaml?token=1")),
        (f"{GITHUB}//config/crd?ref=v1.0.0", Git(GITHUB, loose="v1.0.0")),
        (f"{GITHUB}/config/crd?ref=v1.0.0", Git(GITHUB, loose="v1.0.0")),
        (f"{GITHUB}/config/crd?timeout=90s&ref=main", Git(GITHUB, loose="main")),
        (f"{GITHUB}?version=v1", Git(GITHUB, loose="v1")),
        (f"{GITHUB}", Git(GITHUB)),
        ("github.com/owner/app//config?ref=v1", Git(GITHUB, loose="v1")),
        ("github.com/owner/app/config?ref=v1", Git(GITHUB, loose="v1")),
        (f"git::{GITHUB}//config?ref=v1", Git(GITHUB, loose="v1")),
        (
            "https://git.example.com/group/sub/app.git//config?ref=v1",
            Git("https://git.example.com/group/sub/app.git", loose="v1"),
        ),
        ("https://git.example.com/group/sub/app.git/config", Git("https://git.example.com/group/sub/app.git")),
        ("git@github.com:owner/app.git//config?ref=v1", Git("git@github.com:owner/app.git", loose="v1")),
        ("git@github.com:owner/app//config", Git("git@github.com:owner/app")),
        ("ssh://git@github.com/owner/app//config", Git("ssh://git@github.com/owner/app")),
        ("https://github.com/owner", None),
    ],
)
def test_what_it_leads_to(entry, thing):
    assert thing_of(entry, NOWHERE) == thing
