"""What is outside of a rehearsal, asked by an HTTP client and by git through the proxy. By the real source-controller: test_flux.py."""

import asyncio
import io
import json
import os
import subprocess
import tarfile
from contextlib import suppress

import httpx
import pytest
import yaml

from asking import asked, clone
from releases import release
from store.archives import chart
from trees import write

# -- charts


@pytest.mark.parametrize("scheme", ["https", "http"])
async def test_a_chart_on_paper_is_where_its_repository_is(outside, tree, scheme):
    release(tree, "cert-manager", "cert-manager", f"{scheme}://charts.jetstack.io/deep/", "v1.15.3")
    made = await outside()
    index = yaml.safe_load((await asked(made, f"{scheme}://charts.jetstack.io/deep/index.yaml")).text)
    (entry,) = index["entries"]["cert-manager"]
    assert entry["version"] == "v1.15.3"
    package = await asked(made, f"{scheme}://charts.jetstack.io/deep/{entry['urls'][0]}")
    with tarfile.open(fileobj=io.BytesIO(package.content)) as archive:
        assert "cert-manager/Chart.yaml" in archive.getnames()
    assert [one.made_from for one in made.stand_ins] == ["knowledge of cert-manager"]
    assert not list(made.missing)


async def test_a_chart_that_was_fetched_is_served_as_it_is(outside, tree, store, tmp_path):
    archive = chart(tmp_path / "blog.tgz", "blog", "1.2.3")
    store.put_chart("https://charts.example", archive)
    release(tree, "blog", "blog", "https://charts.example")
    made = await outside()
    index = (await asked(made, "https://charts.example/index.yaml")).json()
    assert [entry["version"] for entry in index["entries"]["blog"]] == ["1.2.3"]
    assert (await asked(made, "https://charts.example/blog-1.2.3.tgz")).content == archive.read_bytes()
    assert made.stand_ins == []


async def test_a_repository_that_a_tree_names_and_does_not_use_is_there(outside, tree):
    release(tree, "blog", "blog", "https://charts.example")
    write(tree, "clusters/x/unused.yaml", "apiVersion: source.toolkit.fluxcd.io/v1\nkind: HelmRepository\n"
        "metadata: {name: unused, namespace: apps}\nspec: {url: 'https://unused.example/charts'}\n")  # fmt: skip
    made = await outside()
    assert (await asked(made, "https://unused.example/charts/index.yaml")).json()["entries"] == {}


# -- registries


async def test_a_chart_on_paper_in_a_registry(outside, tree):
    release(tree, "app", "app-template", "oci://ghcr.io/bjw-s-labs/helm", "4.0.1", "{}")
    made = await outside()
    base = "https://ghcr.io/v2/bjw-s-labs/helm/app-template"
    assert (await asked(made, "https://ghcr.io/v2/")).status_code == 200
    assert (await asked(made, f"{base}/tags/list")).json()["tags"] == ["4.0.1"]
    said = await asked(made, f"{base}/manifests/4.0.1")
    digest = said.headers["docker-content-digest"]
    assert (await asked(made, f"{base}/manifests/{digest}")).content == said.content
    (layer,) = said.json()["layers"]
    assert layer["mediaType"] == "application/vnd.cncf.helm.chart.content.v1.tar+gzip"
    assert len((await asked(made, f"{base}/blobs/{layer['digest']}")).content) == layer["size"]


async def test_what_was_fetched_of_a_registry(outside, store):
    data = json.dumps({"schemaVersion": 2, "layers": []}).encode()
    store.put_manifest("docker.io/library/nginx", "1.29", "application/vnd.oci.image.manifest.v1+json", data)
    made = await outside()
    said = await asked(made, "https://registry-1.docker.io/v2/library/nginx/manifests/1.29")
    assert said.content == data
    assert said.headers["content-type"] == "application/vnd.oci.image.manifest.v1+json"


# -- other repositories, files, and what is not there


async def test_a_git_repository_that_was_fetched(outside, tree, store, tmp_path):
    url = "ssh://git@git.example/other/charts.git"
    source, bare = tmp_path / "source", store.git_folder(url)
    write(source, "a", "a")
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@example.org", "-C", str(source)]
    for argv in (["init", "-q", "-b", "main"], ["add", "."], ["commit", "-qm", "a"]):
        subprocess.run([*git, *argv], check=True)
    subprocess.run(["git", "clone", "--quiet", "--bare", str(source), str(bare)], check=True)
    store.put_git(url, {"refs/heads/main": "0" * 40})
    write(tree, "clusters/x/other.yaml", "apiVersion: source.toolkit.fluxcd.io/v1\nkind: GitRepository\n"
        f"metadata: {{name: other, namespace: flux-system}}\nspec: {{interval: 1m, url: '{url}'}}\n")  # fmt: skip
    made = await outside()
    assert await clone(made, "https://git.example/other/charts", tmp_path / "clone") == (0, "")
    assert (tmp_path / "clone/a").exists()


