"""A GitOps repository behind a real sshd, read with a deploy key."""

import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from rebirth.castle import GitOps, Ssh, load
from rebirth.castle.reference import SecretRef
from rebirth.commands import Commands
from rebirth.errors import Broken, NotYet, SpecError
from rebirth.lab.systems.git import Repository
from rebirth.paths import Paths, paths_of
from rebirth.phases import place_secrets
from rebirth.phases.connections import git_remote
from rebirth.phases.read_repository import read_repository
from rebirth.phases.resolve_secrets import resolved
from rebirth.run.facts import SecretsResolved
from rebirth.secrets import Redaction, Secret
from ssh_host import SSHD, new_key, ssh_host

pytestmark = pytest.mark.skipif(not SSHD.exists(), reason="openssh-server is not installed")
KEY, HOSTS = SecretRef(secret="deploy-key"), SecretRef(secret="known-hosts")
BRANCH, FOLDER = "main", "clusters/home"


@pytest.fixture
async def host(tmp_path, monkeypatch):
    """`await host.read()`: the phase, with the real git and ssh against a real sshd."""
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    (tmp_path / "source" / FOLDER).mkdir(parents=True)
    (tmp_path / "source" / FOLDER / "kustomization.yaml").write_text("resources: []\n")
    repository = Repository(tmp_path / "git" / "castle.git", tmp_path / "source", BRANCH)
    await repository.make()
    async with ssh_host(tmp_path / "sshd") as served:
        url = served.url(repository.bare)

        async def read(url=url, key=served.key, known_hosts=served.known_hosts, branch=BRANCH, commands=None):
            secrets = SecretsResolved({KEY.secret: Secret(key), HOSTS.secret: Secret(known_hosts)})
            ssh = Ssh(private_key=KEY, known_hosts=HOSTS)
            gitops = GitOps(repository=url, branch=branch, path=FOLDER, ssh=ssh)
            paths = Paths(*(tmp_path / name for name in ("castle", "vault", "produced", "state", "logs")))
            remote = git_remote(gitops, paths, secrets, commands or Commands(Redaction()))
            return await read_repository(gitops, remote)

        yield SimpleNamespace(read=read, url=url, served=served)


async def test_it_is_read_and_nothing_is_left_behind(host, tmp_path):
    before = set(tmp_path.rglob("*"))
    fact = await host.read()
    assert len(fact.commit) == 40
    assert fact.flux_manifests is None
    state = tmp_path / "state"
    assert set(tmp_path.rglob("*")) - before == {state, state / "git"}, "where it was, while it was read"


async def test_a_key_without_a_line_break_at_its_end(host):
    assert await host.read(key=host.served.key.strip())


class Watched(Commands):
    """Notes what each program was begun with."""

    seen: list[str]

    async def run(self, argv, *, operation, stdin=b"", env=None, cwd=None):
        self.seen += [*argv, *(env or {}).values()]
        folder = Path(os.environ["TMPDIR"])
        self.seen += [file.read_text() for file in folder.glob("rebirth-ssh-*/*") if file.is_file()]
        return await super().run(argv, operation=operation, stdin=stdin, env=env, cwd=cwd)


async def test_the_key_is_in_no_argument_environment_or_file(host):
    commands = Watched(Redaction())
    commands.seen = []
    await host.read(commands=commands)
    secret = host.served.key.splitlines()[1]
    assert commands.seen
    assert not [text for text in commands.seen if secret in text]


async def test_another_key(host):
    with pytest.raises(Broken, match="the deploy key was rejected") as caught:
        await host.read(key=new_key()[0])
    assert "gitops.ssh.private_key" in caught.value.hint


async def test_a_host_with_another_key_than_the_known_one(host):
    known = host.served.known_hosts.split()[0]
    with pytest.raises(Broken, match=r"the host's key is not among gitops\.ssh\.known_hosts") as caught:
        await host.read(known_hosts=f"{known} {new_key()[1]}\n")
    assert "ssh-keyscan" in caught.value.hint


async def test_a_host_that_is_not_known(host):
    with pytest.raises(Broken, match=r"the host's key is not among gitops\.ssh\.known_hosts"):
        await host.read(known_hosts=f"github.com {new_key()[1]}\n")


async def test_a_host_that_is_away(host):
    with pytest.raises(NotYet, match="Connection refused"):
        await host.read(url="ssh://git@127.0.0.1:1/castle.git", known_hosts=host.served.known_hosts)


@pytest.mark.parametrize("url", ["nowhere.git"])
async def test_a_repository_that_is_not_there(host, url):
    with pytest.raises(Broken, match="or the repository does not exist"):
        await host.read(url=host.url + url)


async def test_a_branch_that_is_not_there(host):
    with pytest.raises(Broken, match="has no branch nowhere"):
        await host.read(branch="nowhere")


async def test_what_flux_gets():
    key, hosts = new_key()[0], f"github.com {new_key()[1]}\n"
    ssh = Ssh(private_key=KEY, known_hosts=hosts)
    gitops = GitOps(repository="ssh://git@github.com/o/r.git", branch=BRANCH, path=FOLDER, ssh=ssh)
    castle = load(Path(__file__).parents[2] / "examples" / "castle")
    engine = castle.engine.model_copy(update={"direct_secrets": [], "pull_secrets": []})
    (made,) = place_secrets.objects(engine, gitops, SecretsResolved({KEY.secret: Secret(key)}))
    assert made["metadata"] == {"name": "flux-system", "namespace": "flux-system"}
    assert set(made["data"]) == {"identity", "known_hosts"}


@pytest.fixture
def vault(tmp_path, monkeypatch):
    monkeypatch.setenv("REBIRTH_VAULT_DIRECTORY", str(tmp_path))
    return tmp_path


def look(vault, reference, path):
    castle = load(Path(__file__).parents[2] / "examples" / "castle")
    return resolved([(path, reference)], paths_of(vault, castle.secrets), Redaction())


@pytest.mark.parametrize(
    ("text", "message"),
    [("ghp_0123", "not a private SSH key"), (new_key()[1].replace(" ", "-"), "not a private SSH key")],
    ids=["a token", "a public key"],
)
def test_what_is_no_key(vault, text, message):
    (vault / KEY.secret).write_text(text)
    with pytest.raises(SpecError, match=message):
        look(vault, KEY, "gitops.ssh.private_key")


async def test_a_key_with_a_passphrase(vault):
    made = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "secret-words", "-f", str(vault / KEY.secret)]
    await Commands(Redaction()).run(made, operation="make a key")
    with pytest.raises(SpecError, match="protected by a passphrase"):
        look(vault, KEY, "gitops.ssh.private_key")


@pytest.mark.parametrize("kind", ["ed25519", "rsa", "ecdsa"])
@pytest.mark.parametrize("form", ["RFC4716", "PEM"])
async def test_keys_as_ssh_keygen_makes_them(vault, kind, form):
    made = ["ssh-keygen", "-q", "-t", kind, "-N", "", "-m", form, "-f", str(vault / KEY.secret)]
    await Commands(Redaction()).run(made, operation="make a key")
    assert look(vault, KEY, "gitops.ssh.private_key")


def test_known_hosts_among_the_secrets(vault):
    (vault / HOSTS.secret).write_text(f"# github.com:22\ngithub.com {new_key()[1]}\n\n")
    assert look(vault, HOSTS, "gitops.ssh.known_hosts")
    (vault / HOSTS.secret).write_text(new_key()[1])
    with pytest.raises(SpecError, match="must be lines of a known_hosts file"):
        look(vault, HOSTS, "gitops.ssh.known_hosts")
