"""Where a connection to a Service ends."""

from rebirth.paper.serving import endpoints

SERVICE = {
    "metadata": {"name": "hook", "namespace": "ns"},
    "spec": {"clusterIP": "10.96.0.9", "ports": [{"name": "https", "port": 443}, {"name": "metrics", "port": 8080}]},
}


def piece(ready, port="https", service="hook", namespace="ns"):
    return {
        "metadata": {"namespace": namespace, "labels": {"kubernetes.io/service-name": service}},
        "ports": [{"name": port, "port": 8443}],
        "endpoints": [{"conditions": {} if ready is None else {"ready": ready}}],
    }


def test_a_service_is_found_by_its_address_and_port():
    assert endpoints.service_at([SERVICE], "10.96.0.9", 443) == (SERVICE, SERVICE["spec"]["ports"][0])
    assert endpoints.service_at([SERVICE], "10.96.0.9", 444) is None
    assert endpoints.service_at([SERVICE], "10.96.0.8", 443) is None
    headless = {**SERVICE, "spec": {"clusterIP": "None", "ports": [{"port": 443}]}}
    assert endpoints.service_at([headless], "10.96.0.9", 443) is None


def test_it_answers_only_with_a_ready_endpoint_of_that_port():
    port = SERVICE["spec"]["ports"][0]
    assert endpoints.ready(SERVICE, port, [piece(True)])
    assert endpoints.ready(SERVICE, port, [piece(None)])  # nothing said: ready, as the API has it
    for other in (piece(False), piece(True, port="metrics"), piece(True, service="x"), piece(True, namespace="x")):
        assert not endpoints.ready(SERVICE, port, [other])
    assert not endpoints.ready(SERVICE, port, [])
