"""What is wrong with a castle, in words of the field: the kind of value that was meant, and nothing else."""

from typing import Annotated, Literal

import pytest
from pydantic import Field

from rebirth.castle import Section, load_model
from rebirth.castle.model import DnsName, Positive, Text
from rebirth.castle.reference import SecretRef
from rebirth.errors import SpecError


class Longhorn(Section):
    chart: Text
    replicas: Positive


class Shared(Section):
    server: Text
    folder: Text


class Own(Section):
    kind: Literal["own"]
    size: Positive


class Other(Section):
    kind: Literal["other"]
    place: Text


class Kinds(Section):
    value: Text | SecretRef = "x"
    count: int | DnsName = 1
    section: Longhorn | Shared | None = None
    several: list[Longhorn | Text] = []
    tagged: Annotated[Own | Other, Field(discriminator="kind")] | None = None


SECRET = "write `{secret: NAME}` and put the value into the file NAME of the vault directory"
BLANK = "text that is not blank (in quotes where it looks like a number, a date or true)"

NAME_OR_ADDRESS = (
    "must be a DNS name in lower case, such as blog.example.org, "
    "or an IPv4 or IPv6 address, such as 192.168.50.11 or fd00:50::11"
)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("value: {secrt: x}", ["value.secrt: unknown key; did you mean secret?"]),
        (
            "value: {secret: 5}",
            ["value.secret: must be a string (in quotes where it looks like a number, a date or true)"],
        ),
        ('value: " "', [f"value: must be {BLANK}"]),
        ("value: 5", [f"value: must be {BLANK}, or {SECRET}"]),
        ("value:", [f"value: has no value: must be {BLANK}, or {SECRET}"]),
        ("count: Some_Name", ["count: must be a DNS name in lower case, such as blog.example.org"]),
        ("count: 5.5", ["count: must be a whole number, or a DNS name in lower case, such as blog.example.org"]),
        ("section: {server: a}", ["section.folder: is missing"]),
        ("section: {server: a, foldr: b}", ["section.foldr: unknown key; did you mean folder?"]),
        ("section: {chart: a, replicas: 0}", ["section.replicas: must be more than 0"]),
        ("section: longhorn", ["section: must be a mapping"]),
        ("several: [{chart: a}]", ["several[0].replicas: is missing"]),
        ("several: [7]", [f"several[0]: must be a mapping, or {BLANK}"]),
        ("tagged: {kind: own, size: x}", ["tagged.size: must be a whole number"]),
        ("tagged: {kind: mine}", ["tagged.kind: must be 'own' or 'other'"]),
        ("tagged: {size: 1}", ["tagged.kind: is missing"]),
    ],
)
def test_of_several_kinds_the_one_that_was_meant(tmp_path, text, said):
    file = tmp_path / "kinds.yaml"
    file.write_text(text + "\n")
    with pytest.raises(SpecError) as caught:
        load_model(file, Kinds)
    assert [f"{problem.path}: {problem.message}" for problem in caught.value.problems] == said


def test_a_mistyped_key_is_one_problem(draft):
    draft.document["netwroking"] = draft.document.pop("networking")
    (problem,) = draft.refused()
    assert f"{problem.path}: {problem.message}" == "netwroking: unknown key; did you mean networking?"


def test_a_key_without_a_value(draft):
    draft["proxmox.endpoint"] = None
    (problem,) = draft.refused()
    assert problem.message.startswith("has no value: must be")


def test_everything_at_once(draft):
    draft["machines.nodes.1.role"] = "wroker"
    draft["engine.direct_secrets.0.data"] = {"ca.crt": {"secrt": "x"}}
    draft["kubernetes.cert_sans"] = ["Not_A_Name"]
    del draft["gitops.branch"]
    assert [f"{problem.path}: {problem.message}" for problem in draft.refused()] == [
        "machines.nodes[1].role: must be 'controlplane' or 'worker'",
        f"kubernetes.cert_sans[0]: {NAME_OR_ADDRESS}",
        "engine.direct_secrets[0].data.ca.crt.secrt: unknown key; did you mean secret?",
        "gitops.branch: is missing",
    ]
