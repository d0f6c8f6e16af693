"""What is said at the end: by workload, from what the pods say."""

from rebirth.lab.paper.pods import MARK, STUB
from rebirth.lab.paper.report import data, lines, workloads


def pod(name, images, stubs="", started=True, owner="", namespace="apps"):
    owners = [{"controller": True, "kind": "DaemonSet", "name": owner}] if owner else []
    metadata = {"name": name, "namespace": namespace, "ownerReferences": owners}
    containers = [{"name": f"c{number}", "image": image} for number, image in enumerate(images)]
    statuses = [{"name": one["name"], "containerID": "containerd://1"} for one in containers if started]
    annotations = {MARK: stubs} if stubs else {}
    return {
        "metadata": {**metadata, "annotations": annotations},
        "spec": {"containers": containers},
        "status": {"containerStatuses": statuses},
    }


PODS = [
    pod("agent-1", ["real/a:1", STUB], "c1=side:1", owner="agent"),
    pod("agent-2", ["real/a:1", STUB], "c1=side:1", owner="agent"),
    pod("web", [STUB], "c0=web:1"),
    pod("never", ["real/b:1"], started=False),
    pod("dns", ["real/dns:1"], namespace="kube-system"),
]
WEB = ("Pod", "apps", "web")


def test_workloads_are_told_with_what_ran_in_them():
    agent, web, dns = workloads(PODS)
    assert (agent.kind, agent.name, agent.real, agent.paper) == ("DaemonSet", "agent", ("real/a:1",), ("side:1",))
    assert (web.name, web.paper) == ("web", ("web:1",))
    assert (dns.namespace, dns.real, dns.paper) == ("kube-system", ("real/dns:1",), ())


def test_a_site_or_a_workload_on_paper_makes_online_on_paper():
    ran = workloads(PODS)
    assert data(ran, {"https://www.example": "web:1"})["online_on_paper"]
    assert data(ran, {}, WEB)["online_on_paper"]
    assert not data(ran, {}, ("Pod", "kube-system", "dns"))["online_on_paper"]
    assert not data(ran, {})["online_on_paper"]


def test_the_lines():
    said = lines(data(workloads(PODS), {"https://www.example": "web:1"}), online=True)
    assert said[1:4] == [
        "online (on paper)",
        "https://www.example is answered in the place of web:1",
        "2 of 3 workloads ran on paper, the others for real:",
    ]
    assert said[4].split() == ["DaemonSet", "apps/agent", "side:1", "(for", "real:", "real/a:1)"]
    assert "online (on paper)" not in lines(data(workloads(PODS), {}, WEB), online=False)


def test_nothing_is_said_where_all_was_real():
    assert lines(data(workloads([PODS[-1]]), {}), online=True) == []
    assert lines({}, online=True) == []


def test_many_are_counted():
    many = [pod(f"web-{number}", [STUB], "c0=web:1") for number in range(40)]
    assert "  and 10 more (--json names them)" in lines(data(workloads(many), {}), online=True)
