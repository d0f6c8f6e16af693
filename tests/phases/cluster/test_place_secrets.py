"""The direct secrets and the pull secrets."""

import base64
import json

import pytest

from phases.cluster.world import again, killed_after_each_write, refused
from rebirth.castle import Decryption
from rebirth.castle.gitops import Substitution
from rebirth.castle.reference import SecretRef
from rebirth.errors import Broken
from rebirth.phases import place_secrets
from rebirth.run.facts import NamespacesCreated, RepositoryRead, SecretsResolved
from rebirth.secrets import Secret


@pytest.fixture
def build(new_world):
    def new():
        world = new_world(place_secrets, NamespacesCreated(()), RepositoryRead("0" * 40, ()))
        for name in world.castle.engine.namespaces:
            world.kubernetes.put({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
        return world

    return new


def secret(world, name, namespace):
    found = world.kubernetes.get("v1", "Secret", name, namespace)
    return {key: base64.b64decode(value).decode() for key, value in found["data"].items()}


async def test_from_nothing(build):
    world = build()
    fact = await world.create()
    assert "blog/ghcr-pull-secret" in fact.names
    assert len(world.writes) == len(fact.names) == len(set(fact.names))
    token = world.secrets.values["github-token"].reveal()
    assert secret(world, "flux-system", "flux-system") == {"username": "git", "password": token}
    login = json.loads(secret(world, "ghcr-pull-secret", "blog")[".dockerconfigjson"])["auths"]["ghcr.io"]
    assert base64.b64decode(login["auth"]).decode() == f"tazlab:{token}"


async def test_again(build):
    await again(build())


async def test_again_where_a_value_was_changed(build):
    world = build()
    await world.create()
    stale = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "operator-oauth", "namespace": "tailscale"}}
    world.kubernetes.put({**stale, "data": {"client_id": "b2xk"}}, by="kustomize-controller")
    assert not await world.holds()
    await world.create()
    assert (
        secret(world, "operator-oauth", "tailscale")["client_id"]
        == world.secrets.values["tailscale-operator-client-id"].reveal()
    )


async def test_killed(build):
    await killed_after_each_write(build)


async def test_refused_where_a_secret_of_another_type_has_the_name(build):
    world = build()
    foreign = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "vault-ca-cert", "namespace": "external-secrets"},
    }
    world.kubernetes.put({**foreign, "type": "kubernetes.io/tls"}, by="kustomize-controller")
    failure = await refused(world)
    assert isinstance(failure, Broken)
    assert failure.status == 422
    assert "apply Secret external-secrets/vault-ca-cert" in str(failure)
    assert "field is immutable" in str(failure)


async def test_refused_shows_no_value(build):
    world = build()
    world.kubernetes.forbids = lambda verb, kind, namespace: "no rights"
    failure = await refused(world)
    assert failure.status == 403
    for value in world.secrets.values.values():
        assert value.reveal() not in str(failure)


async def test_secrets_for_substitution(build):
    world = build()
    domain = Secret("home.example.org")
    world.secrets = SecretsResolved({**world.secrets.values, "domain": domain})
    values = {"DOMAIN": SecretRef(secret="domain"), "OWNER": "me"}
    gitops = world.castle.gitops.model_copy(update={"substitution": Substitution(secrets={"cluster-secrets": values})})
    world.castle = world.castle.model_copy(update={"gitops": gitops})
    assert "flux-system/cluster-secrets" in (await world.create()).names
    assert secret(world, "cluster-secrets", "flux-system") == {"DOMAIN": "home.example.org", "OWNER": "me"}
    assert await world.holds()


async def test_the_key_that_flux_decrypts_with(build):
    world = build()
    age = Secret("AGE-SECRET-KEY-1CANARY")
    world.secrets = SecretsResolved({**world.secrets.values, "age.agekey": age})
    decryption = Decryption(age_key=SecretRef(secret="age.agekey"))
    gitops = world.castle.gitops.model_copy(update={"decryption": decryption})
    world.castle = world.castle.model_copy(update={"gitops": gitops})
    assert "flux-system/sops-age" in (await world.create()).names
    assert secret(world, "sops-age", "flux-system") == {"age.agekey": age.reveal()}
    assert await world.holds()
