"""The command against an API server that listens: which cluster it asks, what it prints, how it ends, what it never reads."""

import asyncio
import json
from dataclasses import dataclass, field

import pytest

from cluster.conftest import Inside
from living.healthy import APPS, ESO, Healthy, progressing
from living.objects import pod, workload
from living.test_roots import NOT_FOUND
from standins.apiserver import kubernetes_app
from standins.conftest import write_kubeconfig
from standins.kubernetes import Kubernetes
from trees import lay, write

SECRET = "Y2FuYXJ5LW9mLWEtc2VjcmV0"  # a value that is in the cluster
DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: apps}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
        - name: web
          image: registry.example/web:1
"""


@dataclass
class Asked:
    """An API server on loopback, and what it was asked and answered."""

    healthy: Healthy
    run: object
    methods: set[str] = field(default_factory=set)
    answers: list[bytes] = field(default_factory=list)


@pytest.fixture
async def asked(serve, desk):
    """`await asked.run(...)` -> (code, output, complaints) of `rebirth diagnose ...` with kubectl's own kubeconfig."""
    kubernetes = Kubernetes()
    app = kubernetes_app(kubernetes)

    async def watched(scope, receive, send):
        found.methods.add(scope["method"])

        async def answer(message):
            found.answers.append(message.get("body", b""))
            await send(message)

        await app(scope, receive, answer)

    async def run(*arguments):
        return await asyncio.to_thread(desk.process, "diagnose", *arguments)

    found = Asked(Healthy(Inside(kubernetes, None, [])), run)
    served = await serve(watched)
    file = desk.folder / "kubeconfig"
    write_kubeconfig(file, served.url, str(served.ca))
    desk.environment["KUBECONFIG"] = str(file)
    return found


def without_image(healthy, minutes=60.0):
    waiting = {"reason": "ImagePullBackOff", "message": NOT_FOUND}
    healthy.put(workload("Deployment", "web", "apps", labels=APPS, available=0, minutes=minutes))
    healthy.put(pod("web", "apps", ready=False, waiting=waiting, minutes=minutes))
    healthy.put(progressing("apps", "stores", wait=True))


async def test_all_is_ready(asked):
    code, said, _ = await asked.run()
    assert (code, len(said.splitlines())) == (0, 2)
    assert said.startswith("All is Ready in stand-in: 2 Nodes, 4 Kustomizations, 1 HelmRelease, ")


async def test_the_root_first_with_its_line_and_what_it_holds_up(asked, desk):
    without_image(asked.healthy)
    tree = lay(desk.folder / "tree", apps="")
    write(tree, "apps/web.yaml", DEPLOYMENT)
    code, said, _ = await asked.run("--gitops", "tree")
    assert code == 3
    assert (
        said
        == """\
broken: Deployment apps/web: image registry.example/web:1 cannot be pulled:
  Back-off pulling image "registry.example/web:1": ErrImagePull: failed to pull
  and unpack image "registry.example/web:1": failed to resolve reference
  "registry.example/web:1": registry.example/web:1: not found
  at tree/apps/web.yaml:11
  for 60 min
  hint: The image cannot be fetched: are its name and tag right, and may the
    cluster read it (imagePullSecrets)?
  holds up
  └─ Kustomization flux-system/apps

Not Ready in stand-in: 1 broken; 1 object waits for that
"""
    )


async def test_the_same_as_data(asked):
    without_image(asked.healthy)
    code, said, _ = await asked.run("--json")
    found = json.loads(said)
    (root,) = found["roots"]
    assert (code, found["version"], found["ready"], found["unread"]) == (3, 1, False, [])
    assert (root["object"], root["word"]) == ("Deployment apps/web", "broken")
    assert root["outlook"] == "will not fix itself"
    assert root["holds_up"] == [{"object": "Kustomization flux-system/apps", "holds_up": []}]
    assert 3595 < root["seconds"] < 3700


async def test_what_is_only_young_ends_otherwise(asked):
    asked.healthy.put(workload("Deployment", "web", "apps", available=0, minutes=1))
    asked.healthy.put(pod("web", "apps", ready=False, waiting={"reason": "ContainerCreating"}, minutes=1))
    code, said, _ = await asked.run()
    assert code == 4
    assert said.splitlines()[0] == "waits: Deployment apps/web: is starting"
    assert said.splitlines()[-1] == "Not Ready in stand-in: 1 not Ready yet"


