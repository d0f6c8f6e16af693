"""Where the root of a failure is written."""

from pathlib import Path

import pytest

from rebirth.diagnosis.root_cause import Cause, Outlook
from rebirth.proof.prove import prove
from rebirth.proof.reading.yaml_files import Lines
from rebirth.rehearse.places import place_of
from trees import lay, write

DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: blog
  namespace: default
spec:
  replicas: two
  selector:
    matchLabels: {app: blog}
  template:
    metadata:
      labels: {app: blog}
    spec:
      containers:
        - name: blog
          image: nginx
          envFrom:
            - secretRef: {name: password}
"""
TYPED = (
    "Deployment/default/blog dry-run failed: failed to create typed patch object (default/blog; apps/v1, Kind=Deployment): "
    ".spec.replicas: expected numeric (int or float), got string"
)
INVALID = (
    'Deployment/default/blog dry-run failed (Invalid): Deployment.apps "blog" is invalid: '
    "spec.template.spec.containers[0].image: Required value"
)


async def found(root: Path, key, message: str, held=()) -> tuple[str, int]:
    lay(root, apps="")
    write(root, "apps/blog.yaml", DEPLOYMENT)
    (root / "apps/settings.yaml").unlink()
    proof = (await prove(root)).worlds[0]
    place = place_of(Cause(key, message, Outlook.FINAL), list(held), proof.model, proof.graph)
    return str(Path(place.file).relative_to(root)) if place.file else "", Lines().line(place) if place.file else 0


@pytest.mark.parametrize(("message", "line"), [(TYPED, 7), (INVALID, 16)])
async def test_an_object_that_is_refused_is_found_at_the_field_that_the_api_server_names(
    tmp_path: Path, message: str, line: int
):
    assert await found(tmp_path, ("Kustomization", "flux-system", "apps"), message) == ("apps/blog.yaml", line)


async def test_a_secret_that_does_not_exist_is_found_where_it_is_read(tmp_path: Path):
    place = await found(tmp_path, ("Secret", "default", "password"), "does not exist")
    assert place == ("apps/blog.yaml", 18)


async def test_a_workload_that_does_not_start_is_found_at_its_name(tmp_path: Path):
    assert await found(tmp_path, ("Deployment", "default", "blog"), "0 of 1") == ("apps/blog.yaml", 4)


async def test_what_stands_nowhere_is_found_at_the_node_that_it_holds_up(tmp_path: Path):
    held = [("Kustomization", "flux-system", "apps")]
    assert (await found(tmp_path, ("Pod", "default", "x"), "is starting", held))[0] == "clusters/x/apps.yaml"
    assert await found(tmp_path / "two", ("Pod", "default", "x"), "is starting") == ("", 0)
