"""A model of a cluster under Flux, on virtual time: a second reading of what controllers do, independent of the product's.

It knows nothing of the graph. It builds folders with kustomize itself, and lets controllers act on a table of objects.
"""

import re
from pathlib import Path

import yaml

from proof.flux_build import BUILT_IN, CHARTS, CLUSTERED, FIRST, FLUX, HORIZON, STEP, build, key, substituted


class World:
    """The cluster of one castle, from the moment when the phases before Flux are done."""

    def __init__(self, castle: Path) -> None:
        self.spec = yaml.safe_load((castle / "castle.yaml").read_text())
        self.tree = castle / "gitops"
        engine = self.spec["engine"]
        self.objects: dict[tuple[str, str, str], dict] = {}
        self.kinds = {*BUILT_IN, *FLUX, "ClusterSecretStore", "ExternalSecret", "IPAddressPool", "L2Advertisement"}
        self.running: set[str] = {"external-secrets", "metallb"}
        self.ready: dict[tuple[str, str, str], bool] = {}
        self.secrets: dict[tuple[str, str], set[str]] = {}  # their keys
        self.vault = {(entry["path"], key) for entry in self._held(castle) for key in entry["keys"]}
        self.done_at: int | None = None
        self.why: dict[tuple[str, str, str], str] = {}
        pulls = engine.get("pull_secrets", [])
        direct = engine.get("direct_secrets", [])
        self.namespaces = {"default", "kube-system", "flux-system", engine["external_secrets"]["namespace"]}
        self.namespaces |= {self.spec["networking"]["metallb"]["namespace"], self.spec["storage"]["namespace"]}
        self.namespaces |= {d["namespace"] for d in direct} | {ns for p in pulls for ns in p["namespaces"]}
        for entry in direct:
            self.secrets[entry["namespace"], entry["name"]] = set(entry["data"])
        for entry in pulls:
            for namespace in entry["namespaces"]:
                self.secrets[namespace, entry["name"]] = {".dockerconfigjson"}
        self.add({"kind": "ConfigMap", "metadata": {"name": "cluster-variables", "namespace": "flux-system"},
                  "data": self.spec["gitops"]["variables"]})  # fmt: skip
        self.add({"kind": "ClusterSecretStore", "metadata": {"name": engine["store"]["name"]}})
        self.add({"kind": "StorageClass", "metadata": {"name": self.spec["storage"]["storage_class"]}})
        for item in build(self.tree / self.spec["gitops"]["path"] / "flux-system", self.tree) or []:
            self.add(item)

    @staticmethod
    def _held(castle):
        for entry in yaml.safe_load((castle / "lab.yaml").read_text())["vault"]:
            keys = entry.get("random") or ["tls.crt", "tls.key"]
            yield {"path": entry["path"], "keys": keys}

    # -- the API server

    def add(self, item):
        self.objects[key(item)] = item
        if item["kind"] == "Namespace":
            self.namespaces.add(item["metadata"]["name"])
        if item["kind"] == "Secret":
            self.secrets[key(item)[1:]] = {*item.get("data", {}), *item.get("stringData", {})}

    def of(self, kind):
        return [item for (found, _, _), item in self.objects.items() if found == kind]

    def refused(self, item, coming=frozenset()):
        """Why the API server does not take an object; None where it does."""
        kind, namespace, _ = key(item)
        if kind not in self.kinds | coming:
            return f"no matches for kind {kind}"
        if kind not in CLUSTERED and (not namespace or namespace not in self.namespaces | coming):
            return f"namespace {namespace} is not there"
        return None

    # -- controllers

    def run(self):
        """Lets time pass. Returns the second at which everything was done, or None."""
        quiet = 0
        for now in range(0, HORIZON, STEP):
            before = (
                len(self.objects),
                len(self.secrets),
                len(self.vault),
                len(self.running),
                sum(self.ready.values()),
            )
            for act in (
                self._flux,
                self._helm,
                self._stores,
                self._external_secrets,
                self._postgres,
                self._workloads,
                self._hand_over,
            ):
                act()
            if self.finished():
                self.done_at = now
                return now
            after = (len(self.objects), len(self.secrets), len(self.vault), len(self.running), sum(self.ready.values()))
            quiet = 0 if after != before else quiet + STEP
            if quiet > 1200:  # longer than any interval here: nothing will happen any more
                break
        return None

    def _flux(self):
        for own in self.of("Kustomization"):
            me = key(own)
            problem = self._reconcile(own)
            self.ready[me] = problem is None
            self.why[me] = problem or ""

    def _reconcile(self, own):
        spec, namespace = own["spec"], own["metadata"]["namespace"]
        source = spec["sourceRef"]
        if (source["kind"], source.get("namespace", namespace), source["name"]) not in self.objects:
            return "source not found"
        if not self._source_works(self.objects[source["kind"], source.get("namespace", namespace), source["name"]]):
            return "source not ready"
        for other in spec.get("dependsOn", []):
            if not self.ready.get(("Kustomization", other.get("namespace", namespace), other["name"])):
                return f"dependency {other['name']} not ready"
        items = build(self.tree / spec["path"], self.tree)
        if items is None:
            return "build failed"
        variables = {}
        for entry in spec.get("postBuild", {}).get("substituteFrom", []):
            found = self.objects.get((entry["kind"], namespace, entry["name"]))
            if found is None and not entry.get("optional"):
                return f"{entry['kind']} {entry['name']} not found"
            variables |= (found or {}).get("data", {})
        if spec.get("postBuild") and (items := substituted(items, variables)) is None:
            return "a variable is not set"
        return self._apply(items) or self._unhealthy(spec, items)

    def _source_works(self, source):
        reference = source["spec"].get("secretRef")
        held = self.secrets.get((source["metadata"]["namespace"], (reference or {}).get("name")))
        return reference is None or (held is not None and {"username", "password"} <= held)

    def _apply(self, items):
        for stage in ([i for i in items if i["kind"] in FIRST], [i for i in items if i["kind"] not in FIRST]):
            for item in stage:
                if problem := self.refused(item):
                    return problem
            for item in stage:
                self.add(item)
        return None

    def _unhealthy(self, spec, items):
        if spec.get("wait"):
            watched = [key(item) for item in items]
        else:
            watched = [(c["kind"], c.get("namespace", ""), c["name"]) for c in spec.get("healthChecks", [])]
        waiting = [found for found in watched if not self._healthy(found)]
        return f"waits for {waiting}" if waiting else None

    def _healthy(self, found):
        if found not in self.objects:
            return False
        if found[0] in {
            "ClusterSecretStore",
            "ExternalSecret",
            "HelmRelease",
            "Kustomization",
            "Deployment",
            "DNSConfig",
        }:
            return self.ready.get(found, False)
        if found[0] in {"HelmRepository", "GitRepository"}:
            return self._source_works(self.objects[found])
        if found[0] == "Service" and self.objects[found]["spec"].get("type") == "LoadBalancer":
            return "metallb" in self.running
        return True

    def _helm(self):
        for own in self.of("HelmRelease"):
            me, namespace = key(own), own["metadata"]["namespace"]
            chart = own["spec"]["chart"]["spec"]
            source = self.objects.get(
                (chart["sourceRef"]["kind"], chart["sourceRef"].get("namespace", namespace), chart["sourceRef"]["name"])
            )
            if source is None or not self._source_works(source) or chart["chart"] not in CHARTS:
                continue
            if not all(
                self.ready.get(("HelmRelease", d.get("namespace", namespace), d["name"]))
                for d in own["spec"].get("dependsOn", [])
            ):
                continue
            kinds, controller, secret = CHARTS[chart["chart"]]
            self.kinds |= set(kinds)
            starts = secret is None or {"client_id", "client_secret"} <= self.secrets.get((namespace, secret), set())
            if starts:
                self.running.add(controller)
                if controller == "traefik":
                    release = own["spec"].get("releaseName") or own["metadata"]["name"]
                    values = own["spec"].get("values", {})
                    self.add(
                        {
                            "kind": "Service",
                            "metadata": {"name": release, "namespace": namespace},
                            "spec": {"type": "LoadBalancer", **values.get("service", {})},
                        }
                    )
                    if values.get("ingressClass", {}).get("enabled", True):
                        self.add({"kind": "IngressClass", "metadata": {"name": "traefik"}})
            self.ready[me] = starts

    def _resolves(self, host):
        """A tailnet name has an answer once the nameserver stands at the forwarded address, and a proxy leads to the host."""
        for zone, addresses in self.spec["engine"]["coredns"]["forwards"].items():
            if host == zone or host.endswith("." + zone):
                serving = {
                    c["spec"]["nameserver"].get("service", {}).get("clusterIP")
                    for c in self.of("DNSConfig")
                    if "tailscale-operator" in self.running
                }
                egress = {
                    s["metadata"].get("annotations", {}).get("tailscale.com/tailnet-fqdn") for s in self.of("Service")
                }
                return bool(serving & set(addresses)) and host in egress
        return True

    def _stores(self):
        for config in self.of("DNSConfig"):
            self.ready[key(config)] = "tailscale-operator" in self.running
        engine = self.spec["engine"]
        wanted = [engine["store"]["token_secret"], *filter(None, [engine["store"].get("ca_secret")])]
        held = all(r["key"] in self.secrets.get((r["namespace"], r["name"]), set()) for r in wanted)
        host = re.sub(r"^https://([^:/]+).*", r"\1", engine["vault"]["address"])
        for store in self.of("ClusterSecretStore"):
            self.ready[key(store)] = held and self._resolves(host)

    def _external_secrets(self):
        for own in self.of("ExternalSecret"):
            me, namespace = key(own), own["metadata"]["namespace"]
            store = own["spec"]["secretStoreRef"]
            if not self.ready.get(
                (
                    store.get("kind", "SecretStore"),
                    "" if store.get("kind") == "ClusterSecretStore" else namespace,
                    store["name"],
                )
            ):
                continue
            wanted = [(d["remoteRef"]["key"], d["remoteRef"]["property"]) for d in own["spec"].get("data", [])]
            paths = [f["extract"]["key"] for f in own["spec"].get("dataFrom", [])]
            if not all(item in self.vault for item in wanted) or not all(
                any(p == path for p, _ in self.vault) for path in paths
            ):
                continue
            keys = {d["secretKey"] for d in own["spec"].get("data", [])}
            keys |= {name for path in paths for p, name in self.vault if p == path}
            self.secrets[namespace, own["spec"].get("target", {}).get("name") or own["metadata"]["name"]] = keys
            self.ready[me] = True

    def _postgres(self):
        for own in self.of("PostgresCluster"):
            classes = {i["dataVolumeClaimSpec"].get("storageClassName") for i in own["spec"]["instances"]}
            if "pgo" in self.running and all(("StorageClass", "", name) in self.objects for name in classes if name):
                for user in own["spec"].get("users") or [{"name": own["metadata"]["name"]}]:
                    name = f"{own['metadata']['name']}-pguser-{user['name']}"
                    self.secrets[own["metadata"]["namespace"], name] = {
                        "user",
                        "password",
                        "host",
                        "port",
                        "dbname",
                        "uri",
                        "verifier",
                    }

    def _workloads(self):
        for own in self.of("Deployment"):
            namespace, pod = own["metadata"]["namespace"], own["spec"]["template"]["spec"]
            if own["metadata"]["namespace"] == "flux-system":
                self.ready[key(own)] = True
                continue
            account = pod.get("serviceAccountName", "default")
            fine = account == "default" or ("ServiceAccount", namespace, account) in self.objects
            for container in pod["containers"]:
                for entry in container.get("env", []):
                    reference = entry.get("valueFrom", {}).get("secretKeyRef")
                    if reference and not reference.get("optional"):
                        fine &= reference["key"] in self.secrets.get((namespace, reference["name"]), set())
                if container["image"].startswith("ghcr.io/"):
                    pulls = {p["name"] for p in pod.get("imagePullSecrets", [])}
                    fine &= any((namespace, name) in self.secrets for name in pulls)
                for entry in container.get("env", []):
                    if entry["name"] == "GF_DATABASE_HOST":
                        database = entry["value"].split(".")
                        fine &= any(
                            c["metadata"]["namespace"] == database[1]
                            and f"{c['metadata']['name']}-primary" == database[0]
                            for c in self.of("PostgresCluster")
                        )
            self.ready[key(own)] = bool(fine)

    def _hand_over(self):
        for entry in self.spec["handovers"]:
            born = entry["from"]
            if born["key"] in self.secrets.get((born["namespace"], born["secret"]), set()):
                self.vault.add((entry["to"]["path"], entry["to"]["property"]))

    # -- what the castle calls done

    def finished(self):
        flux = all(self.ready.get(key(item)) for kind in ("Kustomization", "HelmRelease") for item in self.of(kind))
        for entry in self.spec["handovers"]:
            waited = entry["external_secret"]
            flux &= self.ready.get(("ExternalSecret", waited["namespace"], waited["name"]), False)
            flux &= self.ready.get((entry["ready"]["kind"], entry["ready"]["namespace"], entry["ready"]["name"]), False)
        ingress = self.spec["online"]["ingress"]
        there = self.objects.get(("Service", ingress["namespace"], ingress["service"]))
        address = there is not None and there["spec"].get("type") == "LoadBalancer" and "metallb" in self.running
        return bool(flux and address and all(self._answers(site) for site in self.spec["online"]["sites"]))

    def _answers(self, site):
        for item in self.of("Ingress"):
            if (
                "IngressClass",
                "",
                item["spec"].get("ingressClassName"),
            ) not in self.objects or "traefik" not in self.running:
                continue
            namespace = item["metadata"]["namespace"]
            signed = any(
                site["host"] in tls.get("hosts", [])
                and {"tls.crt", "tls.key"} <= self.secrets.get((namespace, tls["secretName"]), set())
                for tls in item["spec"].get("tls", [])
            )
            for rule in item["spec"]["rules"]:
                backends = [path["backend"]["service"]["name"] for path in rule["http"]["paths"]]
                if (
                    rule.get("host") == site["host"]
                    and signed
                    and all(self._serves(namespace, name) for name in backends)
                ):
                    return True
        return False

    def _serves(self, namespace, name):
        service = self.objects.get(("Service", namespace, name))
        if service is None:
            return False
        selector = service["spec"].get("selector") or {}
        return any(
            self.ready.get(key(own)) and selector.items() <= own["spec"]["template"]["metadata"]["labels"].items()
            for own in self.of("Deployment")
            if own["metadata"]["namespace"] == namespace
        )
