"""Which containers run on paper."""

import pytest

from rebirth.lab.paper.choice import Choice, known
from rebirth.paper.workloads import Workload

WEB = Workload("Deployment", "apps", "web", ())
HAS = known(["docker.io/library/nginx:1.29", "ghcr.io/a/b:1"])


@pytest.mark.parametrize("image", ["nginx:1.29", "docker.io/nginx:1.29", "library/nginx:1.29", "ghcr.io/a/b:1"])
def test_what_the_lab_has_is_real(image):
    assert not Choice(HAS).on_paper(image, WEB)


@pytest.mark.parametrize("image", ["nginx", "nginx:1.30", "quay.io/nginx:1.29", "ghcr.io/a/b:1@sha256:" + "0" * 64])
def test_anything_else_is_on_paper(image):
    assert Choice(HAS).on_paper(image, WEB)


@pytest.mark.parametrize("name", ["redis:8", "redis", "docker.io/library/redis", "web", "apps/web"])
def test_what_shall_not_be_replaced_is_named_by_image_or_workload(name):
    assert not Choice(HAS, real=[name]).on_paper("redis:8", WEB)
    assert Choice(HAS, real=[name]).on_paper("valkey:8", Workload("Deployment", "apps", "other", ()))


@pytest.mark.parametrize("name", ["nginx:1.29", "nginx", "web", "apps/web"])
def test_what_shall_be_on_paper_is_even_if_the_lab_has_it(name):
    assert Choice(HAS, paper=[name], real=["web"]).on_paper("nginx:1.29", WEB)


def test_a_workload_of_another_namespace_is_another():
    assert Choice(HAS, real=["other/web"]).on_paper("redis:8", WEB)