async def test_a_file_that_was_fetched(outside, store, tmp_path):
    store.put_file("https://raw.example/a.yaml?x=1", write(tmp_path, "a.yaml", "kind: ConfigMap\n"))
    made = await outside()
    assert (await asked(made, "https://raw.example/a.yaml?x=1")).text == "kind: ConfigMap\n"


@pytest.mark.parametrize(
    ("path", "kind", "name"),
    [
        ("charts.example/index.yaml", "chart repository", "charts.example"),
        ("ghcr.io/v2/a/b/manifests/1.0", "artifact", "ghcr.io/a/b:1.0"),
        ("ghcr.io/v2/a/b/tags/list", "artifact", "ghcr.io/a/b"),
        ("github.com/a/b.git/info/refs?service=git-upload-pack", "Git repository", "github.com/a/b"),
        ("raw.example/a.yaml", "file", "https://raw.example/a.yaml"),
    ],
)
async def test_what_is_not_there_is_refused_for_good_and_noted(outside, path, kind, name):
    made = await outside()
    said = await asked(made, f"https://{path}")
    assert said.status_code == 404
    assert "not fetched" in said.text
    assert "`rebirth fetch`" in said.text
    if "/v2/" not in path:
        assert said.reason_phrase.startswith("Not Found: not fetched")
    assert [(one.kind, one.name) for one in made.missing] == [(kind, name)]


async def test_a_base_that_git_is_asked_for_next_is_no_file(outside):
    made = await outside()
    for path in ("example/base//deep", "example/base/deep?ref=v1"):
        assert (await asked(made, f"https://github.com/{path}")).status_code == 404
    assert not list(made.missing)


async def test_a_name_that_is_no_reason_phrase_is_refused_all_the_same(outside):
    made = await outside()
    said = await asked(made, "https://raw.example/%C3%BC%0A%E2%86%92.yaml")
    assert said.status_code == 404
    assert "not fetched: file https://raw.example/??.yaml" in said.reason_phrase


async def test_who_asked_is_said(outside, tree):
    write(tree, "clusters/x/other.yaml", "apiVersion: source.toolkit.fluxcd.io/v1\nkind: GitRepository\n"
        "metadata: {name: other, namespace: apps}\nspec: {interval: 1m, url: 'ssh://git@github.com/a/b'}\n")  # fmt: skip
    made = await outside()
    await asked(made, "https://github.com/a/b/info/refs?service=git-upload-pack")
    assert [str(one) for one in made.missing] == ["Git repository github.com/a/b, which GitRepository apps/other names"]


async def test_nobody_pushes(outside):
    made = await outside()
    said = await asked(made, "https://git.example/owner/tree/info/refs?service=git-receive-pack")
    assert said.status_code == 403


async def test_a_proxy_that_is_asked_for_too_much_stays(outside):
    made = await outside()
    _, _, port = made.proxy.rpartition(":")
    reader, writer = await asyncio.open_connection("127.0.0.1", int(port))
    with suppress(ConnectionError):
        writer.write(b"GET http://" + b"x" * (1 << 17))
        await writer.drain()
        assert await reader.read() == b""
    writer.close()
    assert (await asked(made, "https://ghcr.io/v2/")).status_code == 200


async def test_a_name_that_does_not_resolve_in_a_pod_is_not_answered(outside):
    made = await outside(unresolved=lambda host: f"lookup {host}: i/o timeout" if host == "github.com" else "")
    with pytest.raises(httpx.ProxyError, match=r"lookup github\.com: i/o timeout"):
        await asked(made, "https://github.com/a/b")
    assert (await asked(made, "https://example.com/a")).status_code == 404


async def test_large_answers_come_whole(outside, store, tmp_path):
    large = tmp_path / "large"
    large.write_bytes(os.urandom(20_000_000))
    store.put_file("https://raw.example/large", large)
    made = await outside()
    answers = await asyncio.gather(*(asked(made, "https://raw.example/large") for _ in range(3)))
    assert all(said.content == large.read_bytes() for said in answers)
