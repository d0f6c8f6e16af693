"""What is changed of Flux's objects as they are written, and what is not."""

import base64
import json

import httpx
import pytest

from rebirth.rehearse.outside.admission import ASKED_FOR, Admission, admission_app, configuration, review

OWN = "git.example/owner/tree"
ADMISSION = Admission({OWN, "minio.example/tree"}, lambda url, digest: "1.2.3" if "paper" in url else "")


def changed(kind, **spec):
    return ADMISSION.changed({"kind": kind, "spec": spec})


@pytest.mark.parametrize(
    ("kind", "before", "after"),
    [
        (
            "GitRepository",
            {"url": "ssh://git@git.example:2222/a/b.git", "secretRef": {"name": "key"}},
            {"url": "https://git.example/a/b.git"},
        ),
        ("GitRepository", {"url": f"https://{OWN}", "secretRef": {"name": "flux-system"}}, {"url": f"https://{OWN}"}),
        (
            "Bucket",
            {"endpoint": "minio.example", "bucketName": "tree", "secretRef": {"name": "key"}},
            {"endpoint": "minio.example", "bucketName": "tree"},
        ),
        (
            "GitRepository",
            {"url": f"ssh://git@{OWN}", "ref": {"branch": "live", "commit": "c"}},
            {"url": f"https://{OWN}", "ref": {"branch": "live"}},
        ),
        ("GitRepository", {"url": f"https://{OWN}.git", "ref": {"commit": "c"}}, {"url": f"https://{OWN}.git", "ref": {"branch": "main"}}),
        ("GitRepository", {"url": "https://a", "provider": "github", "secretRef": {"name": "app"}}, {"url": "https://a", "provider": "generic"}),
        ("GitRepository", {"url": "https://a", "verify": {}, "proxySecretRef": {"name": "p"}}, {"url": "https://a"}),
        ("OCIRepository", {"url": "oci://a/paper", "ref": {"digest": "sha256:0"}}, {"url": "oci://a/paper", "ref": {"tag": "1.2.3"}}),
        ("HelmRepository", {"type": "oci", "provider": "aws"}, {"type": "oci", "provider": "generic"}),
        ("HelmChart", {"chart": "a", "verify": {"provider": "cosign"}}, {"chart": "a"}),
        ("HelmRelease", {"chart": {"spec": {"chart": "a", "verify": {}}}}, {"chart": {"spec": {"chart": "a"}}}),
    ],
)  # fmt: skip
def test_what_nobody_could_answer_is_changed(kind, before, after):
    assert changed(kind, **before) == after


def test_a_castles_own_source_needs_the_credentials_that_the_castle_places():
    admission = Admission({OWN}, lambda url, digest: "", with_credentials=[OWN])
    for url in (f"https://{OWN}", f"ssh://git@{OWN}"):
        item = {"kind": "GitRepository", "spec": {"url": url, "secretRef": {"name": "flux-system"}}}
        assert admission.changed(item) == {"url": f"https://{OWN}", "secretRef": {"name": "flux-system"}}


def test_patches_of_what_a_chart_on_paper_does_not_make_are_left_out():
    admission = Admission((), lambda url, digest: "", {"HelmRelease apps/blog"})
    spec = {"postRenderers": [], "interval": "1m"}
    named = {"kind": "HelmRelease", "metadata": {"namespace": "apps", "name": "blog"}, "spec": spec}
    other = {"kind": "HelmRelease", "metadata": {"namespace": "apps", "name": "other"}, "spec": spec}
    assert admission.changed(named) == {"interval": "1m"}
    assert admission.changed(other) == spec


@pytest.mark.parametrize(
    ("kind", "spec"),
    [
        ("GitRepository", {"url": "https://git.example/a/b", "secretRef": {"name": "token"}}),
        ("GitRepository", {"url": "git@git.example:a/b"}),  # which the API server refuses
        ("GitRepository", {"url": "https://git.example/a/b", "ref": {"commit": "c"}}),
        ("OCIRepository", {"url": "oci://a/stored", "ref": {"digest": "sha256:0"}}),
        ("HelmRepository", {"url": "https://a", "secretRef": {"name": "basic"}}),
        ("HelmRelease", {"chartRef": {"kind": "OCIRepository", "name": "a"}}),
        ("Bucket", {}),
    ],
)
def test_everything_else_stays(kind, spec):
    assert changed(kind, **spec) == spec
    assert review(ADMISSION, {"kind": kind, "spec": spec}) == []


def test_what_was_asked_for_is_noted_beside_other_annotations():
    item = {
        "kind": "GitRepository",
        "metadata": {"annotations": {"a": "b"}},
        "spec": {"url": "ssh://git@a/b", "interval": "1m"},
    }
    spec, annotations = review(ADMISSION, item)
    assert spec == {"op": "replace", "path": "/spec", "value": {"url": "https://a/b", "interval": "1m"}}
    assert annotations["path"] == "/metadata/annotations"
    assert annotations["value"] == {"a": "b", ASKED_FOR: '{"url": "ssh://git@a/b"}'}


async def test_as_the_api_server_asks():
    transport = httpx.ASGITransport(app=admission_app(ADMISSION))
    async with httpx.AsyncClient(transport=transport, base_url="https://outside") as web:
        item = {"kind": "GitRepository", "metadata": {}, "spec": {"url": "ssh://git@a/b"}}
        said = (await web.post("/", json={"request": {"uid": "1", "object": item}})).json()["response"]
        assert (said["uid"], said["allowed"], said["patchType"]) == ("1", True, "JSONPatch")
        assert json.loads(base64.b64decode(said["patch"]))[0]["value"] == {"url": "https://a/b"}
        other = (await web.post("/", json={"request": {"uid": "2", "object": None}})).json()["response"]
        assert other == {"uid": "2", "allowed": True}


def test_the_webhook_is_asked_for_sources_and_releases():
    (webhook,) = configuration("https://127.0.0.1:1/", "PEM")["webhooks"]
    assert webhook["clientConfig"]["url"] == "https://127.0.0.1:1/"
    assert {resource for rule in webhook["rules"] for resource in rule["resources"]} >= {
        "gitrepositories",
        "helmreleases",
    }


def test_a_crd_of_flux_stays_that_of_the_controllers_that_run():
    kept = {"group": "source.toolkit.fluxcd.io", "scope": "Namespaced"}
    admission = Admission((), lambda url, digest: "", definitions={"buckets.source.toolkit.fluxcd.io": kept})
    crd = {"kind": "CustomResourceDefinition", "metadata": {"name": "buckets.source.toolkit.fluxcd.io"}}
    assert review(admission, crd | {"spec": {"group": "old"}}) == [{"op": "replace", "path": "/spec", "value": kept}]
    assert review(admission, crd | {"spec": kept}) == []
    assert review(admission, {"kind": "CustomResourceDefinition", "metadata": {"name": "x"}, "spec": {}}) == []
