import pytest

from rebirth.store.names import Name, name_of, repository_of, url_of

DIGEST = f"sha256:{'0' * 64}"


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("nginx", Name("docker.io/library/nginx")),
        ("nginx:1.25", Name("docker.io/library/nginx", "1.25")),
        ("bitnami/nginx", Name("docker.io/bitnami/nginx")),
        ("docker.io/nginx", Name("docker.io/library/nginx")),
        ("index.docker.io/library/nginx", Name("docker.io/library/nginx")),
        ("registry-1.docker.io/bitnamicharts/redis:1.0.0", Name("docker.io/bitnamicharts/redis", "1.0.0")),
        ("ghcr.io/owner/name:v1", Name("ghcr.io/owner/name", "v1")),
        ("GHCR.io/owner/name", Name("ghcr.io/owner/name")),
        ("localhost/name", Name("localhost/name")),
        ("registry:5000/name", Name("registry:5000/name")),
        (f"quay.io/owner/name:v1@{DIGEST}", Name("quay.io/owner/name", "v1", DIGEST)),
        (f"quay.io/owner/name@{DIGEST}", Name("quay.io/owner/name", "", DIGEST)),
    ],
)
def test_as_docker_reads_them(written, name):
    assert name_of(written) == name


def test_a_digest_wins_over_a_tag():
    assert name_of(f"nginx:1.25@{DIGEST}").reference == DIGEST
    assert name_of("nginx").reference == "latest"


def test_shown():
    assert str(name_of("nginx")) == "docker.io/library/nginx:latest"
    assert str(name_of(f"nginx@{DIGEST}")) == f"docker.io/library/nginx@{DIGEST}"


def test_of_an_artifact():
    assert repository_of("oci://ghcr.io/owner/charts/name/") == "ghcr.io/owner/charts/name"


def test_urls():
    assert url_of("HTTPS://Charts.Example.com/stable/") == url_of("https://charts.example.com/stable")
    assert url_of("https://charts.example.com/Stable") != url_of("https://charts.example.com/stable")
