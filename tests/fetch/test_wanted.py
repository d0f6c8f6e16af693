"""What a tree uses of the world outside."""

import pytest

from rebirth.checking import Asked, proved
from rebirth.fetch.things import Artifact, Chart, File, Git, Image, Login
from rebirth.fetch.wanted import wanted
from rebirth.store.names import name_of
from store.archives import chart
from trees import write

SYNC = """\
apiVersion: source.toolkit.fluxcd.io/v1
kind: GitRepository
metadata: {name: flux-system, namespace: flux-system}
spec: {interval: 1m, url: "https://github.com/owner/tree", ref: {branch: main}}
---
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: flux-system, namespace: flux-system}
spec: {interval: 10m, path: ./clusters/x, prune: true, sourceRef: {kind: GitRepository, name: flux-system}}
"""


@pytest.fixture
def asked(tmp_path):
    """`await asked(text, ...)` -> what the tree with these objects uses."""

    async def ask(*texts, **files):
        root = tmp_path / "tree"
        write(root, "clusters/x/sync.yaml", SYNC)
        for number, text in enumerate(texts):
            write(root, f"clusters/x/{number}.yaml", text)
        for path, text in files.items():
            write(root, path, text)
        async with proved(Asked(None, root)) as done:
            found = wanted(done.proof)
            ask.where = {thing: done.places.text(thing.place) for thing in found.things}
            return found

    return ask


def repository(name, url, more=""):
    return f"""\
apiVersion: source.toolkit.fluxcd.io/v1
kind: HelmRepository
metadata: {{name: {name}, namespace: flux-system}}
spec: {{interval: 1h, url: "{url}"{more}}}
"""


def release(name, source, *, chart="web", version="1.2.3", values="{}"):
    return f"""\
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {{name: {name}, namespace: flux-system}}
spec:
  interval: 1h
  chart: {{spec: {{chart: {chart}, version: "{version}", sourceRef: {{kind: HelmRepository, name: {source}}}}}}}
  values: {values}
"""


def source(kind, name, spec):
    return f"""\
apiVersion: source.toolkit.fluxcd.io/v1
kind: {kind}
metadata: {{name: {name}, namespace: flux-system}}
spec: {{interval: 1h, {spec}}}
"""


async def test_charts(asked):
    found = await asked(
        repository("r", "https://charts.example.com", ", secretRef: {name: login}"),
        repository("o", "oci://ghcr.io/owner/charts", ", type: oci, insecure: true"),
        release("a", "r"),
        release("b", "o", version="1.x"),
        release("c", "r"),
        release("d", "none"),
        release("e", "r", version="${VERSION}"),
    )
    web, of_registry = found.things
    assert web == Chart("https://charts.example.com", "web", "1.2.3")
    assert web.login == Login("flux-system", "login")
    assert of_registry == Chart("oci://ghcr.io/owner/charts", "web", "1.x", insecure=True)
    assert asked.where[web].endswith("clusters/x/2.yaml:6")
    assert found.unrendered == 5


async def test_a_chart_object(asked):
    found = await asked(
        repository("r", "https://charts.example.com"),
        source("HelmChart", "c", 'chart: web, version: "~1.2", sourceRef: {kind: HelmRepository, name: r}'),
        "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {name: a, namespace: flux-system}\n"
        "spec: {interval: 1h, chartRef: {kind: HelmChart, name: c}}\n",
    )
    assert found.things == (Chart("https://charts.example.com", "web", "~1.2"),)


LAYER = 'layerSelector: {mediaType: "application/vnd.cncf.helm.chart.content.v1.tar+gzip", operation: copy}'


async def test_artifacts(asked):
    found = await asked(
        source("OCIRepository", "a", 'url: "oci://ghcr.io/owner/app", ref: {tag: main}'),
        source(
            "OCIRepository", "b", 'url: "oci://ghcr.io/owner/app", ref: {tag: v1, semver: "1.x", semverFilter: ".*-rc"}'
        ),
        source("OCIRepository", "c", f'url: "oci://ghcr.io/owner/app", ref: {{tag: v1, digest: "sha256:{"0" * 64}"}}'),
        source("OCIRepository", "d", 'url: "oci://ghcr.io/owner/app"'),
        source("OCIRepository", "e", f'url: "oci://ghcr.io/owner/app", ref: {{semver: 1.x}}, {LAYER}'),
    )
    name = "ghcr.io/owner/app"
    assert found.things == (
        Artifact(name, tag="main"),
        Artifact(name, semver="1.x", only=".*-rc"),
        Artifact(name, digest=f"sha256:{'0' * 64}"),
        Artifact(name),
        Artifact(name, semver="1.x", chart=True),
    )