async def test_it_reads_and_never_a_value_of_a_secret(asked):
    """Even where it has to know whether one is there, and one that is there is what somebody waits for."""
    waiting = {"reason": "ContainerCreating"}
    volumes = [{"name": name, "secret": {"secretName": name}} for name in ("db", "gone")]
    asked.healthy.put(workload("Deployment", "web", "apps", labels=APPS, available=0))
    asked.healthy.put(pod("web", "apps", ready=False, waiting=waiting, volumes=volumes))
    code, said, _ = await asked.run()
    assert (code, said.splitlines()[0]) == (3, "broken: Secret apps/gone: does not exist; pods mount it")
    assert asked.methods == {"GET"}
    assert not [answer for answer in asked.answers if SECRET.encode() in answer]
    assert any(b'"kind":"Table"' in answer for answer in asked.answers)


async def test_without_the_right_to_read_secrets(asked):
    waiting = {"reason": "CreateContainerConfigError", "message": 'secret "gone" not found'}
    asked.healthy.put(workload("Deployment", "web", "apps", labels=APPS, available=0))
    asked.healthy.put(pod("web", "apps", ready=False, waiting=waiting))
    kubernetes = asked.healthy.kubernetes
    kubernetes.forbids = lambda verb, kind, namespace: "no" if kind.kind in {"Secret", "Node"} else None
    code, said, _ = await asked.run()
    assert code == 3
    told = 'broken: Deployment apps/web: container web: CreateContainerConfigError: secret "gone" not found'
    assert " ".join(said.split()).startswith(told)
    assert "not looked at: Node, Secret" in said


async def test_what_the_repository_makes_waits_for_who_applies_it(asked, desk):
    """The ExternalSecret is not in the cluster: the Kustomization that has it in its folder comes first."""
    asked.healthy.take(ESO, "ExternalSecret", "db", "apps")
    asked.healthy.take("v1", "Secret", "db", "apps")
    said = "kustomize build failed: accumulating resources: missing.yaml: no such file or directory"
    broken = progressing("stores", "infra")
    broken["status"]["conditions"][0] |= {"status": "False", "reason": "BuildFailed", "message": said}
    waiting = {"reason": "CreateContainerConfigError", "message": 'secret "db" not found'}
    asked.healthy.put(broken, workload("Deployment", "web", "apps", labels=APPS, available=0))
    asked.healthy.put(pod("web", "apps", ready=False, waiting=waiting))
    tree = lay(desk.folder / "tree", infra="", stores="infra", apps="")
    write(tree, "stores/db.yaml", f"""\
        apiVersion: {ESO}
        kind: ExternalSecret
        metadata: {{name: db, namespace: apps}}
        spec: {{secretStoreRef: {{kind: ClusterSecretStore, name: vault}}, target: {{name: db}}, data: []}}
        """)  # fmt: skip
    code, answer, _ = await asked.run("--gitops", "tree", "--json")
    (root,) = json.loads(answer)["roots"]
    assert (code, root["object"]) == (3, "Kustomization flux-system/stores")
    held = {"object": "Secret apps/db", "holds_up": [{"object": "Deployment apps/web", "holds_up": []}]}
    assert held in root["holds_up"]


async def test_which_cluster_is_asked(asked, desk):
    other = desk.folder / "other"
    other.write_text("apiVersion: v1\nkind: Config\nclusters: []\ncontexts: []\nusers: []\n")
    desk.environment["KUBECONFIG"] = f"{other}:{desk.environment['KUBECONFIG']}"
    assert (await asked.run())[0] == 0
    assert (await asked.run("--context", "stand-in"))[0] == 0
    code, _, complaint = await asked.run("--context", "home")
    assert code == 1
    assert "no kubeconfig with a context home in " in complaint
    code, _, complaint = await asked.run("--kubeconfig", str(other))
    assert code == 1
    assert f"{other} is not a kubeconfig" in complaint


async def test_a_castle_that_has_no_cluster_yet(asked, desk):
    desk.castle()
    code, _, complaint = await asked.run("castle")
    assert code == 1
    assert "the castle has no cluster yet" in complaint
    assert "hint: `rebirth create` makes the cluster; --kubeconfig names another one." in complaint


async def test_nobody_answers(desk):
    write_kubeconfig(desk.folder / "kubeconfig", "https://127.0.0.1:1")
    code, said, complaint = await asyncio.to_thread(desk.process, "diagnose", "--kubeconfig", "kubeconfig")
    assert (code, said) == (1, "")
    assert "Kubernetes: " in complaint
