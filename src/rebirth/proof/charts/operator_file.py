"""What operators provide: facts about charts and custom resources that no file of a repository tells.

One YAML file an operator in `known/`; its name (`cert-manager`) is the operator's name in the graph
(`operator cert-manager` READY). Fields, all but `title` and `read` optional:

    title: cert-manager
    read: [...]                      upstream files that the facts were read in, with the version
    charts:                          how a HelmRelease of it is recognised: the chart's name, and pieces of its repository's URL
      - {name: cert-manager, from: [charts.jetstack.io, jetstack/charts]}
      - {name: coredns, published: [ghcr.io/coredns/charts/coredns]}     at which OCI addresses its own publisher has it: all of them
    images: [jetstack/cert-manager-controller]   how it is recognised in manifests: its main container's image, without host and tag
    namespace: cert-manager          where it usually stands; only used if nobody says otherwise
    complete: true                   the objects below are all that matters: nothing else of the chart is needed by others
    crds:
      - group: cert-manager.io
        kinds: [Certificate, Issuer]
        versions: [{name: v1, since: 0.16.0}]     those that the API server serves, as conditions tell; none: not known
        folder: true                 they stand in the chart's crds/ folder, so that `install.crds: Skip` leaves them out
        unless_false: [crds.enabled] see conditions
        since: "1.0"                 version of the chart; also `before`
    workloads:
      - name: "{fullname}-webhook"
        kind: Deployment             (if not given)
        image: jetstack/cert-manager-webhook
        secrets: [{name: operator-oauth, keys: [client_id], unless: [oauth.clientId]}]   what its pods do not start without; keys
                                     are templates, too: "{values.admin.userKey|'admin-user'}"
        services: [{name: "{fullname}-webhook", type: ClusterIP}]
        labels: {app: x}             of its pods, where other objects select them
        privileged: true             its container is; also `host_network`, `host_path`
    webhooks:
      - name: webhook.cert-manager.io
        mutating: false
        fails: true                  failurePolicy: Fail
        kinds: {cert-manager.io: [Certificate]}      "" is the core group; "*" all kinds of a group
        operations: [CREATE, UPDATE]
        service: "{fullname}-webhook"
        namespaces: {not: [kube-system, "{namespace}"]}   namespaces by name that it leaves out, or `only`
        policy: webhook.failurePolicy       value of the chart that says the failure policy
        runtime: true                the operator makes the configuration itself, once it runs
    ingress_classes: ["{values.ingressClass.name|fullname}"]    names, each may be {name: ..., conditions}
    gateway_controllers: [...]       spec.controllerName of GatewayClasses that it serves
    storage_classes:
      - {name: longhorn, default: persistence.defaultClass}     the default class, unless that value is false
    provisioners: [driver.longhorn.io]     StorageClasses of these are served by it
    helpers: true                    for each of these volumes its program runs a pod with a host path, in its own namespace
    address_pools: [metallb.io/IPAddressPool]   kinds whose objects are pools of addresses for Services
    secrets: [...]                   Secrets that the chart itself makes: names
    resources:                       custom resources that the chart itself holds
      - {kind: ceph.rook.io/CephCluster, name: "{values.clusterName|namespace}"}
      - {kind: gateway.networking.k8s.io/GatewayClass, name: cilium, all_of: [gatewayAPI.enabled], left_out: true}
                                     left_out: without a word, where its kind is not known when the chart is rendered
    certificates:                    Certificates of cert-manager's that the chart itself holds
      - {name: "{fullname}-webhook", secret: ..., issuer: webhook.issuerRef}     `issuer`: the value that is its issuerRef
    makes:                           what a custom resource of it makes, once the operator runs
      - by: postgres-operator.crunchydata.com/PostgresCluster
        kind: Secret
        name: "{metadata.name}-pguser-{spec.users.*.name|metadata.name}"
        namespace: "{metadata.namespace}"      (if not given); "{operator}" is the operator's
        keys: [user, password]       of Secrets and ConfigMaps; not given: not known
        address: "{spec.nameserver.service.clusterIP}"     of a Service
        ports: ["5432", "53/UDP"]    of a Service
        when_ready: true             only once the custom resource itself is Ready
        privileged: true             of pods: they are
        unless: [spec.secret.name]   not where the custom resource has one of these fields
        only_if: [spec.claim]        only where it has one of these
    reads:                           what a custom resource of it needs from a Secret or ConfigMap
      - {by: ..., kind: Secret, name: "{spec.secretName}", key: "{spec.key}"}    only_if: [spec.enabled] as for what it makes;
                                       late: true where it is Ready without, and reads it later
    reports:                         what the operator writes into the status of a custom resource once it is as it should be
      - by: external-secrets.io/ExternalSecret
        type: Ready                  of the condition (if not given)
        reason: SecretSynced
        message: secret synced
        not_yet: {reason: SecretSyncedError, message: ...}   while what it needs is not there; not given: nothing is written
        status: {phase: ready}       other fields of the status
    pods:                            what pods make once they run or, those of a Job, have run
      - image: ingress-nginx/kube-webhook-certgen     as in `images`
        with: create                 only with that word among command and arguments
        kind: Secret                 (if not given), in the namespace of the pod
        name: "{args.secret-name}"   of its argument --secret-name; "{env.NAME}" of its environment
        keys: [secretkey]            not given: not known
    unready: [tailscale.com/DNSConfig]     kinds without any condition that kstatus knows: they are Ready as soon as they exist
    rights:                          what its program asks of the API server everywhere when it starts, and ends without
      - {group: "", resource: configmaps, verbs: [list, watch], since: "1.6"}     version of the image; also `before`
    rejects:                         values with which the chart is not rendered, or does not work, in those versions
      - {value: kubeProxyReplacement, takes: ["true", "false"], since: "1.16"}     takes: not given: none at all
      - {value: k8sServiceHost, takes: [auto], needs: k8sServicePort}              needs: but with that value set, any other, too

Conditions: `only_if` (one of these values is set), `all_of` (each is), `unless` (none is), `unless_false` (none is false). Values are those of the
HelmRelease; what it does not set has the chart's default, which the conditions are written for.

Templates: `{path}` is replaced by the value at that path; `{a|b}` by the first that is there; `{a|'text'}` by a text; `*` in a
path goes through all items of a list, or keys of a mapping, and gives one result each. A template with a path that leads
nowhere gives nothing. Charts know `release`, `namespace`, `fullname` (Helm's convention), `values...`; custom resources all
their fields, and `operator` (its namespace).
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, StringConstraints

from rebirth.proof.charts.conditions import Entry, Texts, When
from rebirth.proof.reading.yaml_files import UnreadableError, parse, text_of
from rebirth.proof.things import Milestone, Thing

_Kind = Annotated[str, StringConstraints(pattern=r"^[^/]*/[A-Za-z0-9]+$")]  # group/Kind


def _named(value: object) -> object:
    """What has but a name may be written as that name."""
    return {"name": value} if isinstance(value, str) else value


class Chart(Entry):
    name: str
    sources: Texts = Field(default=(), alias="from")  # pieces of repository URLs; none: any
    published: Texts = ()


class Name(When):
    """Something that has but a name."""

    name: str
    keys: Texts = ()
    type: str = ""
    kind: str = ""
    default: str = ""  # of a StorageClass
    left_out: bool = False  # a custom resource: where its kind is not known


class Crds(When):
    group: str
    kinds: Texts
    folder: bool = False
    versions: tuple[Name, ...] = ()  # that are served; none: not known


Named = Annotated[Name, BeforeValidator(_named)]


class Certificate(When):
    name: str
    secret: str
    issuer: str  # the chart's value that is its issuerRef


class Workload(When):
    name: str
    kind: str = "Deployment"
    image: str = ""
    secrets: tuple[Named, ...] = ()
    services: tuple[Named, ...] = ()
    labels: Mapping[str, str] = {}
    privileged: bool = False
    host_network: bool = False
    host_path: bool = False


class Namespaces(Entry):
    only: Texts = ()  # none: all
    but: Texts = Field(default=(), alias="not")


class Webhook(When):
    name: str
    mutating: bool = False
    fails: bool = True
    kinds: Mapping[str, Texts] = {}  # group -> kinds
    operations: Texts = ("CREATE", "UPDATE")
    service: str = ""
    namespaces: Namespaces = Namespaces()
    policy: str = ""  # the chart's value that holds the failure policy
    runtime: bool = False
    certificate: bool = False  # cert-manager injects its CA


class _Of(Entry):
    """Something about a kind of custom resources."""

    kind_of: _Kind = Field(alias="by")

    @property
    def group(self) -> str:
        return self.kind_of.rpartition("/")[0]

    @property
    def by(self) -> str:
        return self.kind_of.rpartition("/")[2]


class _Other(_Of):
    """Another object that a custom resource has to do with."""

    kind: str = ""
    name: str = ""
    namespace: str = "{metadata.namespace}"


class Makes(_Other):
    """What a custom resource makes."""

    keys: Texts | None = None
    address: str = ""
    ports: Texts = ()
    when_ready: bool = False
    privileged: bool = False
    unless: Texts = ()
    only_if: Texts = ()


class Reads(_Other):
    key: str = ""
    only_if: Texts = ()
    late: bool = False


class Said(Entry):
    """What a condition says besides True or False."""

    reason: str
    message: str = ""


class Reports(_Of):
    """What its operator writes into a custom resource's status."""

    type: str = "Ready"
    reason: str = ""  # none: it writes no condition
    message: str = ""
    not_yet: Said | None = None
    status: Mapping[str, Any] = {}


