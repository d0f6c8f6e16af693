"""The real Flux controllers against what is outside of a rehearsal: what they take, and what they say of what is not there."""

import asyncio
import base64
import json
import shutil
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
import yaml

from rebirth.diagnosis.cause import Outlook
from rebirth.diagnosis.root_cause import causes
from rebirth.lab.building.toolchain import Toolchain, chosen
from rebirth.lab.ca import Authority
from rebirth.proof.prove import prove
from rebirth.rehearse.control_plane import ControlPlane
from rebirth.rehearse.outside.admission import ASKED_FOR
from rebirth.rehearse.outside.outside import Outside
from rebirth.rehearse.outside.references import published
from rebirth.rehearse.processes import Processes
from rebirth.store.store import Store
from releases import APP, release, root
from store.archives import chart
from trees import write

pytestmark = pytest.mark.lab

CONTROLLERS = ("source-controller", "kustomize-controller", "helm-controller")
SECRET = {
    "apiVersion": "v1",
    "kind": "Secret",
    "metadata": {"name": "db", "namespace": "apps"},
    "stringData": {"password": "ENC[AES256_GCM,data:AAAA,iv:BBBB,tag:CCCC,type:str]"},
    "sops": {"age": [{"recipient": "age1theirs", "enc": "-"}], "mac": "ENC[x]"},
}
MORE = f"""\
apiVersion: v1
kind: Namespace
metadata: {{name: apps}}
---
apiVersion: source.toolkit.fluxcd.io/v1
kind: OCIRepository
metadata: {{name: referenced, namespace: apps}}
spec:
  interval: 1h
  url: oci://ghcr.io/example/charts/referenced
  provider: aws
  verify: {{provider: cosign}}
  ref: {{digest: "sha256:{"0" * 64}"}}
---
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {{name: referenced, namespace: apps}}
spec:
  interval: 10m
  chartRef: {{kind: OCIRepository, name: referenced}}
  postRenderers: [{{kustomize: {{patches: [{{patch: "{{apiVersion: v1, kind: Service, metadata: {{name: not-there}}}}"}}]}}}}]
---
apiVersion: source.toolkit.fluxcd.io/v1
kind: GitRepository
metadata: {{name: charts, namespace: apps}}
spec: {{interval: 1h, url: "https://github.com/example/charts", ref: {{commit: {"b2" * 20}}}}}
---
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {{name: in-git, namespace: apps}}
spec: {{interval: 10m, chart: {{spec: {{chart: ./deep/app, valuesFiles: [deep/app/x.yaml], sourceRef: {{kind: GitRepository, name: charts}}}}}}}}
---
apiVersion: source.toolkit.fluxcd.io/v1
kind: HelmRepository
metadata: {{name: unused, namespace: apps}}
spec: {{interval: 1h, url: "https://unused.example"}}
---
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {{name: remote, namespace: flux-system}}
spec: {{interval: 10m, path: ./remote, prune: true, sourceRef: {{kind: GitRepository, name: flux-system}}}}
---
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {{name: remote-missing, namespace: flux-system}}
spec: {{interval: 10m, path: ./remote-missing, prune: true, sourceRef: {{kind: GitRepository, name: flux-system}}}}
---
apiVersion: source.toolkit.fluxcd.io/v1
kind: GitRepository
metadata: {{name: missing, namespace: apps}}
spec: {{interval: 1m, url: "ssh://git@github.com:2222/example/missing.git", secretRef: {{name: nobody-made-it}}}}
---
apiVersion: source.toolkit.fluxcd.io/v1
kind: OCIRepository
metadata: {{name: missing, namespace: apps}}
spec: {{interval: 1h, url: "oci://ghcr.io/example/manifests", ref: {{tag: "1.0"}}}}
"""


CONFIG_MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {}, namespace: apps}}\n"


def lay(tree: Path) -> Path:
    root(tree)
    entries = "resources: [https://raw.example/a.yaml, 'https://github.com/example/base//deep?ref=v1']\n"
    write(tree, "remote/kustomization.yaml", entries)
    write(tree, "remote-missing/kustomization.yaml", "resources: [https://raw.example/missing.yaml]\n")
    file = tree / "clusters/x/flux-system.yaml"
    text = file.read_text().replace("https://git.example/owner/tree", "ssh://git@git.example/owner/tree")
    text = text.replace("ref: {branch: main}", f"ref: {{commit: {'a1' * 20}}}, secretRef: {{name: deploy-key}}")
    file.write_text(text + "  decryption: {provider: sops}\n")
    write(tree, "clusters/x/more.yaml", MORE)
    write(tree, "clusters/x/secret.yaml", yaml.safe_dump(SECRET))
    release(tree, "web", "nobody-knows", "https://charts.example/deep", "^2.1")
    release(tree, "stored", "stored", "https://stored.example", ">=1.0.0")
    release(tree, "app", "app-template", "oci://ghcr.io/bjw-s-labs/helm", "4.x", APP)
    release(tree, "cert-manager", "cert-manager", "https://charts.jetstack.io", "v1.15.3", "crds: {enabled: true}")
    return tree


