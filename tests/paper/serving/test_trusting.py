"""Where the CA of what is on paper has to stand."""

from rebirth.paper.api.kinds import API_SERVICE, CRD, VALIDATING
from rebirth.paper.serving.trusting import untrusted

SERVICE = {"service": {"name": "hook", "namespace": "ns"}}


def test_each_webhook_of_a_configuration_that_names_a_service():
    item = {
        "webhooks": [
            {"name": "a", "clientConfig": {**SERVICE, "caBundle": "ours"}},
            {"name": "b", "clientConfig": {**SERVICE, "caBundle": "theirs"}},
            {"name": "c", "clientConfig": {"url": "https://example.com"}},
            {"name": "d", "clientConfig": SERVICE},
        ]
    }
    assert untrusted(VALIDATING, item, "ours") == [
        {"op": "test", "path": "/webhooks/1/name", "value": "b"},
        {"op": "add", "path": "/webhooks/1/clientConfig/caBundle", "value": "ours"},
        {"op": "test", "path": "/webhooks/3/name", "value": "d"},
        {"op": "add", "path": "/webhooks/3/clientConfig/caBundle", "value": "ours"},
    ]


def test_the_conversion_of_a_crd():
    item = {"spec": {"conversion": {"strategy": "Webhook", "webhook": {"clientConfig": SERVICE}}}}
    path = "/spec/conversion/webhook/clientConfig/caBundle"
    assert untrusted(CRD, item, "ours") == [{"op": "add", "path": path, "value": "ours"}]
    assert untrusted(CRD, {"spec": {"conversion": {"strategy": "None"}}}, "ours") == []
    assert untrusted(CRD, {"spec": {}}, "ours") == []


def test_an_aggregated_api_that_is_verified():
    assert untrusted(API_SERVICE, {"spec": dict(SERVICE)}, "ours") == [
        {"op": "add", "path": "/spec/caBundle", "value": "ours"}
    ]
    assert untrusted(API_SERVICE, {"spec": {**SERVICE, "insecureSkipTLSVerify": True}}, "ours") == []
    assert untrusted(API_SERVICE, {"spec": {"service": None}}, "ours") == []
