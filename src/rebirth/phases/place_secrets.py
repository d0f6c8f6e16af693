"""Step 4 of the protocol: secrets that go straight into the cluster, with no controller in between that could need them."""

import base64
import json
from typing import Any

from rebirth.castle import Decryption, DirectSecret, Foundation, GitOps, PullSecret, Ssh
from rebirth.castle.reference import SecretRef
from rebirth.phases.made.living.differences import of_objects, of_those_left
from rebirth.providers.cluster import Cluster
from rebirth.run.change import Change
from rebirth.run.facts import NamespacesCreated, RepositoryRead, SecretsPlaced, SecretsResolved
from rebirth.run.waiting import together

LAYER = "engine"
PATIENCE = 120


async def place_secrets(
    engine: Foundation,
    gitops: GitOps,
    secrets: SecretsResolved,
    cluster: Cluster,
    namespaces: NamespacesCreated,
    repository: RepositoryRead,  # a rotated token of Git's was tried there before it is placed
) -> SecretsPlaced:
    """Place the direct secrets."""
    wanted = objects(engine, gitops, secrets)
    await together(*(cluster.apply(item) for item in wanted))
    return _placed(wanted)


def _placed(wanted: list[dict[str, Any]]) -> SecretsPlaced:
    return SecretsPlaced(tuple(f"{item['metadata']['namespace']}/{item['metadata']['name']}" for item in wanted))


async def found(engine: Foundation, gitops: GitOps, secrets: SecretsResolved) -> SecretsPlaced:
    return _placed(objects(engine, gitops, secrets))


async def still(
    fact: SecretsPlaced, engine: Foundation, gitops: GitOps, secrets: SecretsResolved, cluster: Cluster
) -> bool:
    wanted = objects(engine, gitops, secrets)
    found = await together(
        *(cluster.find("v1", "Secret", item["metadata"]["name"], item["metadata"]["namespace"]) for item in wanted)
    )
    return all(
        there is not None and there.get("data") == item["data"] for item, there in zip(wanted, found, strict=True)
    )


async def changes(engine: Foundation, gitops: GitOps, secrets: SecretsResolved, cluster: Cluster) -> list[Change]:
    wanted = objects(engine, gitops, secrets)
    placed = await of_objects(cluster, [(item, _setting(item, engine)) for item in wanted])
    return [*placed, *await of_those_left(cluster, "v1", "Secret", wanted, "engine", "something may still read it")]


def _setting(item: dict[str, Any], engine: Foundation) -> str:
    """Where castle.yaml says it."""
    place = (item["metadata"]["namespace"], item["metadata"]["name"])
    for number, direct in enumerate(engine.direct_secrets):
        if (direct.namespace, direct.name) == place:
            return f"engine.direct_secrets[{number}]"
    for number, pull in enumerate(engine.pull_secrets):
        if pull.name == place[1] and place[0] in pull.namespaces:
            return f"engine.pull_secrets[{number}]"
    return "gitops"


def objects(engine: Foundation, gitops: GitOps, secrets: SecretsResolved) -> list[dict[str, Any]]:
    """The Secrets: the direct ones, each pull secret in each of its namespaces, then what Flux decrypts, reads and substitutes with."""
    pulls = [_pull_secret(pull, namespace, secrets) for pull in engine.pull_secrets for namespace in pull.namespaces]
    direct = [_direct_secret(direct, secrets) for direct in engine.direct_secrets]
    flux = [_age_key(gitops.decryption, secrets)] if gitops.decryption else []
    flux += [_deploy_key(gitops.auth_secret, gitops.ssh, secrets)] if gitops.ssh else []
    flux += [
        _secret("flux-system", name, "Opaque", {key: _text(value, secrets) for key, value in values.items()})
        for name, values in gitops.substitution.secrets.items()
    ]
    return [*direct, *pulls, *flux]


def _deploy_key(name: str, ssh: Ssh, secrets: SecretsResolved) -> dict[str, Any]:
    """What source-controller reads a repository with over SSH."""
    data = {"identity": _text(ssh.private_key, secrets), "known_hosts": _text(ssh.known_hosts, secrets)}
    return _secret("flux-system", name, "Opaque", data)


def _text(value: SecretRef | str, secrets: SecretsResolved) -> str:
    return value if isinstance(value, str) else secrets[value].reveal()


def _age_key(decryption: Decryption, secrets: SecretsResolved) -> dict[str, Any]:
    """kustomize-controller decrypts with every key whose name ends in .agekey."""
    key = secrets[decryption.age_key].reveal()
    return _secret("flux-system", decryption.secret_name, "Opaque", {"age.agekey": key})


def _secret(namespace: str, name: str, kind: str, data: dict[str, str]) -> dict[str, Any]:
    encoded = {key: base64.b64encode(value.encode()).decode() for key, value in data.items()}
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name, "namespace": namespace},
        "type": kind,
        "data": encoded,
    }


def _direct_secret(direct: DirectSecret, secrets: SecretsResolved) -> dict[str, Any]:
    data = {key: _text(value, secrets) for key, value in direct.data.items()}
    return _secret(direct.namespace, direct.name, direct.type, data)


def _pull_secret(pull: PullSecret, namespace: str, secrets: SecretsResolved) -> dict[str, Any]:
    password = secrets[pull.password].reveal()
    login = {
        "username": pull.username,
        "password": password,
        "auth": base64.b64encode(f"{pull.username}:{password}".encode()).decode(),
    }
    return _secret(
        namespace,
        pull.name,
        "kubernetes.io/dockerconfigjson",
        {".dockerconfigjson": json.dumps({"auths": {pull.registry: login}})},
    )