class PodMakes(Entry):
    """What a pod with a container of that image makes."""

    image: str
    word: str = Field(default="", alias="with")
    kind: str = "Secret"
    name: str
    keys: Texts | None = None


class Right(Entry):
    """Something that the operator's program may have to be allowed in all namespaces, in those versions of its image."""

    group: str = ""
    resource: str
    verbs: Texts
    since: str = ""
    before: str = ""


class Rejects(Entry):
    """A value with which the chart cannot be rendered, or what it makes cannot run."""

    value: str  # its path
    takes: Texts = ()  # what it may be; none: nothing at all
    needs: str = ""  # a value that makes any other right
    since: str = ""
    before: str = ""


class OperatorFile(Entry):
    title: str
    read: Texts
    charts: tuple[Chart, ...] = ()
    images: Texts = ()
    namespace: str = ""
    complete: bool = False
    crds: tuple[Crds, ...] = ()
    workloads: tuple[Workload, ...] = ()
    webhooks: tuple[Webhook, ...] = ()
    ingress_classes: tuple[Named, ...] = ()
    storage_classes: tuple[Named, ...] = ()
    secrets: tuple[Named, ...] = ()
    resources: tuple[Named, ...] = ()
    certificates: tuple[Certificate, ...] = ()
    gateway_controllers: Texts = ()
    provisioners: Texts = ()
    helpers: bool = False
    address_pools: Texts = ()
    makes: tuple[Makes, ...] = ()
    reads: tuple[Reads, ...] = ()
    reports: tuple[Reports, ...] = ()
    pods: tuple[PodMakes, ...] = ()
    unready: Texts = ()
    rights: tuple[Right, ...] = ()
    rejects: tuple[Rejects, ...] = ()


class Operator(OperatorFile):
    name: str  # the file's

    @property
    def thing(self) -> Thing:
        """The operator at work, whichever unit installs it."""
        return operator(self.name)

    def knows(self, group: str, kind: str) -> bool:
        return any(crds.group == group and kind in crds.kinds for crds in self.crds)


def operator(name: str) -> Thing:
    """`operator cert-manager` READY: made by the workload, HelmRelease or phase that runs it."""
    return Thing("operator", "", name, Milestone.READY)


def read_operator(file: Path) -> Operator:
    """Raises SpecError with every problem of the file, each with its line and path."""
    try:
        found = OperatorFile.model_validate_json(json.dumps(parse(text_of(file))[0].data))
    except (UnreadableError, ValueError, IndexError):
        from rebirth.castle import load_model  # says each problem in words, at its line

        found = load_model(file, OperatorFile)
    return Operator.model_construct(**dict(found), name=file.stem)
