"""Why the Flux graph waits: from what waits down to the one object that says why."""

import pytest

from diagnosis.objects import NO_HOST, applied_by, chart, deployment, item, pod, release
from rebirth.diagnosis.cause import Cause, Outlook
from rebirth.diagnosis.root_cause import Standstill, causes
from rebirth.diagnosis.wanted import wanted_objects


def split(objects):
    nodes = {key: value for key, value in objects.items() if key[0] in {"Kustomization", "HelmRelease"}}
    return nodes, {key: value for key, value in objects.items() if key not in nodes}


def why(objects, absent=()):
    return {key[2]: found for key, found in causes(*split(objects), absent).items()}


def test_from_a_kustomization_to_the_chart_repository_that_nobody_finds():
    objects = (
        item("Kustomization", "apps", "False", "dependency 'flux-system/infra' is not ready", dependsOn=[{"name": "infra"}])
        | item("Kustomization", "infra", "Unknown", "Reconciliation in progress")
        | release()
        | chart()
        | item("HelmRepository", "jetstack", "False", NO_HOST)
    )  # fmt: skip
    cause = Cause(("HelmRepository", "flux-system", "jetstack"), NO_HOST, Outlook.FINAL)
    assert why(objects) == {"apps": [cause], "infra": [cause], "cert-manager": [cause]}


def test_a_chart_that_the_repository_does_not_have():
    said = "invalid chart reference: no 'cert-manger' chart with version matching '*' found"
    found = why(release() | chart(said) | item("HelmRepository", "jetstack", "True"))
    assert found["cert-manager"] == [
        Cause(("HelmChart", "flux-system", "flux-system-cert-manager"), said, Outlook.FINAL)
    ]


def test_an_oci_repository_is_only_an_address():
    found = why(
        release("Unknown", "Running 'install' action")
        | chart("cannot pull")
        | item("HelmRepository", "jetstack", type="oci")
    )
    assert [str(cause) for cause in found["cert-manager"]] == [
        "HelmChart flux-system/flux-system-cert-manager: cannot pull"
    ]


@pytest.mark.parametrize(
    "said",
    [
        "dial tcp 1.2.3.4:443: i/o timeout",
        "dial tcp 1.2.3.4:443: connect: connection refused",
        "unexpected status 503 Service Unavailable",
        "toomanyrequests: rate limit",
    ],
)
def test_what_a_server_may_answer_otherwise_in_a_minute_is_not_final(said):
    found = why(release() | chart() | item("HelmRepository", "jetstack", "False", said))
    assert [cause.outlook for cause in found["cert-manager"]] == [Outlook.STUCK]


def test_a_source_that_is_not_there_may_still_come():
    (cause,) = why(release())["cert-manager"]
    assert str(cause) == "HelmRepository flux-system/jetstack: does not exist"
    assert cause.outlook is Outlook.STUCK


def test_a_secret_that_a_source_waits_for_may_still_come():
    repository = item("HelmRepository", "jetstack", "False", "auth failed", secretRef={"name": "login"})
    objects = release() | chart() | repository
    secret = ("Secret", "flux-system", "login")
    assert wanted_objects(*split(objects)) == {secret: "v1"}
    (cause,) = why(objects, [secret])["cert-manager"]
    assert (cause.key, cause.outlook) == (secret, Outlook.STUCK)
    assert "HelmRepository flux-system/jetstack needs it" in cause.message
    assert why(objects)["cert-manager"][0].outlook is Outlook.FINAL


def test_variables_that_are_not_there_may_still_come():
    said = "substitute from 'Secret/variables' error: secrets \"variables\" not found"
    build = {"postBuild": {"substituteFrom": [{"kind": "Secret", "name": "variables"}]}}
    objects = item("Kustomization", "apps", "False", said, why="BuildFailed", **build)
    (absent,) = wanted_objects(*split(objects))
    assert why(objects, [absent])["apps"][0].outlook is Outlook.STUCK
    assert why(objects)["apps"][0].outlook is Outlook.FINAL


