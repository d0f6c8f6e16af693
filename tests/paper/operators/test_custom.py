"""What operators make of custom resources: pure, out of `knowledge` and of what exists."""

import base64

from rebirth.lab.ca import Authority
from rebirth.paper.kubelet.needs import OPEN, Keys
from rebirth.paper.operators import addresses, certificates, copies, custom, external_secrets, sealed_secrets
from rebirth.paper.operators.making import Making
from rebirth.proof.charts import knowledge

READY = {"status": {"conditions": [{"type": "Ready", "status": "True"}]}, "metadata": {"generation": 1}}


class World:
    def __init__(self, *, holders=(), ready=(), namespaces=(), unresolved=()):
        self.holders, self.ready, self.spaces = dict(holders), set(ready), dict(namespaces)
        self.hidden = set(unresolved)

    def unresolved(self, host):
        return f"lookup {host}: server misbehaving" if host in self.hidden else ""

    def namespaces(self):
        return self.spaces

    def keys(self, kind, namespace, name):
        return self.holders.get((kind, namespace, name))

    def custom(self, group, kind, namespace, name):
        return READY if (kind, namespace, name) in self.ready else None


def keys(*names):
    return Keys(frozenset(names), frozenset(names))


def resource(group, kind, name="x", namespace="ns", **spec):
    meta = {"name": name, "namespace": namespace, "uid": "u", "generation": 1}
    return {"apiVersion": f"{group}/v1", "kind": kind, "metadata": meta, "spec": spec}


def test_a_database_cluster_makes_what_is_known_and_its_services_once_what_it_needs_is_there():
    cluster = resource(
        "postgresql.cnpg.io", "Cluster", "blog", enableSuperuserAccess=True, superuserSecret={"name": "super"}
    )
    due = custom.due(cluster, "cnpg-system", World())
    assert due.waits == "Secret ns/super does not exist"
    assert {(one.kind, one.name) for one in due.makes} == {
        ("Secret", f"blog-{end}") for end in ("app", "superuser", "ca")
    }
    due = custom.due(cluster, "cnpg-system", World(holders={("Secret", "ns", "super"): keys("password")}))
    assert due.waits == ""
    assert {one.name for one in due.makes if one.kind == "Service"} == {"blog-rw", "blog-ro", "blog-r"}


def test_a_status_is_written_once_for_each_generation():
    says = knowledge.reported("postgresql.cnpg.io", "Cluster")
    item = resource("postgresql.cnpg.io", "Cluster")
    first = custom.status(item, says, "", "t1")
    assert first["phase"] == "Cluster in healthy state"
    assert first["conditions"][0]["reason"] == "ClusterIsReady"
    written = {**item, "status": first}
    assert custom.status(written, says, "", "t2") is None
    changed = {**written, "metadata": {**item["metadata"], "generation": 2}}
    again = custom.status(changed, says, "", "t2")
    assert (again["observedGeneration"], again["conditions"][0]["lastTransitionTime"]) == (2, "t1")
    waits = custom.status(written, says, "Secret ns/s does not exist", "t3")
    assert waits["conditions"][0]["status"] == "False"
    assert "Secret ns/s does not exist" in waits["conditions"][0]["message"]


def test_a_status_whose_generation_the_api_server_drops_is_not_written_again():
    says = knowledge.reported("external-secrets.io", "ExternalSecret")
    item = resource("external-secrets.io", "ExternalSecret")
    said = custom.status(item, says, "", "t1")
    bare = [{key: value for key, value in one.items() if key != "observedGeneration"} for one in said["conditions"]]
    assert custom.status({**item, "status": {"conditions": bare}}, says, "", "t2") is None


def test_a_kind_without_conditions_reports_its_fields_alone():
    says = knowledge.reported("dragonflydb.io", "Dragonfly")
    item = resource("dragonflydb.io", "Dragonfly")
    assert custom.status(item, says, "", "t") == {"phase": "ready", "observedGeneration": 1}
    assert custom.status({**item, "status": {"phase": "ready"}}, says, "", "t") is None
    assert custom.status(item, says, "Secret ns/s does not exist", "t") is None


def external(**spec):
    store = {"secretStoreRef": {"name": "vault"}}
    return external_secrets.external_secret(
        resource("external-secrets.io", "ExternalSecret", **{**store, **spec}), "eso", World(ready={("SecretStore", "ns", "vault")})
    )  # fmt: skip


def test_an_external_secret_has_the_keys_that_it_names():
    (made,) = external(data=[{"secretKey": "a"}, {"secretKey": "b"}], target={"name": "y"}).makes
    assert (made.name, made.keys, made.open) == ("y", ("a", "b"), False)


def test_an_external_secret_that_takes_whatever_is_there_has_every_key():
    (made,) = external(dataFrom=[{"extract": {"key": "x"}}]).makes
    assert made.open
    assert made.manifest(resource("g", "K"), Invent())["metadata"]["annotations"] == {OPEN: "true"}


