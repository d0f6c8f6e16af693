"""What is kept of an object."""

from rebirth.paper.api.kinds import CONFIG_MAP, CRD, SECRET, custom, trimmed


def test_values_of_secrets_are_not_kept():
    item = {"metadata": {"name": "s", "managedFields": [1]}, "data": {"a": "czNjcmV0"}, "stringData": {"b": "x"}}
    assert trimmed(SECRET, item) == {"metadata": {"name": "s"}, "data": {"a": ""}, "binaryData": {}}


def test_of_config_maps_a_corefile_is_kept():
    item = {"metadata": {"name": "coredns"}, "data": {"Corefile": ". { }", "other": "x"}}
    assert trimmed(CONFIG_MAP, item)["data"] == {"Corefile": ". { }", "other": ""}
    assert trimmed(SECRET, {"metadata": {"name": "s"}, "data": {"Corefile": "x"}})["data"] == {"Corefile": ""}


def crd(**status):
    versions = [
        {"name": "v1", "served": True, "storage": False, "schema": {"much": 1}},
        {"name": "v2", "served": True, "storage": True},
    ]
    names = {"kind": "Thing", "plural": "things"}
    spec = {"group": "example.com", "scope": "Cluster", "names": names, "versions": versions}
    return {"metadata": {"name": "things.example.com"}, "spec": spec, "status": status}


def test_a_kind_is_known_once_its_crd_is_established_and_without_its_schema():
    assert custom(crd()) is None
    found = custom(trimmed(CRD, crd(conditions=[{"type": "Established", "status": "True"}])))
    assert (found.api_version, found.plural, found.namespaced) == ("example.com/v2", "things", False)
    assert "schema" not in trimmed(CRD, crd())["spec"]["versions"][0]
