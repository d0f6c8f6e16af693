"""What becomes of a pod whose images the lab does not have."""

from rebirth.lab.paper.pods import MARK, STUB, marked, on_paper

WEB = {
    "name": "web",
    "image": "ghcr.io/a/web:1",
    "command": ["/web"],
    "args": ["--serve"],
    "env": [{"name": "PASSWORD", "valueFrom": {"secretKeyRef": {"name": "login", "key": "password"}}}],
    "ports": [{"name": "http", "containerPort": 8080}, {"containerPort": 53, "protocol": "UDP"}],
    "resources": {"requests": {"cpu": "2", "memory": "4Gi"}, "limits": {"nvidia.com/gpu": "1"}},
    "lifecycle": {"preStop": {"exec": {"command": ["sleep", "30"]}}},
    "readinessProbe": {"httpGet": {"path": "/ready", "port": "http"}, "initialDelaySeconds": 60, "periodSeconds": 30},
    "livenessProbe": {"exec": {"command": ["true"]}},
    "startupProbe": {"grpc": {"port": 9090}},
    "volumeMounts": [{"name": "data", "mountPath": "/data", "mountPropagation": "HostToContainer"}],
}


def pod(*containers, **spec):
    return {"metadata": {"name": "web", "labels": {"app": "web"}}, "spec": {"containers": list(containers), **spec}}


def patched(item, *args, replaced=lambda image: "real" not in image, **options):
    """The pod as the API server makes it of the patch."""
    for step in on_paper(item, replaced, *args, **options):
        *path, last = (part.replace("~1", "/") for part in step["path"].strip("/").split("/"))
        place = item
        for part in path:
            place = place[int(part)] if isinstance(place, list) else place[part]
        key = int(last) if isinstance(place, list) else last
        if step["op"] == "remove":
            del place[key]
        else:
            place[key] = step["value"]
    return item


def stub(item, part="containers", number=0):
    return item["spec"][part][number]


def test_the_stub_is_in_its_place_and_reads_what_it_would_read():
    made = stub(patched(pod(WEB)))
    assert made["image"] == STUB
    assert made["args"] == ["--image=ghcr.io/a/web:1", "8080", "9090"]
    assert not {"command", "lifecycle", "livenessProbe"} & made.keys()
    assert made["env"] == WEB["env"], "a Secret that is missing is still missing"
    assert made["ports"] == WEB["ports"]
    assert made["volumeMounts"] == [{"name": "data", "mountPath": "/data"}]
    assert made["resources"] == {"limits": {}, "requests": {"cpu": "0", "memory": "0"}}


def test_probes_that_the_stub_can_answer_stay():
    made = stub(patched(pod(WEB)))
    assert made["readinessProbe"] == {"httpGet": {"path": "/ready", "port": "http"}, "periodSeconds": 2}
    assert made["startupProbe"] == {"grpc": {"port": 9090}, "periodSeconds": 2}


def test_it_says_for_what_it_stands_in():
    made = patched(pod(WEB, {"name": "side", "image": "real/side:1"}, {"name": "more", "image": "more@sha256:1"}))
    assert marked(made) == {"web": "ghcr.io/a/web:1", "more": "more@sha256:1"}
    assert made["metadata"]["labels"] == {"app": "web", MARK: "true"}
    assert stub(made, number=1) == {"name": "side", "image": "real/side:1"}


def test_a_second_look_adds_to_the_first():
    made = patched(pod(WEB))
    made["spec"]["containers"].append({"name": "injected", "image": "mesh/proxy:1"})
    assert marked(patched(made)) == {"web": "ghcr.io/a/web:1", "injected": "mesh/proxy:1"}
    assert on_paper(made, lambda _: True) == []


def test_what_is_there_is_left_alone():
    assert on_paper(pod({"name": "web", "image": "real/web:1"}), lambda image: "real" not in image) == []


def test_what_runs_once_ends():
    init = {"name": "init", "image": "a/init:1", "ports": [{"containerPort": 1}]}
    side = {"name": "side", "image": "a/side:1", "restartPolicy": "Always", "ports": [{"containerPort": 2}]}
    made = patched(pod(WEB, initContainers=[init, side]))
    assert stub(made, "initContainers")["args"] == ["--image=a/init:1", "--exit"]
    assert stub(made, "initContainers", 1)["args"] == ["--image=a/side:1", "2"], "it runs beside the others"
    assert "--exit" not in stub(made)["args"]
    for policy in ("Never", "OnFailure"):
        assert stub(patched(pod(WEB, restartPolicy=policy)))["args"] == ["--image=ghcr.io/a/web:1", "--exit"]


def service(port, **selector):
    return {"spec": {"selector": selector, "ports": [{"port": 80, **({"targetPort": port} if port else {})}]}}


def test_it_listens_where_services_lead():
    silent = {"name": "web", "image": "a/web:1"}
    services = [
        service(9000, app="web"),
        service(None, app="web"),
        service(1234, app="other"),
        service("http", app="web"),
    ]
    assert stub(patched(pod(silent), services))["args"] == ["--image=a/web:1", "80", "9000"]
    real = {"name": "real", "image": "real/web:1"}
    assert stub(patched(pod(silent, real), services))["args"] == ["--image=a/web:1"], "it may be the other's port"


def test_a_pod_of_stubs_alone_needs_no_hardware():
    volumes = [
        {"name": "data", "persistentVolumeClaim": {"claimName": "data"}},
        {"name": "kvm", "hostPath": {"path": "/dev/kvm", "type": "CharDevice"}},
        {"name": "csi", "csi": {"driver": "secrets-store.csi.k8s.io"}},
    ]
    spec = {"volumes": volumes, "runtimeClassName": "kata", "schedulerName": "volcano"}
    made = patched(pod(WEB, **spec))["spec"]
    assert made["volumes"] == [
        volumes[0], {"name": "kvm", "emptyDir": {}}, {"name": "csi", "emptyDir": {}},
    ]  # fmt: skip
    assert not {"runtimeClassName", "schedulerName"} & made.keys()
    both = patched(pod(WEB, {"name": "real", "image": "real/a:1"}, **spec))["spec"]
    assert both["volumes"] == volumes
    assert both["runtimeClassName"] == "kata"


def test_security_stays_but_for_what_others_bring():
    allowed = {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}, "capabilities": {"drop": ["ALL"]}}
    made = stub(patched(pod(WEB | {"securityContext": {**allowed, "appArmorProfile": {"type": "RuntimeDefault"}}})))
    assert made["securityContext"] == allowed
    local = {"seccompProfile": {"type": "Localhost", "localhostProfile": "own.json"}}
    made = patched(pod(WEB | {"securityContext": local}, securityContext=local | {"fsGroup": 1}))
    assert "securityContext" not in stub(made)
    assert made["spec"]["securityContext"] == {"fsGroup": 1}


def test_low_ports_of_the_machine_are_for_root():
    low = {"name": "web", "image": "a/web:1", "ports": [{"containerPort": 80}]}
    assert "securityContext" not in stub(patched(pod(low))), "a pod's own network lets everybody"
    assert stub(patched(pod(low, hostNetwork=True)))["securityContext"] == {"runAsUser": 0}
    forbidden = patched(pod(low, hostNetwork=True, securityContext={"runAsNonRoot": True}))
    assert stub(forbidden)["securityContext"] == {}
