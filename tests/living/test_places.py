"""Where the root of a failure is written."""

from pathlib import Path

import pytest

from rebirth.diagnosis.cause import Cause, Outlook
from rebirth.living.places import place_of
from rebirth.proof.prove import prove
from rebirth.proof.reading.yaml_files import Lines
from trees import change, lay, write

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


MORE = """\
apiVersion: v1
kind: Secret
metadata: {name: login, namespace: default}
data:
  user: YWRtaW4=
  password: correct horse
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: disk, namespace: default}
spec:
  resources:
    requests:
      storage: 10GB
---
apiVersion: networking.k8s.io/v1beta1
kind: Ingress
metadata: {name: blog, namespace: default}
spec:
  rules: []
---
apiVersion: source.toolkit.fluxcd.io/v1
kind: HelmRepository
metadata: {name: charts, namespace: default}
spec:
  interval: 1h
  url: oci://ghcr.io/example
---
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: counter, namespace: default}
spec:
  interval: 1h
  chart: {spec: {chart: counter, sourceRef: {kind: HelmRepository, name: charts}}}
  valuesFrom:
    - kind: ConfigMap
      name: values
"""
KUSTOMIZATION, SERVED = (
    ("Kustomization", "flux-system", "apps"),
    {("networking.k8s.io/v1", "Ingress"), ("v1", "Secret")},
)
CONVERT = "dry-run failed: failed to convert new object: unable to convert unstructured object: "
VALUES = "could not resolve ConfigMap chart values reference 'default/values' with key 'values.yaml': key not found"
SAID = [
    (KUSTOMIZATION, f"Secret/default/login {CONVERT}error decoding from json: illegal base64 data at input byte 7", 6),
    (
        KUSTOMIZATION,
        f"PersistentVolumeClaim/default/disk {CONVERT}quantities must match the regular expression '^x$'",
        14,
    ),
    (
        KUSTOMIZATION,
        'Ingress/default/blog dry-run failed: no matches for kind "Ingress" in version "networking.k8s.io/v1beta1"',
        16,
    ),
    (("HelmRepository", "default", "charts"), "'oci' URL scheme cannot be used with 'default' HelmRepository type", 27),
    (("HelmRelease", "default", "counter"), VALUES, 37),
]


@pytest.mark.parametrize(("key", "message", "line"), SAID)
async def test_a_value_that_is_only_called_wrong_is_found(tmp_path: Path, key, message: str, line: int):
    lay(tmp_path, apps="")
    write(tmp_path, "apps/more.yaml", MORE)
    proof = (await prove(tmp_path)).worlds[0]
    place = place_of(Cause(key, message, Outlook.FINAL), [], proof.model, proof.graph, SERVED)
    assert (Path(place.file).name, Lines().line(place)) == ("more.yaml", line)


async def test_a_misspelt_kind_is_found_at_the_kind(tmp_path: Path):
    lay(tmp_path, apps="")
    write(tmp_path, "apps/blog.yaml", DEPLOYMENT.replace("kind: Deployment", "kind: Deploymnet"))
    proof = (await prove(tmp_path)).worlds[0]
    message = 'Deploymnet/default/blog dry-run failed: no matches for kind "Deploymnet" in version "apps/v1"'
    place = place_of(Cause(KUSTOMIZATION, message, Outlook.STUCK), [], proof.model, proof.graph, SERVED)
    assert Lines().line(place) == 2


async def test_an_image_that_cannot_be_pulled_is_found_where_it_is_named(tmp_path: Path):
    assert await found(tmp_path, ("Deployment", "default", "blog"), "image nginx cannot be pulled: not found") == (
        "apps/blog.yaml",
        16,
    )


async def test_a_chart_that_is_not_there_is_found_where_the_release_names_it(tmp_path: Path):
    lay(tmp_path, apps="")
    write(tmp_path, "apps/more.yaml", MORE)
    proof = (await prove(tmp_path)).worlds[0]
    cause = Cause(
        ("HelmChart", "default", "default-counter"), "no 'counter' chart with version matching '9' found", Outlook.FINAL
    )
    place = place_of(cause, [("HelmRelease", "default", "counter")], proof.model, proof.graph)
    assert Lines().line(place) == 34


async def test_an_entry_of_a_list_is_found_by_its_key(tmp_path: Path):
    refused = (
        '.spec.template.spec.containers[name="blog"].image: expected string, got &value.valueUnstructured{Value:1}'
    )
    assert await found(tmp_path, KUSTOMIZATION, f"Deployment/default/blog dry-run failed: {refused}") == (
        "apps/blog.yaml",
        16,
    )


async def test_what_kustomize_cannot_build_is_found_where_the_proof_sees_it(tmp_path: Path):
    lay(tmp_path, apps="")
    write(tmp_path, "apps/kustomization.yaml", "resources:\n- settings.yaml\n- web.yaml\n")
    proof = (await prove(tmp_path)).worlds[0]
    message = "kustomize build failed: accumulating resources: open /tmp/x/apps/web.yaml: no such file or directory"
    place = place_of(Cause(KUSTOMIZATION, message, Outlook.FINAL), [], proof.model, proof.graph)
    assert (Path(place.file).name, Lines().line(place)) == ("kustomization.yaml", 3)


async def test_a_variable_without_a_value_is_found_where_it_stands(tmp_path: Path):
    root = lay(tmp_path, apps="")
    change(root, "clusters/x/apps.yaml", "  prune: true", "  prune: true\n  postBuild: {substitute: {NAME: blog}}")
    write(
        root,
        "apps/more.yaml",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: more, namespace: default}\ndata:\n  host: ${DOMAIN}\n",
    )
    proof = (await prove(root)).worlds[0]
    said = "post build failed for 'ConfigMap.v1.[noGrp]/more': envsubst error: variable not set (strict mode): \"{}\""
    for name, file, line in (("DOMAIN", "apps/more.yaml", 5), ("OTHER", "clusters/x/apps.yaml", 8)):
        cause = Cause(("Kustomization", "flux-system", "apps"), said.format(name), Outlook.FINAL)
        place = place_of(cause, [], proof.model, proof.graph)
        assert (str(Path(place.file).relative_to(root)), Lines().line(place)) == (file, line)
