"""What is in the cluster before Flux looks at the repository for the first time."""

from pathlib import Path

from rebirth.findings.taken import taken
from rebirth.lab.ca import Authority
from rebirth.lab.kinds import Kinds
from rebirth.proof.prove import prove
from rebirth.rehearse.first import first
from trees import change, lay, write


async def begun(root: Path, age_key: str = ""):
    proof = await prove(root)
    world = proof.worlds[0]
    given = [one.thing for one in taken(world.graph, proof.findings)]
    return first(world.model, given, world.graph, Kinds(Authority("test"), [], "git.example"), age_key)


def named(objects, kind):
    return {item["metadata"]["name"]: item for item in objects if item["kind"] == kind}


async def test_the_source_and_the_root_are_made_where_the_tree_has_none(tmp_path: Path):
    found = await begun(lay(tmp_path, apps=""))
    assert [item["kind"] for item in found.flux] == ["GitRepository", "Kustomization"]
    assert (found.root, found.flux[1]["spec"]["path"]) == (("flux-system", "flux-system"), "./clusters/x")
    assert set(named(found.before[0], "Namespace")) == {"flux-system"}


async def test_flux_decrypts_with_the_key_that_was_given(tmp_path: Path):
    root = lay(tmp_path, apps="")
    change(
        root,
        "clusters/x/apps.yaml",
        "prune: true",
        "prune: true\n  decryption: {provider: sops, secretRef: {name: sops-age}}",
    )
    secret = named((await begun(root, "AGE-SECRET-KEY-1CANARY")).before[2], "Secret")["sops-age"]
    assert secret["stringData"] == {"age.agekey": "AGE-SECRET-KEY-1CANARY"}
    invented = named((await begun(root)).before[2], "Secret")["sops-age"]["stringData"]["age.agekey"]
    assert "AGE-SECRET-KEY-1" in invented, "nothing is encrypted, but Flux asks for a key"
    assert "CANARY" not in invented


async def test_kinds_that_are_taken_as_there_take_any_shape(tmp_path: Path):
    root = lay(tmp_path, apps="")
    write(
        root,
        "apps/thing.yaml",
        "apiVersion: example.openshift.io/v1alpha2\nkind: Thing\nmetadata: {name: a}\nspec: {any: [1]}\n",
    )
    (crd,) = (await begun(root)).before[1]
    assert crd["metadata"]["name"] == "things.example.openshift.io"
    assert crd["spec"]["scope"] == "Cluster", "no object of it has a namespace"
    assert [version["name"] for version in crd["spec"]["versions"]] == ["v1alpha2"]