class Running:
    """A rehearsal's cluster with the real controllers."""

    def __init__(self, folder: Path, tree: Path, store: Store) -> None:
        self.folder, self.tree, self.store = folder, tree, store
        self.processes = Processes(folder / "logs")

    async def start(self, stack: AsyncExitStack) -> None:
        authority = Authority("test")
        components = ["etcd", "kubernetes", *CONTROLLERS]
        programs = await Toolchain().programs(chosen(components))
        world = (await prove(self.tree)).worlds[0]
        self.outside = Outside(self.folder / "outside", authority, world, self.store)
        plane = ControlPlane(self.folder / "cluster", programs, self.processes, authority)
        stack.push_async_callback(self.processes.stop)
        stack.push_async_callback(self.outside.stop)
        await self.outside.start()
        cluster = await plane.start()
        stack.push_async_callback(cluster.close)
        self.kubeconfig = plane.kubeconfig
        for name in CONTROLLERS:
            folder = await Toolchain().module_folder(name) / "config/crd/bases"
            await self.kubectl("apply", "--server-side", "-f", str(folder))
        namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "flux-system"}}
        for item in (*self.outside.first(), namespace):
            await self.kubectl("apply", "-f", "-", said=json.dumps(item))
        for number, name in enumerate(CONTROLLERS):
            own = [
                "--storage-path",
                str(self.folder),
                *(f"--storage-{one}={plane.address}:9090" for one in ("addr", "adv-addr")),
            ]
            flags = ["--enable-leader-election=false", "--metrics-addr=0", "--health-addr=0", "--requeue-dependency=1s"]
            environment = {"KUBECONFIG": str(plane.kubeconfig), "RUNTIME_NAMESPACE": "flux-system", "TMPDIR": str(self.folder),
                           **self.outside.environment, "NO_PROXY": plane.address, "no_proxy": plane.address}  # fmt: skip
            argv = [programs[name], *flags, *(own if number == 0 else [])]
            await self.processes.start(name, argv, environment)

    async def kubectl(self, *arguments: str, said: str = "") -> str:
        pipe = asyncio.subprocess.PIPE
        argv = [shutil.which("kubectl") or "kubectl", f"--kubeconfig={self.kubeconfig}", *arguments]
        process = await asyncio.create_subprocess_exec(*argv, stdin=pipe, stdout=pipe, stderr=pipe)
        out, complained = await process.communicate(said.encode())
        assert process.returncode == 0, f"{arguments}: {complained.decode()}"
        return out.decode()

    async def get(self, kind: str, namespace: str, name: str) -> dict:
        return json.loads(await self.kubectl("get", kind, "-n", namespace, name, "-o", "json"))

    async def status(self, kind: str, namespace: str, name: str, wanted: str) -> dict:
        """The object, once its condition Ready is what is wanted."""
        item = {}
        for _ in range(120):
            await self.processes.check()
            said = await self.kubectl("get", kind, "-n", namespace, name, "-o", "json", "--ignore-not-found")
            item = json.loads(said) if said else {}
            conditions = item.get("status", {}).get("conditions", [])
            if any(one["type"] == "Ready" and one["status"] == wanted for one in conditions):
                return item
            await asyncio.sleep(0.5)
        raise AssertionError(f"{kind} {namespace}/{name} is not {wanted}: {json.dumps(item.get('status'), indent=1)}")


async def fetched(store: Store, source: Path) -> None:
    """A base of a kustomization in another repository."""
    write(source, "deep/kustomization.yaml", "resources: [a.yaml]\n")
    write(source, "deep/a.yaml", CONFIG_MAP.format("remote-base"))
    url = "https://github.com/example/base"
    await published(source, store.git_folder(url), ["refs/tags/v1"])
    store.put_git(url, {"refs/tags/v1": "0" * 40})


