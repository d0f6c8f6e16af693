"""Which components a castle uses."""

from dataclasses import replace
from pathlib import Path

import pytest

from lab.world.castles import write_castle
from rebirth.lab.building.charts import charts
from rebirth.lab.building.images import Image, declared
from rebirth.lab.building.toolchain import Component, Toolchain, components, sources
from rebirth.lab.building.used import packable, used

EXAMPLE = Path(__file__).parents[3] / "examples" / "castle"
KNOWN = {component.name: component for component in components()}
OPTIONAL = [replace(KNOWN[name], optional=True) for name in ("external-secrets", "metallb")]
EXTRA = replace(KNOWN["etcd"], name="extra", optional=True, mentioned_as=("acme.example",))


def names(castle: Path, among: list[Component]) -> list[str]:
    return [component.name for component in used(castle, among)]


@pytest.fixture
def castle(tmp_path: Path) -> Path:
    """One whose castle.yaml, which names charts itself, is empty."""
    folder = write_castle(tmp_path / "castle")
    (folder / "castle.yaml").write_text("")
    return folder


def test_a_castle_that_mentions_none_uses_none(castle):
    assert names(castle, [KNOWN["etcd"], *OPTIONAL, EXTRA]) == ["etcd"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("image: oci.external-secrets.io/external-secrets/external-secrets:v9.9.9", ["external-secrets"]),
        ("spec: {url: https://charts.external-secrets.io}", ["external-secrets"]),
        ("url: https://metallb.github.io/metallb", ["metallb"]),
        ("url: https://metallb.github.io/frr", []),
        ("server: https://acme.example/directory", ["extra"]),
        ("image: ghcr.io/external-secrets/another:v1", []),
    ],
)
def test_an_image_a_chart_or_a_word_is_a_mention(castle, text, expected):
    (castle / "gitops" / "clusters" / "app.yaml").write_text(text)
    assert names(castle, [*OPTIONAL, EXTRA]) == expected


def test_what_is_not_used_by_those_that_mention_something(castle):
    unless = replace(KNOWN["etcd"], name="unless", optional=True, not_used_by=("ghcr.io/fluxcd/source-controller",))
    assert names(castle, [unless]) == []
    (castle / "gitops/clusters/tazlab-k8s/flux-system/gotk-components.yaml").unlink()
    assert names(castle, [unless]) == ["unless"]


def test_the_example_castle_uses_nothing_that_is_optional():
    assert [component.name for component in used(EXAMPLE) if component.optional] == []


def test_castle_yaml_is_read_too(tmp_path):
    assert names(write_castle(tmp_path / "castle"), OPTIONAL) == ["external-secrets", "metallb"]


def test_what_the_castle_produced_or_does_not_serve_is_not_read(castle):
    for file in ("gitops/README.md", "logs/20260101/events.json", ".rebirth/state.json", "gitops/.git/x.yaml"):
        (castle / file).parent.mkdir(parents=True, exist_ok=True)
        (castle / file).write_text("https://metallb.github.io/metallb")
    assert names(castle, OPTIONAL) == []


def test_a_repository_beside_the_castle_is_read(castle):
    beside = castle.parent / "repository"
    beside.mkdir()
    (beside / "release.yml").write_text("url: https://metallb.github.io/metallb")
    assert names(castle, OPTIONAL) == []
    (castle / "lab.yaml").write_text("version: 1\nrepositories: {https://github.com/a/b.git: ../repository}\n")
    assert names(castle, OPTIONAL) == ["metallb"]


def test_an_image_of_a_component_that_is_not_used_is_not_packed():
    images = declared(sources() / "images" / "images.toml")
    without = [component for component in components() if component.name != "metallb"]
    left_out = {image.repository for image in images} - {image.repository for image in packable(images, without)}
    assert left_out == {"metallb/controller", "metallb/speaker"}
    unknown = Image("ghcr.io/a/b:v1", {"/run": "binary:of-nobody"})
    assert packable([unknown], without) == [unknown], "it is rejected when it is packed"


async def test_a_chart_of_a_component_that_is_not_used_is_not_served():
    found = await charts(sources() / "charts", Toolchain(), [])
    assert found
    assert not {"metallb.github.io", "charts.external-secrets.io"} & {chart.host for chart in found}