def test_a_template_says_what_the_secret_holds():
    template = {"type": "kubernetes.io/dockerconfigjson", "data": {"user": "admin", "url": "x://{{ .a }}"}}
    (made,) = external(data=[{"secretKey": "a"}], target={"template": template}).makes
    assert (made.keys, made.values, made.type) == (("user", "url"), {"user": "admin"}, template["type"])
    (made,) = external(data=[{"secretKey": "a"}], target={"template": {**template, "mergePolicy": "Merge"}}).makes
    assert made.keys == ("a", "user", "url")


def test_an_external_secret_of_a_generator_or_without_a_target():
    generator = {"sourceRef": {"generatorRef": {"kind": "Password", "name": "p"}}}
    (made,) = external(dataFrom=[generator]).makes
    assert (made.keys, made.open) == (("password",), False)
    assert external(target={"creationPolicy": "None"}) == custom.Due()
    assert external(target={"creationPolicy": "Merge"}).waits == "Secret ns/x does not exist"


def test_a_cluster_external_secret_is_in_each_namespace_that_it_selects():
    spec = {"secretStoreRef": {"name": "v"}}
    item = resource(
        "external-secrets.io", "ClusterExternalSecret", namespace="", externalSecretSpec=spec, externalSecretName="y",
        namespaceSelectors=[{"matchLabels": {"a": "b"}}, {"matchExpressions": [{"key": "c", "operator": "Exists"}]}],
        namespaces=["named"],
    )  # fmt: skip
    spaces = {"one": {"a": "b"}, "two": {"c": ""}, "named": {}, "other": {}}
    made = external_secrets.everywhere(item, "eso", World(namespaces=spaces)).others
    assert [one["metadata"]["namespace"] for one in made] == ["one", "two", "named"]
    assert {(one["metadata"]["name"], one["kind"]) for one in made} == {("y", "ExternalSecret")}
    assert made[0]["spec"] == spec


def test_an_external_secret_waits_for_its_store():
    item = resource("external-secrets.io", "ExternalSecret", secretStoreRef={"kind": "ClusterSecretStore", "name": "v"})
    assert external_secrets.external_secret(item, "eso", World()).waits == "ClusterSecretStore v does not exist"


def test_a_store_waits_for_the_authority_that_it_trusts():
    ca = {"type": "ConfigMap", "name": "ca", "namespace": "vault", "key": "ca.crt"}
    item = resource(
        "external-secrets.io",
        "ClusterSecretStore",
        namespace="",
        provider={"vault": {"server": "https://v", "caProvider": ca}},
    )
    for holders, why in (
        ({}, "ConfigMap vault/ca does not exist"),
        ({("ConfigMap", "vault", "ca"): keys("other")}, "ConfigMap vault/ca has no key ca.crt"),
        ({("ConfigMap", "vault", "ca"): keys("ca.crt")}, ""),
    ):
        assert external_secrets.store(item, "eso", World(holders=holders)).waits == why


def test_a_store_waits_for_its_credentials_where_they_are():
    provider = {"vault": {"auth": {"tokenSecretRef": {"name": "t", "key": "token"}}}}
    own = resource("external-secrets.io", "SecretStore", provider=provider)
    everywhere = resource("external-secrets.io", "ClusterSecretStore", namespace="", provider=provider)
    assert external_secrets.store(own, "eso", World()).waits == "Secret ns/t does not exist"
    assert external_secrets.store(everywhere, "eso", World()).waits == "Secret eso/t does not exist"
    there = World(holders={("Secret", "ns", "t"): keys("other")})
    assert external_secrets.store(own, "eso", there).waits == "Secret ns/t has no key token"
    assert external_secrets.store(own, "eso", World(holders={("Secret", "ns", "t"): keys("token")})).waits == ""


def test_issuers_and_certificates():
    authority = Authority("a")
    signed = resource("cert-manager.io", "Issuer", ca={"secretName": "root"})
    assert certificates.issuer(signed, "cert-manager", World()).waits == "Secret ns/root does not exist"
    acme = resource("cert-manager.io", "ClusterIssuer", namespace="", acme={"privateKeySecretRef": {"name": "account"}})
    (made,) = certificates.issuer(acme, "cert-manager", World()).makes
    assert (made.namespace, made.name, made.keys) == ("cert-manager", "account", ("tls.key",))
    item = resource(
        "cert-manager.io", "Certificate", secretName="s", issuerRef={"name": "i"}, dnsNames=["a.example.com"]
    )
    assert certificates.certificate(item, "cm", World(), authority).waits == "Issuer ns/i does not exist"
    (made,) = certificates.certificate(item, "cm", World(ready={("Issuer", "ns", "i")}), authority).makes
    assert (made.keys, made.values["ca.crt"]) == (("tls.crt", "tls.key", "ca.crt"), authority.pem)


def test_an_ingress_without_annotation_gets_no_certificate():
    ingress = resource("networking.k8s.io", "Ingress", tls=[{"hosts": ["a.example.com"], "secretName": "s"}])
    assert certificates.of_ingress(ingress) == custom.Due()
    ingress["metadata"]["annotations"] = {"cert-manager.io/issuer": "i"}
    (made,) = certificates.of_ingress(ingress).others
    assert made["spec"]["issuerRef"] == {"name": "i", "kind": "Issuer", "group": "cert-manager.io"}