async def test_repositories_other_than_its_own(asked):
    found = await asked(
        source("GitRepository", "again", 'url: "ssh://git@github.com/owner/tree.git"'),
        source("GitRepository", "a", 'url: "https://github.com/owner/app", ref: {tag: v1}'),
        source("GitRepository", "b", 'url: "https://github.com/owner/app"'),
        source("GitRepository", "c", 'url: "https://github.com/owner/app", ref: {branch: main, commit: abc}'),
    )
    url = "https://github.com/owner/app"
    assert found.things == (Git(url, tag="v1"), Git(url, branch="master"), Git(url, commit="abc", branch="main"))


async def test_what_kustomizations_take_from_elsewhere(asked):
    found = await asked(
        **{
            "clusters/x/kustomization.yaml": """\
                resources:
                  - sync.yaml
                  - https://example.com/crds.yaml
                  - https://github.com/owner/app//config?ref=v1
                """
        }
    )
    assert found.things == (File("https://example.com/crds.yaml"), Git("https://github.com/owner/app", loose="v1"))
    assert asked.where[found.things[0]].endswith("clusters/x/kustomization.yaml:3")


POD = """\
spec:
  initContainers: [{name: i, image: "busybox:1"}]
  containers: [{name: a, image: "ghcr.io/owner/app:v1"}, {name: b, image: "${IMAGE}"}]
  volumes: [{name: v, image: {reference: "ghcr.io/owner/data:v1"}}]
"""


def indented(text, by):
    return "".join(f"{' ' * by}{line}\n" for line in text.splitlines())


async def test_images(asked):
    found = await asked(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d, namespace: default}\nspec:\n  selector: {}\n  template:\n"
        + indented(POD, 4),
        "apiVersion: batch/v1\nkind: CronJob\nmetadata: {name: c, namespace: default}\nspec:\n  schedule: '* * * * *'\n"
        "  jobTemplate:\n    spec:\n      template:\n" + indented(POD.replace("busybox:1", "alpine"), 8),
    )
    names = ["busybox:1", "ghcr.io/owner/app:v1", "ghcr.io/owner/data:v1", "alpine"]
    assert found.things == tuple(Image(name_of(name)) for name in names)
    assert found.sources == []


async def test_images_of_a_release_that_is_only_known_are_not_guessed(asked):
    found = await asked(
        repository("r", "https://charts.jetstack.io"),
        release("a", "r", chart="cert-manager", version="v1.19.1", values="{crds: {enabled: true}}"),
    )
    assert found.images == []
    assert found.unrendered == 1


async def test_images_of_an_app_template(asked):
    values = "{controllers: {main: {containers: {main: {image: {repository: ghcr.io/owner/app, tag: v2}}}}}}"
    found = await asked(
        repository("r", "https://bjw-s-labs.github.io/helm-charts"),
        release("a", "r", chart="app-template", version="4.0.0", values=values),
    )
    assert Image(name_of("ghcr.io/owner/app:v2")) in found.images


async def test_a_fetched_chart_is_rendered(asked, tmp_path, monkeypatch):
    """With a helm that answers one Deployment for whatever archive it is given."""
    from rebirth.store.store import Store

    program = write(
        tmp_path,
        "bin/helm",
        """\
        #!/bin/sh
        tar -xzOf "$3" web/templates/app.yaml
        """,
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")
    template = (
        "# Source: web/templates/app.yaml\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: w}\n"
        "spec: {template: {spec: {containers: [{name: a, image: 'ghcr.io/owner/inner:v3'}]}}}\n"
    )
    Store().put_chart(
        "https://charts.example.com", chart(tmp_path, "web", "1.2.3", files={"templates/app.yaml": template})
    )
    found = await asked(repository("r", "https://charts.example.com"), release("a", "r"))
    assert found.images == [Image(name_of("ghcr.io/owner/inner:v3"))]
    assert found.unrendered == 0