@pytest.mark.parametrize(
    ("reason", "said", "outlook"),
    [
        ("BuildFailed", "kustomize build failed: accumulating resources: missing.yaml: no such file", Outlook.FINAL),
        ("ArtifactFailed", "kustomization path not found: stat /tmp/x/apps: no such file or directory", Outlook.FINAL),
        (
            "ReconciliationFailed",
            'Deployment/web/web dry-run failed (Invalid): Deployment "web" is invalid',
            Outlook.FINAL,
        ),
        ("ReconciliationFailed", "Namespace/x dry-run failed (BadRequest): strict decoding error", Outlook.FINAL),
        (
            "ReconciliationFailed",
            "Deployment/x/y dry-run failed: failed to create typed patch object (x/y; apps/v1): .spec.replicas: expected numeric",
            Outlook.FINAL,
        ),
        ("ReconciliationFailed", "Ingress/x/y dry-run failed (InternalError): failed calling webhook", Outlook.STUCK),
        ("ReconciliationFailed", "Certificate/x/y dry-run failed (NotFound): no matches for kind", Outlook.STUCK),
        ("ReconciliationFailed", "ConfigMap/x/y dry-run failed (Forbidden): denied", Outlook.STUCK),
        ("HealthCheckFailed", "timeout waiting for: [Deployment/x/y status: 'InProgress']", Outlook.STUCK),
    ],
)
def test_what_flux_says_by_reason(reason, said, outlook):
    (cause,) = why(item("Kustomization", "apps", "False", said, why=reason))["apps"]
    assert (cause.message, cause.outlook) == (said, outlook)


def test_a_rejected_object_comes_before_what_was_applied_earlier():
    said = "Deployment/web/web dry-run failed (Invalid): is invalid"
    labels = applied_by("Kustomization", "apps")
    objects = item("Kustomization", "apps", "False", said, why="ReconciliationFailed") | deployment(labels=labels)
    assert [cause.message for cause in why(objects)["apps"]] == [said]


@pytest.mark.parametrize(
    ("waiting", "words", "outlook"),
    [
        ({"reason": "ImagePullBackOff", "message": 'Back-off pulling image: ErrImagePull: "registry.example/web:1": not found'},
         "image registry.example/web:1 cannot be pulled", Outlook.FINAL),
        ({"reason": "ErrImagePull", "message": "dial tcp: i/o timeout"}, "i/o timeout", Outlook.STUCK),
        ({"reason": "InvalidImageName", "message": "couldn't parse image name"}, "couldn't parse", Outlook.FINAL),
        ({"reason": "CreateContainerConfigError", "message": 'secret "login" not found'}, 'secret "login" not found', Outlook.STUCK),
        ({"reason": "ContainerCreating"}, "is starting", Outlook.WORKING),
        ({"reason": "ContainerCreating", "message": "non-existent secret key: k"}, "secret key: k", Outlook.STUCK),
        (None, "is running, but not ready", Outlook.STUCK),
    ],
)  # fmt: skip
def test_from_a_workload_to_its_container(waiting, words, outlook):
    labels = applied_by("Kustomization", "apps")
    objects = item("Kustomization", "apps", "Unknown", "Reconciliation in progress")
    objects |= deployment(labels=labels) | pod(waiting=waiting, phase="Running" if waiting is None else "Pending")
    objects |= pod("other-1", "other", waiting={"reason": "ErrImagePull", "message": "not this one"})
    (cause,) = why(objects)["apps"]
    assert cause.key == ("Deployment", "flux-system", "web")
    assert words in cause.message
    assert cause.outlook is outlook


def test_a_crash_says_how_it_ended():
    labels = applied_by("HelmRelease", "cert-manager")
    crash = pod(
        waiting={"reason": "CrashLoopBackOff", "message": "back-off 40s"}, last={"exitCode": 3}, phase="Running"
    )
    (cause,) = why(release("Unknown", "Running 'install'") | deployment(labels=labels) | crash
                   | item("HelmRepository", "jetstack", "True"))["cert-manager"]  # fmt: skip
    assert cause.message == "container main: CrashLoopBackOff after exit code 3 (4 restarts)"
    assert cause.outlook is Outlook.STUCK


