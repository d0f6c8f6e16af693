"""What the bundled schemas call a mistake, a real API server refuses: each single mistake in each object of accepted.yaml."""

import asyncio
import copy
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from rebirth.errors import Broken, NotYet
from rebirth.lab.building.toolchain import Toolchain, chosen
from rebirth.lab.ca import Authority
from rebirth.phases.made.flux import until_established
from rebirth.proof.schemas import bundle
from rebirth.rehearse import flux
from rebirth.rehearse.control_plane import ControlPlane
from rebirth.rehearse.processes import Processes
from rebirth.run.waiting import together

ACCEPTED = list(yaml.safe_load_all(Path(__file__).with_name("accepted.yaml").read_text()))
AT_ONCE = 20


def shape_of(item):
    group, _, version = item["apiVersion"].rpartition("/")
    return bundle.shape(group, version, item["kind"])


def changed(item, path, value):
    """A copy with another value at that path; without it where the value is None."""
    found = copy.deepcopy(item)
    at = found
    for part in path[:-1]:
        at = at[part]
    if value is None:
        del at[path[-1]]
    else:
        at[path[-1]] = value
    return found


def mistakes_in(item, value, path=()) -> Iterator[tuple[str, dict]]:
    """The object with one mistake each: a field too few, one too many, a value of another type, a word of nobody."""
    where = ".".join(map(str, path))
    if isinstance(value, dict):
        yield f"{where} + unknown", changed(item, (*path, "unknownField"), "a")
        for key, inner in value.items():
            if path or key not in {"apiVersion", "kind", "metadata"}:
                yield f"{where} - {key}", changed(item, (*path, key), None)
                yield from mistakes_in(item, inner, (*path, key))
    elif isinstance(value, list):
        yield f"{where} = mapping", changed(item, path, {"a": "b"})
        yield f"{where} twice", changed(item, path, [value[0], *value])
        for number, inner in enumerate(value):
            yield from mistakes_in(item, inner, (*path, number))
    else:
        for other in ("Nonsense", 5, True, ["a"], {"a": "b"}, "10GB"):
            if type(other) is not type(value) or isinstance(value, str):
                yield f"{where} = {other}", changed(item, path, other)


CASES = [(item, words, mistaken) for item in ACCEPTED for words, mistaken in mistakes_in(item, item)]


def test_of_the_objects_as_they_are_nothing_is_said():
    assert [list(shape_of(item).mistakes(item)) for item in ACCEPTED] == [[] for _ in ACCEPTED]


@pytest.fixture(scope="module")
def refusals(tmp_path_factory):
    """What the API server says of each case; "" where it takes it."""
    return asyncio.run(asked(tmp_path_factory.mktemp("refused")))


async def asked(folder):
    toolchain = Toolchain()
    programs = await toolchain.programs(chosen(["etcd", "kubernetes"]))
    processes = Processes(folder / "logs")
    plane = ControlPlane(folder / "cluster", programs, processes, Authority("test"))
    try:
        cluster = await plane.start()
        crds = await flux.crds(toolchain)
        await together(*(cluster.apply(crd) for crd in crds))
        await until_established(cluster, [crd["metadata"]["name"] for crd in crds], "Flux's CRDs are established")

        async def said(item):
            try:
                await cluster.admits(item)
            except (NotYet, Broken) as error:
                return str(error)
            return ""

        assert [await said(item) for item in ACCEPTED] == ["" for _ in ACCEPTED]
        found = []
        for start in range(0, len(CASES), AT_ONCE):
            found += await together(*(said(mistaken) for _, _, mistaken in CASES[start : start + AT_ONCE]))
        await cluster.close()
        return found
    finally:
        await processes.stop()


@pytest.mark.lab
def test_nothing_is_called_a_mistake_that_the_api_server_takes(refusals):
    called = {
        f"{item['kind']} {words}": [mistake.words for mistake in shape_of(item).mistakes(mistaken)]
        for (item, words, mistaken), refused in zip(CASES, refusals, strict=True)
        if not refused
    }
    assert {case: words for case, words in called.items() if words} == {}


@pytest.mark.lab
def test_what_the_schema_tells_is_found(refusals):
    """Nine of ten mistakes; the others are what only the validation of Kubernetes itself knows."""
    refused = [case for case, said in zip(CASES, refusals, strict=True) if said]
    missed = [
        f"{item['kind']} {words}" for item, words, mistaken in refused if not any(shape_of(item).mistakes(mistaken))
    ]
    assert len(missed) < len(refused) / 10, missed