class Invent:
    def make(self, key, name, group):
        return f"{group}:{key}"


def test_a_service_whose_ports_nobody_knows_is_headless():
    owner = resource("g", "K")
    assert Making("Service", "ns", "s").manifest(owner, Invent())["spec"] == {"ports": [], "clusterIP": "None"}
    known = Making("Service", "ns", "s", address="10.96.0.5", ports=("53/UDP",)).manifest(owner, Invent())["spec"]
    assert known == {"ports": [{"name": "udp-53", "port": 53, "protocol": "UDP"}], "clusterIP": "10.96.0.5"}


def test_a_secret_has_what_its_type_requires_where_nobody_knows_its_keys():
    owner = resource("g", "K")
    made = Making("Secret", "ns", "s", None, type="kubernetes.io/tls").manifest(owner, Invent())
    assert set(made["data"]) == {"tls.crt", "tls.key"}
    said = Making("Secret", "ns", "s", ("a",), type="kubernetes.io/tls").manifest(owner, Invent())
    assert set(said["data"]) == {"a"}  # the API server refuses it, as it would for the operator


def test_what_is_made_is_owned_in_its_own_namespace_alone():
    owner = resource("g", "K")
    assert "ownerReferences" in Making("Secret", "ns", "s", ("a",)).manifest(owner, Invent())["metadata"]
    made = Making("Secret", "other", "s", ("a",)).manifest(owner, Invent())
    assert "ownerReferences" not in made["metadata"]
    assert base64.b64decode(made["data"]["a"]) == b"other/s:a"


def pool(*listed, **more):
    return {"spec": {"addresses": list(listed), **more}}


def balanced(**notes):
    return {"metadata": {"annotations": notes}, "spec": {"type": "LoadBalancer"}}


def test_addresses_come_out_of_pools():
    assert addresses.given(balanced(), [pool("192.0.2.0/30")], {"192.0.2.0"}) == ["192.0.2.1"]
    assert addresses.given(balanced(), [pool("192.0.2.7-192.0.2.8", autoAssign=False)], set()) == []
    assert addresses.given(
        balanced(), [{"spec": {"blocks": [{"start": "192.0.2.9", "stop": "192.0.2.9"}]}}], set()
    ) == ["192.0.2.9"]
    assert addresses.given(balanced(), [pool("nonsense")], set()) == []
    assert addresses.given(balanced(), [], set()) == []


def test_a_service_gets_the_address_that_it_asks_for_where_a_pool_has_it():
    asks = balanced(**{"metallb.io/loadBalancerIPs": "192.0.2.3"})
    assert addresses.given(asks, [pool("192.0.2.0/29", autoAssign=False)], {"192.0.2.3"}) == ["192.0.2.3"]
    assert addresses.given(asks, [pool("198.51.100.0/24")], set()) == []


def reflected(**notes):
    prefix = "reflector.v1.k8s.emberstack.com/reflection-"
    return {
        "metadata": {
            "namespace": "ns",
            "name": "s",
            "annotations": {f"{prefix}{k.replace('_', '-')}": v for k, v in notes.items()},
        }
    }


def test_reflector_copies_where_both_lists_name_the_namespace():
    item = reflected(allowed="true", auto_enabled="true", auto_namespaces="a, b-.*")
    assert [one for one in ("a", "b-1", "b", "ns") if copies.pushed(item, one)] == ["a", "b-1"]
    assert not copies.pushed(reflected(auto_enabled="true"), "a")
    assert not copies.pushed(reflected(allowed="true"), "a")
    assert copies.pushed(reflected(allowed="true", auto_enabled="true"), "a")
    assert not copies.pushed(reflected(allowed="true", auto_enabled="true", allowed_namespaces="("), "a")


def test_a_sealed_secret_becomes_a_secret_of_its_keys():
    template = {"metadata": {"name": "y"}, "data": {"plain": "text"}}
    item = resource("bitnami.com", "SealedSecret", encryptedData={"a": "AgB"}, template=template)
    (made,) = sealed_secrets.sealed_secret(item, "kube-system", World()).makes
    assert (made.name, made.keys, made.values) == ("y", ("a", "plain"), {"plain": "text"})


def test_a_store_is_valid_once_the_name_of_its_server_resolves():
    vault = {"server": "https://vault.tail.ts.net:8200/v1", "auth": {"tokenSecretRef": {"name": "token"}}}
    store = resource("external-secrets.io", "SecretStore", provider={"vault": vault})
    token = {("Secret", "ns", "token"): keys("token")}
    hidden = World(holders=token, unresolved=["vault.tail.ts.net"])
    assert external_secrets.store(store, "eso", hidden).waits == "lookup vault.tail.ts.net: server misbehaving"
    assert external_secrets.store(store, "eso", World(holders=token, unresolved=["tail.ts.net"])).waits == ""