def test_an_image_whose_pull_secret_is_not_there_may_still_come():
    labels = applied_by("Kustomization", "apps")
    waiting = {"reason": "ErrImagePull", "message": "401 Unauthorized"}
    objects = item("Kustomization", "apps", "Unknown") | deployment(labels=labels)
    objects |= pod(waiting=waiting, imagePullSecrets=[{"name": "ghcr"}])
    secret = ("Secret", "flux-system", "ghcr")
    assert secret in wanted_objects(*split(objects))
    (cause,) = why(objects, [secret])["apps"]
    assert cause.outlook is Outlook.STUCK
    assert cause.message.endswith("401 Unauthorized; Secret flux-system/ghcr does not exist")


@pytest.mark.parametrize(
    "volume",
    [
        {"secret": {"secretName": "tls"}},
        {"projected": {"sources": [{"serviceAccountToken": {"path": "t"}}, {"secret": {"name": "tls"}}]}},
    ],
)
def test_a_pod_that_waits_for_what_it_mounts(volume):
    labels = applied_by("Kustomization", "apps")
    objects = item("Kustomization", "apps", "Unknown") | deployment(labels=labels)
    objects |= pod(
        waiting={"reason": "ContainerCreating"}, volumes=[volume, {"configMap": {"name": "c", "optional": True}}]
    )
    secret = ("Secret", "flux-system", "tls")
    assert wanted_objects(*split(objects)) == {secret: "v1"}
    (cause,) = why(objects, [secret])["apps"]
    assert (str(cause), cause.outlook) == ("Secret flux-system/tls: does not exist; pods mount it", Outlook.STUCK)
    assert why(objects)["apps"][0].outlook is Outlook.WORKING


def test_a_pod_whose_volume_nobody_makes():
    labels = applied_by("Kustomization", "apps")
    claim = item("PersistentVolumeClaim", "data", storageClassName="longhorn", status={"phase": "Pending"})
    volumes = [{"persistentVolumeClaim": {"claimName": "data"}}]
    waiting = pod(volumes=volumes, more=[("PodScheduled", "False", "unbound immediate PersistentVolumeClaims")])
    (cause,) = why(item("Kustomization", "apps", "Unknown") | deployment(labels=labels) | waiting | claim)["apps"]
    assert str(cause) == "PersistentVolumeClaim flux-system/data: no volume yet (storage class: longhorn)"


def test_a_pod_for_which_there_is_no_room():
    labels = applied_by("Kustomization", "apps")
    full = pod(more=[("PodScheduled", "False", "0/2 nodes are available: 2 Insufficient memory.")])
    (cause,) = why(item("Kustomization", "apps", "Unknown") | deployment(labels=labels) | full)["apps"]
    assert cause.message == "cannot be scheduled: 0/2 nodes are available: 2 Insufficient memory."


def test_pods_that_may_not_be_made():
    labels = applied_by("Kustomization", "apps")
    refused = ("ReplicaFailure", "True", 'pods "web-1" is forbidden: violates PodSecurity')
    made = deployment(labels=labels)
    made["Deployment", "flux-system", "web"]["status"]["conditions"] = [
        {"type": refused[0], "status": refused[1], "message": refused[2]}
    ]
    (cause,) = why(item("Kustomization", "apps", "Unknown") | made)["apps"]
    assert cause.message == refused[2]


def test_a_workload_that_an_operator_made_belongs_to_who_applied_its_owner():
    entries = [{"id": "flux-system_db_postgres-operator.crunchydata.com_PostgresCluster", "v": "v1beta1"}]
    objects = item("Kustomization", "instances", "Unknown", "in progress", status={"inventory": {"entries": entries}})
    made = deployment("db")
    made["Deployment", "flux-system", "db"]["metadata"]["ownerReferences"] = [{"kind": "PostgresCluster", "name": "db"}]
    broken = pod("db-1", "db", waiting={"reason": "ErrImagePull", "message": "not found"})
    (cause,) = why(objects | made | broken)["instances"]
    assert cause.key == ("Deployment", "flux-system", "db")
    assert cause.outlook is Outlook.FINAL


def test_a_release_that_flux_has_given_up_names_its_pods():
    labels = applied_by("HelmRelease", "cert-manager")
    given_up = release(
        "False", "Helm install failed: timed out", more=[("Stalled", "True", "Failed to install after 1 attempt(s)")]
    )
    crash = pod(waiting={"reason": "CrashLoopBackOff"}, last={"exitCode": 1})
    objects = given_up | deployment(labels=labels) | crash | item("HelmRepository", "jetstack", "True")
    (cause,) = why(objects)["cert-manager"]
    assert cause.outlook is Outlook.FINAL
    assert cause.message.startswith(
        "Failed to install after 1 attempt(s) (Deployment flux-system/web: container main: CrashLoop"
    )


