"""Section gitops: how a repository is reached."""

import pytest

from rebirth.castle.reference import SecretRef
from rebirth.phases import BOOTSTRAP
from rebirth.run.create import sections

URL = "ssh://git@github.com/owner/repository.git"
HOSTS = "github.com ssh-ed25519 AAAA\n"
SSH = {"private_key": {"secret": "deploy-key"}, "known_hosts": HOSTS}


@pytest.fixture
def by_ssh(draft):
    del draft["gitops.token"]
    draft["gitops.repository"] = URL
    draft["gitops.ssh"] = dict(SSH)
    secrets = draft["engine.direct_secrets"]
    draft["engine.direct_secrets"] = [one for one in secrets if one["namespace"] != "flux-system"]
    return draft


def test_a_deploy_key(by_ssh):
    gitops = by_ssh.load().gitops
    assert gitops.by_ssh
    assert gitops.credentials == [SecretRef(secret="deploy-key")]
    by_ssh["gitops.ssh.known_hosts"] = {"secret": "known-hosts"}
    assert SecretRef(secret="known-hosts") in by_ssh.load().gitops.credentials


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("git@github.com:owner/repository.git", "is written ssh://git@HOST/OWNER/REPOSITORY.git"),
        ("ssh://github.com/owner/repository.git", "must be an SSH URL with a user name"),
        ("ssh://git:word@github.com/owner/repository.git", "must be an SSH URL with a user name"),
        ("ssh://git@github.com", "must be an SSH URL with a user name"),
        ("ssh://git@github.com:port/owner", "must be an SSH URL with a user name"),
        ("http://github.com/owner/repository.git", "must be an https URL"),
    ],
)
def test_urls_that_are_none(by_ssh, url, said):
    by_ssh["gitops.repository"] = url
    (problem,) = by_ssh.refused()
    assert problem.path == "gitops.repository"
    assert said in problem.message
    assert "word" not in problem.message


@pytest.mark.parametrize("text", ["", "# nothing\n", "ssh-ed25519 AAAA\n", "@cert-authority *.example.org AAAA\n"])
def test_what_is_no_known_hosts(by_ssh, text):
    by_ssh["gitops.ssh.known_hosts"] = text
    assert any("ssh-keyscan" in problem.message for problem in by_ssh.refused())


@pytest.mark.parametrize("text", [f"# of github\n\n{HOSTS}", "|1|aaa=|bbb= ssh-rsa AAAA", "@revoked * ssh-rsa AAAA"])
def test_known_hosts(by_ssh, text):
    by_ssh["gitops.ssh.known_hosts"] = text
    assert by_ssh.load().gitops.ssh.known_hosts == text


@pytest.mark.parametrize(
    ("changes", "at", "said"),
    [
        ({"token": {"secret": "t"}}, "token", "not with a token"),
        ({"ssh": None}, "ssh", "is read with a deploy key"),
        ({"repository": "https://github.com/o/r.git"}, "ssh", "a deploy key is for an ssh URL"),
        ({"username": "oauth2"}, "username", "goes with `token`"),
    ],
)
def test_one_way_in(by_ssh, changes, at, said):
    for key, value in changes.items():
        by_ssh[f"gitops.{key}"] = value
    (problem,) = by_ssh.refused()
    assert said in problem.message
    assert problem.path == f"gitops.{at}"


MAPS, SECRETS = {"cluster-settings": {"HOME": "x"}}, {"cluster-secrets": {"DOMAIN": {"secret": "domain"}, "A": "b"}}


def test_config_maps_and_secrets_for_substitution(draft):
    draft["gitops.substitution"] = {"config_maps": MAPS, "secrets": SECRETS}
    castle = draft.load()
    assert castle.gitops.config_maps.keys() == {"cluster-variables", "cluster-settings"}
    assert castle.gitops.secret_names == ["cluster-secrets"]
    assert dict(castle.references())["gitops.substitution.secrets.cluster-secrets.DOMAIN"].secret == "domain"
    assert castle.substituted("ConfigMap", "flux-system", "cluster-settings") == {"HOME": "x"}
    assert castle.substituted("Secret", "flux-system", "cluster-secrets").keys() == {"DOMAIN", "A"}
    assert castle.substituted("Secret", "flux-system", "flux-system").keys() == {"username", "password"}
    assert castle.substituted("Secret", "blog", "cluster-secrets") is None
    assert castle.substituted("Secret", "flux-system", "nothing") is None


def test_a_castle_without_variables_has_no_config_map_for_them(draft):
    del draft["gitops.variables"]
    assert draft.load().gitops.config_maps == {}


@pytest.mark.parametrize(
    ("changes", "at"),
    [
        (
            {"substitution": {"config_maps": {"cluster-variables": {}}}},
            "gitops.substitution.config_maps.cluster-variables",
        ),
        ({"substitution": {"secrets": {"flux-system": {}}}}, "engine.direct_secrets[2].name"),
        ({"decryption": {"age_key": {"secret": "k"}}, "substitution": {"secrets": {"sops-age": {}}}}, "gitops"),
    ],
)
def test_what_two_would_make(draft, changes, at):
    for key, value in changes.items():
        draft[f"gitops.{key}"] = value
    (problem,) = draft.refused()
    assert problem.path == at


def test_the_deploy_key_has_the_place_of_the_token(by_ssh):
    by_ssh["engine.direct_secrets.0"] = {"namespace": "flux-system", "name": "flux-system", "data": {"username": "git"}}
    assert any("flux-system/flux-system is made twice" in problem.message for problem in by_ssh.refused())


def test_the_name_that_goes_with_a_token(draft):
    assert draft.load().gitops.username == "git"
    draft["gitops.username"] = "oauth2"
    assert draft.load().gitops.username == "oauth2"


def test_flux_by_its_operator(draft):
    draft["gitops.flux"] = {"operator": {"version": "0.33.0"}, "instance": {"distribution": {"version": "2.x"}}}
    castle = draft.load()
    assert castle.gitops.flux.operator.repository == "oci://ghcr.io/controlplaneio-fluxcd/charts"
    phases = {phase.name for phase in BOOTSTRAP.of(sections(castle)).phases}
    assert "bootstrap_flux_instance" in phases
    assert "bootstrap_flux" not in phases
    assert "converge" in phases


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("instance.sync", {"url": "x"}, "gitops itself says repository, branch and path"),
        ("operator.namespace", "flux", "must be 'flux-system'"),
        ("operator.repository", "http://charts.example.org", "must be an https URL"),
        ("operator.repository", "oci://", "must be an https URL"),
    ],
)
def test_what_flux_operator_does_not_take(draft, key, value, said):
    draft["gitops.flux"] = {"operator": {"version": "0.33.0"}, "instance": {}}
    draft[f"gitops.flux.{key}"] = value
    (problem,) = draft.refused()
    assert problem.path == f"gitops.flux.{key}"
    assert said in problem.message