async def test_what_flux_takes_and_what_it_says(short_path, tmp_path):
    store, tree = Store(tmp_path / "store"), lay(tmp_path / "tree")
    template = {"templates/made.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: made-by-it}\n"}
    store.put_chart("https://stored.example", chart(tmp_path, "stored", "1.2.3", files=template))
    store.put_file("https://raw.example/a.yaml", write(tmp_path, "a.yaml", CONFIG_MAP.format("remote-file")))
    await fetched(store, tmp_path / "base")
    running = Running(short_path, tree, store)
    async with AsyncExitStack() as stack:
        await running.start(stack)
        await running.kubectl("apply", "-f", str(tree / "clusters/x/flux-system.yaml"))

        # The tree: over SSH with a key that nobody made, at a commit that is not there.
        source = await running.status("gitrepository", "flux-system", "flux-system", "True")
        assert source["spec"]["url"] == "https://git.example/owner/tree"
        assert "secretRef" not in source["spec"]
        was = json.loads(source["metadata"]["annotations"][ASKED_FOR])
        assert was["url"] == "ssh://git@git.example/owner/tree"
        await running.status("kustomization", "flux-system", "flux-system", "True")
        secret = await running.get("secret", "apps", "db")
        assert len(base64.b64decode(secret["data"]["password"])) == 40

        # Charts: one that was fetched; on paper from the web, from a registry by range and by digest, from Git at a commit.
        await running.status("helmrepository", "apps", "unused", "True")
        for name in ("stored", "web", "referenced", "in-git"):
            await running.status("helmrelease", "apps", name, "True")
        await running.get("configmap", "apps", "made-by-it")
        await running.get("configmap", "apps", "web-on-paper")
        await running.get("configmap", "apps", "referenced-on-paper")
        await running.status("helmchart", "apps", "apps-app", "True")
        for _ in range(60):
            if await running.kubectl("get", "deployment", "-n", "apps", "cert-manager-webhook", "--ignore-not-found"):
                break
            await asyncio.sleep(0.5)
        await running.get("crd", "", "certificates.cert-manager.io")

        # What kustomize itself fetches, with its own client and with git.
        await running.status("kustomization", "flux-system", "remote", "True")
        await running.get("configmap", "apps", "remote-file")
        await running.get("configmap", "apps", "remote-base")

        # What is not there is final, and says so.
        key = ("Kustomization", "flux-system", "remote-missing")
        item = await running.status("kustomization", "flux-system", "remote-missing", "False")
        ((cause,),) = causes({key: item}, {("GitRepository", "flux-system", "flux-system"): source}, []).values()
        assert (cause.key, cause.outlook) == (key, Outlook.FINAL), cause
        found = {}
        for kind in ("GitRepository", "OCIRepository"):
            item = await running.status(kind.lower(), "apps", "missing", "False")
            found[kind, "apps", "missing"] = item
        node = {
            "kind": "Kustomization",
            "metadata": {"name": "a", "namespace": "apps"},
            "spec": {"sourceRef": {"kind": "GitRepository", "name": "missing"}},
            "status": {"conditions": []},
        }
        other = {**node, "spec": {"sourceRef": {"kind": "OCIRepository", "name": "missing"}}}
        for waiting in (node, other):
            ((cause,),) = causes({("Kustomization", "apps", "a"): waiting}, found, []).values()
            assert "not fetched" in cause.message, cause
            assert cause.outlook is Outlook.FINAL, cause
        assert {(one.kind, one.name) for one in running.outside.missing} == {
            ("Git repository", "github.com/example/missing"),
            ("artifact", "ghcr.io/example/manifests:1.0"),
            ("file", "https://raw.example/missing.yaml"),
        }

        # The tree as it is later.
        write(
            tree, "clusters/x/later.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: later, namespace: apps}\n"
        )
        await running.outside.take()
        await running.kubectl(
            "annotate", "gitrepository", "-n", "flux-system", "flux-system", "reconcile.fluxcd.io/requestedAt=now"
        )
        for _ in range(60):
            if await running.kubectl("get", "configmap", "-n", "apps", "later", "--ignore-not-found"):
                break
            await asyncio.sleep(0.5)
        else:
            raise AssertionError("the change is not applied")


SOURCES = {
    "bucket": 'kind: Bucket\nspec: {interval: 1m, endpoint: "minio.example", bucketName: tree, provider: aws}\n',
    "ocirepository": 'kind: OCIRepository\nspec: {interval: 1m, url: "oci://ghcr.io/owner/tree", ref: {semver: "*"}}\n',
}


@pytest.mark.parametrize("kind", sorted(SOURCES))
async def test_a_tree_that_flux_has_from_elsewhere_than_git(short_path, tmp_path, kind):
    tree = root(tmp_path / "tree")
    file = tree / "clusters/x/flux-system.yaml"
    named = SOURCES[kind].partition("\n")[0].partition(" ")[2]
    head = "apiVersion: source.toolkit.fluxcd.io/v1\nmetadata: {name: flux-system, namespace: flux-system}\n"
    rest = file.read_text().partition("---\n")[2].replace("kind: GitRepository", f"kind: {named}")
    file.write_text(f"{head}{SOURCES[kind]}---\n{rest}")
    write(tree, "clusters/x/deep/more.yaml", CONFIG_MAP.format("from-the-tree").replace("apps", "default"))
    running = Running(short_path, tree, Store(tmp_path / "store"))
    async with AsyncExitStack() as stack:
        await running.start(stack)
        await running.kubectl("apply", "-f", str(file))
        await running.status(kind, "flux-system", "flux-system", "True")
        await running.status("kustomization", "flux-system", "flux-system", "True")
        await running.get("configmap", "default", "from-the-tree")
    assert not list(running.outside.missing)