def test_what_is_suspended_is_named_by_who_depends_on_it():
    objects = item("Kustomization", "apps", "False", "dependency", dependsOn=[{"name": "infra"}])
    objects |= item("Kustomization", "infra", suspend=True)
    assert {name: [cause.message for cause in found] for name, found in why(objects).items()} == {
        "apps": ["is suspended, so Flux does not reconcile it"]
    }


def test_a_cycle_of_dependencies_ends():
    objects = item("Kustomization", "a", "False", "dependency", dependsOn=[{"name": "b"}])
    objects |= item("Kustomization", "b", "False", "dependency", dependsOn=[{"name": "a"}])
    objects |= item("Kustomization", "c", "False", "dependency", dependsOn=[{"name": "b"}])
    way = "Kustomization flux-system/a → Kustomization flux-system/b → Kustomization flux-system/a"
    cause = Cause(("Kustomization", "flux-system", "a"), f"waits for itself: {way}", Outlook.FINAL)
    assert why(objects) == {"a": [cause], "b": [cause], "c": [cause]}


def test_what_is_ready_waits_for_nothing():
    assert why(item("Kustomization", "apps", "True", dependsOn=[{"name": "gone"}])) == {}


FINAL = {("Kustomization", "ns", "a"): [Cause(("HelmRepository", "ns", "r"), "no such host", Outlook.FINAL)]}
STUCK = {("Kustomization", "ns", "b"): [Cause(("Deployment", "ns", "d"), "crashes", Outlook.STUCK)]}
WORKING = {("Kustomization", "ns", "b"): [Cause(("Deployment", "ns", "d"), "is starting", Outlook.WORKING)]}


def stood(*seen):
    """For how long, after looks of (time, what waits)."""
    standstill = Standstill()
    return [standstill.seconds(waiting, now) for now, waiting in seen]


def test_a_standstill_lasts_while_the_same_causes_stand():
    assert stood((5, FINAL), (50, FINAL), (130, FINAL)) == [0, 45, 125]
    assert stood((5, FINAL | STUCK), (130, FINAL | STUCK)) == [0, 125]


def test_what_may_still_come_alone_is_no_standstill():
    assert stood((0, STUCK), (200, STUCK)) == [0, 0]


def test_a_standstill_ends_with_anything_that_moves():
    assert stood((0, FINAL | STUCK), (100, FINAL), (130, FINAL)) == [0, 0, 30]
    assert stood((0, FINAL | WORKING), (100, FINAL | WORKING), (130, FINAL | STUCK)) == [0, 0, 30]
    other = {key: [Cause(("HelmRepository", "ns", "s"), "no", Outlook.FINAL)] for key in FINAL}
    assert stood((0, FINAL), (100, other)) == [0, 0]


def test_another_try_at_what_is_final_does_not_end_it_nor_is_it_the_moment_to_give_up():
    tried = {key: [Cause(found[0].key, "fetching", Outlook.WORKING)] for key, found in FINAL.items()}
    assert stood((0, FINAL), (100, tried), (130, FINAL)) == [0, 0, 130]


def test_what_a_kustomization_waits_for_and_nobody_makes_is_named():
    check = {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "name": "x.example.org"}
    apps = item("Kustomization", "apps", "Unknown", "Reconciliation in progress", healthChecks=[check])
    crd = ("CustomResourceDefinition", "", "x.example.org")
    assert wanted_objects(*split(apps)) == {crd: "apiextensions.k8s.io/v1"}
    (cause,) = why(apps, [crd])["apps"]
    assert (cause.key, cause.outlook) == (crd, Outlook.STUCK)
    assert why(apps)["apps"][0].outlook is Outlook.WORKING


def test_what_was_done_before_a_failure_is_no_part_of_it():
    said = 'A/b/c dry-run failed: no matches for kind "A" Namespace/x created CustomResourceDefinition/y.z configured'
    (cause,) = why(item("Kustomization", "apps", "False", said))["apps"]
    assert cause.message == 'A/b/c dry-run failed: no matches for kind "A"'
