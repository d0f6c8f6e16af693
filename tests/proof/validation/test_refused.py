"""What the API server refuses of an object that fits its schema, each beside what it takes (tests/rehearse/test_validation.py asks it)."""

import pytest
import yaml

from changing_fields import changed, with_each
from rebirth.proof.schemas.shape import dotted
from rebirth.proof.validation import CHECKS, refused

POD = "containers: [{name: a, image: a, ports: [{name: http, containerPort: 80}], volumeMounts: [{name: v, mountPath: /v}]}], volumes: [{name: v, emptyDir: {}}]"
BASES = {
    "pod": f"{{apiVersion: v1, kind: Pod, metadata: {{name: a}}, spec: {{{POD}}}}}",
    "deployment": f"{{apiVersion: apps/v1, kind: Deployment, metadata: {{name: a}}, spec: {{selector: {{matchLabels: {{app: a}}}}, template: {{metadata: {{labels: {{app: a}}}}, spec: {{{POD}}}}}}}}}",
    "daemonset": "{apiVersion: apps/v1, kind: DaemonSet, metadata: {name: a}, spec: {selector: {matchLabels: {app: a}}, template: {metadata: {labels: {app: a}}, spec: {containers: [{name: a, image: a}]}}}}",
    "statefulset": "{apiVersion: apps/v1, kind: StatefulSet, metadata: {name: a}, spec: {serviceName: a, selector: {matchLabels: {app: a}}, template: {metadata: {labels: {app: a}}, spec: {containers: [{name: a, image: a}]}}}}",
    "job": "{apiVersion: batch/v1, kind: Job, metadata: {name: a}, spec: {template: {spec: {restartPolicy: Never, containers: [{name: a, image: a}]}}}}",
    "cronjob": "{apiVersion: batch/v1, kind: CronJob, metadata: {name: a}, spec: {schedule: '0 3 * * *', jobTemplate: {spec: {template: {spec: {restartPolicy: Never, containers: [{name: a, image: a}]}}}}}}",
    "service": "{apiVersion: v1, kind: Service, metadata: {name: a}, spec: {selector: {app: a}, ports: [{name: http, port: 80}, {name: https, port: 443}]}}",
    "balanced": "{apiVersion: v1, kind: Service, metadata: {name: a}, spec: {type: LoadBalancer, selector: {app: a}, ports: [{port: 80}]}}",
    "headless": "{apiVersion: v1, kind: Service, metadata: {name: a}, spec: {clusterIP: None, selector: {app: a}, ports: [{port: 80}]}}",
    "outside": "{apiVersion: v1, kind: Service, metadata: {name: a}, spec: {type: ExternalName, externalName: a.example.com}}",
    "volume": "{apiVersion: v1, kind: PersistentVolume, metadata: {name: a}, spec: {capacity: {storage: 1Gi}, accessModes: [ReadWriteOnce], hostPath: {path: /a}}}",
    "claim": "{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: a}, spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}}",
    "config": "{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {a: b}, binaryData: {c: Zg==}}",
    "tls": "{apiVersion: v1, kind: Secret, metadata: {name: a}, type: kubernetes.io/tls, data: {tls.crt: Yg==, tls.key: Yg==}}",
    "pull": "{apiVersion: v1, kind: Secret, metadata: {name: a}, type: kubernetes.io/dockerconfigjson, stringData: {.dockerconfigjson: '{}'}}",
    "limits": "{apiVersion: v1, kind: LimitRange, metadata: {name: a}, spec: {limits: [{type: Container, max: {cpu: 1}, default: {cpu: 500m}}]}}",
    "quota": "{apiVersion: v1, kind: ResourceQuota, metadata: {name: a}, spec: {hard: {pods: 5}}}",
    "ingress": "{apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {name: a}, spec: {rules: [{host: a.example.com, http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: a, port: {number: 80}}}}]}}]}}",
    "policy": "{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: a}, spec: {podSelector: {}, ingress: [{from: [{podSelector: {}}], ports: [{port: 80}]}]}}",
    "role": "{apiVersion: rbac.authorization.k8s.io/v1, kind: Role, metadata: {name: a}, rules: [{apiGroups: [''], resources: [pods], verbs: [get]}]}",
    "cluster binding": "{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: {name: a}, roleRef: {kind: ClusterRole, name: a, apiGroup: rbac.authorization.k8s.io}, subjects: [{kind: ServiceAccount, name: a, namespace: a}]}",
    "autoscaler": "{apiVersion: autoscaling/v2, kind: HorizontalPodAutoscaler, metadata: {name: a}, spec: {scaleTargetRef: {kind: Deployment, name: a, apiVersion: apps/v1}, minReplicas: 1, maxReplicas: 3, metrics: [{type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 80}}}]}}",
    "budget": "{apiVersion: policy/v1, kind: PodDisruptionBudget, metadata: {name: a}, spec: {minAvailable: 1, selector: {matchLabels: {app: a}}}}",
    "crd": "{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {name: zebras.zoo.example}, spec: {group: zoo.example, scope: Namespaced, names: {kind: Zebra, plural: zebras}, versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}]}}",
    "webhook": "{apiVersion: admissionregistration.k8s.io/v1, kind: ValidatingWebhookConfiguration, metadata: {name: a}, webhooks: [{name: a.zoo.example, sideEffects: None, admissionReviewVersions: [v1], clientConfig: {service: {name: a, namespace: a}}, rules: [{operations: [CREATE], apiGroups: [''], apiVersions: [v1], resources: [pods]}]}]}",
}  # fmt: skip
SPEC, C = "spec", "spec.containers.0"
# The object, where, what is put there, and the field that is refused then; "" where it is taken.
CASES = [
    # containers
    ("pod", f"{C}.livenessProbe", "{httpGet: {port: 80}, tcpSocket: {port: 80}}", "spec.containers[0].livenessProbe.tcpSocket"),
    ("pod", f"{C}.livenessProbe", "{periodSeconds: 5}", "spec.containers[0].livenessProbe"),
    ("pod", f"{C}.livenessProbe", "{httpGet: {port: 80}, successThreshold: 2}", "spec.containers[0].livenessProbe.successThreshold"),
    ("pod", f"{C}.readinessProbe", "{httpGet: {port: 80}, successThreshold: 2}", ""),
    ("pod", f"{C}.ports", "[{name: a, containerPort: 1}, {name: a, containerPort: 2}]", "spec.containers[0].ports[1].name"),
    ("pod", f"{C}.ports", "[{containerPort: 1}, {containerPort: 2}]", ""),
    ("pod", f"{C}.ports", "[{containerPort: 70000}]", "spec.containers[0].ports[0].containerPort"),
    ("pod", f"{C}.env", "[{name: A, value: b, valueFrom: {fieldRef: {fieldPath: metadata.name}}}]", "spec.containers[0].env[0].valueFrom"),
    ("pod", f"{C}.env", "[{name: A, valueFrom: {fieldRef: {fieldPath: metadata.name}}}]", ""),
    ("pod", f"{C}.env", "[{name: A, valueFrom: {fieldRef: {fieldPath: spec.nodename}}}]", "spec.containers[0].env[0].valueFrom.fieldRef.fieldPath"),
    ("pod", f"{C}.env", "[{name: A, valueFrom: {fieldRef: {fieldPath: \"metadata.labels['a']\"}}}]", ""),
    ("pod", f"{C}.env", "[{name: A, valueFrom: {}}]", "spec.containers[0].env[0].valueFrom"),
    ("pod", f"{C}.envFrom", "[{secretRef: {name: a}, configMapRef: {name: a}}]", "spec.containers[0].envFrom[0].secretRef"),
    ("pod", f"{C}.envFrom", "[{secretRef: {name: a}}, {configMapRef: {name: a}}]", ""),
    ("pod", f"{C}.resources", "{requests: {memory: 1Gi}, limits: {memory: 512Mi}}", "spec.containers[0].resources.requests.memory"),
    ("pod", f"{C}.resources", "{requests: {memory: 1Gi}, limits: {memory: 1024Mi}}", ""),
    ("pod", f"{C}.resources", "{requests: {memory: '${MEMORY}'}, limits: {memory: 512Mi}}", ""),
    ("pod", f"{C}.resources", "{requests: {storage: 1Gi}}", "spec.containers[0].resources.requests.storage"),
    ("pod", f"{C}.resources", "{requests: {ephemeral-storage: 1Gi}}", ""),
    ("pod", f"{C}.resources", "{requests: {nvidia.com/gpu: 1}}", "spec.containers[0].resources.requests.nvidia.com/gpu"),
    ("pod", f"{C}.resources", "{limits: {nvidia.com/gpu: 1}}", ""),
    ("pod", f"{C}.resources", "{limits: {nvidia.com/gpu: 0.5}}", "spec.containers[0].resources.limits.nvidia.com/gpu"),
    ("pod", f"{C}.securityContext", "{privileged: true, allowPrivilegeEscalation: false}", "spec.containers[0].securityContext.allowPrivilegeEscalation"),
    ("pod", f"{C}.securityContext", "{privileged: true, allowPrivilegeEscalation: true}", ""),
    ("pod", f"{C}.securityContext", "{seccompProfile: {type: Localhost}}", "spec.containers[0].securityContext.seccompProfile.localhostProfile"),
    ("pod", f"{C}.volumeMounts.0.subPath", "/a", "spec.containers[0].volumeMounts[0].subPath"),
    ("pod", f"{C}.volumeMounts.0.subPath", "a/..b", ""),
    ("pod", f"{C}.volumeMounts.0.mountPropagation", "Bidirectional", "spec.containers[0].volumeMounts[0].mountPropagation"),
    ("pod", "spec.initContainers", "[{name: b, image: a, readinessProbe: {exec: {command: [a]}}}]", "spec.initContainers[0].readinessProbe"),
    ("pod", "spec.initContainers", "[{name: b, image: a, restartPolicy: Always, readinessProbe: {exec: {command: [a]}}}]", ""),
    ("pod", "spec.initContainers", "[{name: a, image: a}]", "spec.initContainers[0].name"),
    # volumes
    ("pod", "spec.volumes", "[{name: v, emptyDir: {}, hostPath: {path: /a}}]", "spec.volumes[0].hostPath"),
    ("pod", "spec.volumes", "[{name: v}]", ""),
    ("pod", "spec.volumes", "[{name: v, emptyDir: null, hostPath: {path: /a}}]", ""),
    ("pod", "spec.volumes", "[{name: v, secret: {secretName: a, defaultMode: 755}}]", "spec.volumes[0].secret.defaultMode"),
    ("pod", "spec.volumes", "[{name: v, secret: {secretName: a, defaultMode: 0755}}]", ""),
    ("pod", "spec.volumes", "[{name: v, secret: {name: a}}]", "spec.volumes[0].secret.secretName"),
    ("pod", "spec.volumes", "[{name: v, configMap: {name: a, items: [{key: a, path: ../a}]}}]", "spec.volumes[0].configMap.items[0].path"),
    ("pod", "spec.volumes", "[{name: v, projected: {sources: [{secret: {name: a}, configMap: {name: a}}]}}]", "spec.volumes[0].projected.sources[0].configMap"),
    # pods
    ("pod", "spec.tolerations", "[{effect: NoSchedule}]", "spec.tolerations[0].operator"),
    ("pod", "spec.tolerations", "[{effect: NoSchedule, operator: Exists}]", ""),
    ("pod", "spec.tolerations", "[{key: a, operator: Exists, value: b}]", "spec.tolerations[0].value"),
    ("pod", "spec.affinity", "{podAntiAffinity: {preferredDuringSchedulingIgnoredDuringExecution: [{podAffinityTerm: {topologyKey: a}}]}}", "spec.affinity.podAntiAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].weight"),
    ("pod", "spec.affinity", "{podAntiAffinity: {preferredDuringSchedulingIgnoredDuringExecution: [{weight: 1, podAffinityTerm: {topologyKey: a}}]}}", ""),
    ("pod", "spec.topologySpreadConstraints", "[{maxSkew: 1, topologyKey: a, whenUnsatisfiable: ScheduleAnyway}, {maxSkew: 2, topologyKey: a, whenUnsatisfiable: ScheduleAnyway}]", "spec.topologySpreadConstraints[1].topologyKey"),
    ("pod", "spec.dnsPolicy", "None", "spec.dnsConfig.nameservers"),
    ("pod", "spec.hostAliases", "[{ip: a.example.com, hostnames: [a]}]", "spec.hostAliases[0].ip"),
    ("deployment", "spec.template.spec.restartPolicy", "Never", "spec.template.spec.restartPolicy"),
    ("deployment", "spec.template.spec.nodeSelector", "{a/b/c: d}", "spec.template.spec.nodeSelector.a/b/c"),
    # workloads
    ("deployment", "spec.selector.matchLabels.app", "b", "spec.template.metadata.labels"),
    ("deployment", "spec.selector.matchLabels.app", "'${APP}'", ""),
    ("deployment", "spec.template.metadata.labels.more", "b", ""),
    ("deployment", "spec.strategy", "{type: Recreate, rollingUpdate: {maxSurge: 1}}", "spec.strategy.rollingUpdate"),
    ("deployment", "spec.strategy", "{type: Recreate, rollingUpdate: null}", ""),
    ("deployment", "spec.strategy", "{rollingUpdate: {maxSurge: 0, maxUnavailable: 0}}", "spec.strategy.rollingUpdate.maxUnavailable"),
    ("deployment", "spec.strategy", "{rollingUpdate: {maxSurge: 0}}", ""),
    ("daemonset", "spec.updateStrategy", "{rollingUpdate: {maxSurge: 1}}", "spec.updateStrategy.rollingUpdate.maxSurge"),
    ("daemonset", "spec.updateStrategy", "{rollingUpdate: {maxSurge: 1, maxUnavailable: 0}}", ""),
    ("statefulset", "spec.updateStrategy", "{type: OnDelete, rollingUpdate: {partition: 1}}", "spec.updateStrategy.rollingUpdate"),
    ("statefulset", "spec.volumeClaimTemplates", "[{metadata: {name: a}, spec: {resources: {requests: {storage: 1Gi}}}}]", "spec.volumeClaimTemplates[0].spec.accessModes"),
    ("statefulset", "spec.volumeClaimTemplates", "[{metadata: {name: a}, spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: '${SIZE}'}}}}]", ""),
    ("job", "spec.template.spec.restartPolicy", "Always", "spec.template.spec.restartPolicy"),
    ("job", "spec.template.spec.restartPolicy", "null", "spec.template.spec.restartPolicy"),
    ("job", "spec.template.spec.restartPolicy", "OnFailure", ""),
    ("job", "spec.backoffLimit", "-1", "spec.backoffLimit"),
    ("job", "spec.backoffLimit", "0", ""),
    ("cronjob", "spec.schedule", "0 3 * * 7", "spec.schedule"),
    ("cronjob", "spec.schedule", "0 3 * * sun", ""),
    ("cronjob", "spec.schedule", "'@daily'", ""),
    ("cronjob", "spec.schedule", "'@reboot'", "spec.schedule"),
    ("cronjob", "spec.schedule", "'*/15 0-6,20 1 jan ?'", ""),
    ("cronjob", "spec.schedule", "60 3 * * *", "spec.schedule"),
    ("cronjob", "spec.schedule", "0 0 3 * * *", "spec.schedule"),
    ("cronjob", "spec.schedule", "'${SCHEDULE}'", ""),
    ("cronjob", "spec.timeZone", "Europe/rome", "spec.timeZone"),
    ("cronjob", "spec.timeZone", "UTC+2", "spec.timeZone"),
    ("cronjob", "spec.timeZone", "Etc/UTC", ""),
    ("cronjob", "spec.timeZone", "Zoo/Stripes", ""),  # this machine may not know it
    ("cronjob", "metadata.name", "a" * 53, "metadata.name"),
    ("cronjob", "metadata.name", "a" * 52, ""),
    # services
    ("service", "spec.ports.1", "{port: 443}", "spec.ports[1].name"),
    ("service", "spec.ports", "[{port: 443}]", ""),
    ("service", "spec.ports.1.name", "http", "spec.ports[1].name"),
    ("service", "spec.ports.1.port", "80", "spec.ports[1].port"),
    ("service", "spec.ports.1", "{name: b, port: 80, protocol: UDP}", ""),
    ("service", "spec.ports.1.nodePort", "30080", "spec.ports[1].nodePort"),
    ("service", "spec.externalTrafficPolicy", "Local", "spec.externalTrafficPolicy"),
    ("service", "spec.externalTrafficPolicy", "''", ""),
    ("service", "spec.loadBalancerClass", "a", "spec.loadBalancerClass"),
    ("service", "spec.type", "'${TYPE}'", ""),
    ("service", "spec.ports", "[]", "spec.ports"),
    ("balanced", "spec.externalTrafficPolicy", "Local", ""),
    ("balanced", "spec.clusterIP", "None", "spec.clusterIP"),
    ("balanced", "spec.ports.0.nodePort", "8080", "spec.ports[0].nodePort"),
    ("balanced", "spec.ports.0.nodePort", "30080", ""),
    ("headless", "spec.ports", "[]", ""),
    ("outside", "spec.externalName", "https://a.example.com", "spec.externalName"),
    ("outside", "spec.externalName", "a.example.com.", ""),
    ("outside", "spec.clusterIP", "10.0.0.1", "spec.clusterIP"),
    # storage and configuration
    ("volume", "spec.nfs", "{server: a, path: /}", "spec.nfs"),
    ("volume", "spec.hostPath", "null", "spec"),
    ("volume", "spec", "{capacity: {storage: 1Gi}, accessModes: [ReadWriteOnce], local: {path: /a}}", "spec.nodeAffinity"),
    ("volume", "spec.accessModes", "[ReadWriteOncePod, ReadWriteOnce]", "spec.accessModes[0]"),
    ("claim", "spec.accessModes", "[]", "spec.accessModes"),
    ("claim", "spec.resources.requests.storage", "0", "spec.resources.requests.storage"),
    ("claim", "spec.resources", "{requests: '${REQUESTS}'}", ""),
    ("config", "binaryData.a", "Zg==", "data.a"),
    ("tls", "data", "{tls.crt: Yg==}", "data"),
    ("tls", "data", "{tls.crt: 'ENC[a]', tls.key: 'ENC[b]'}", ""),
    ("tls", "data", "'${DATA}'", ""),
    ("pull", "stringData", "{config.json: '{}'}", "stringData"),
    ("pull", "stringData", "{.dockerconfigjson: auths}", "stringData..dockerconfigjson"),
    ("pull", "stringData", "{.dockerconfigjson: '${LOGIN}'}", ""),
    ("limits", "spec.limits.0.default.cpu", "2", "spec.limits[0].default.cpu"),
    ("limits", "spec.limits.0.default.cpu", "1000m", ""),
    ("quota", "spec.hard", "{deployments: 5}", "spec.hard.deployments"),
    ("quota", "spec.hard", "{count/deployments.apps: 5}", ""),
    # networking
    ("ingress", "spec.rules.0.http.paths.0.backend.service.port", "{number: 80, name: http}", "spec.rules[0].http.paths[0].backend.service.port.number"),
    ("ingress", "spec.rules.0.http.paths.0.backend.service.port", "{}", "spec.rules[0].http.paths[0].backend.service.port"),
    ("ingress", "spec.rules.0.http.paths.0.backend.service.port", "{number: '${PORT}'}", ""),
    ("ingress", "spec.rules.0.http.paths.0.path", "a", "spec.rules[0].http.paths[0].path"),
    ("ingress", "spec.rules.0.http.paths.0", "{pathType: ImplementationSpecific, backend: {service: {name: a, port: {name: http}}}}", ""),
    ("ingress", "spec.rules.0.host", "https://a.example.com", "spec.rules[0].host"),
    ("ingress", "spec.rules.0.host", "'*.example.com'", ""),
    ("ingress", "spec.rules.0.host", "'a.*.example.com'", "spec.rules[0].host"),
    ("ingress", "spec.rules.0.host", "10.0.0.1", "spec.rules[0].host"),
    ("ingress", "spec.tls", "[{hosts: ['a.example.com:443']}]", "spec.tls[0].hosts[0]"),
    ("ingress", "spec.rules", "[]", "spec"),
    ("policy", "spec.ingress.0.from.0", "{ipBlock: {cidr: 10.0.0.0/8}, podSelector: {}}", "spec.ingress[0].from[0].podSelector"),
    ("policy", "spec.ingress.0.from.0", "{namespaceSelector: {}, podSelector: {}}", ""),
    ("policy", "spec.ingress.0.from.0", "{ipBlock: {cidr: 10.0.0.1}}", "spec.ingress[0].from[0].ipBlock.cidr"),
    ("policy", "spec.ingress.0.from.0", "{ipBlock: {cidr: 10.0.0.0/8, except: [10.0.0.0/16]}}", ""),
    ("policy", "spec.ingress.0.from.0", "{}", "spec.ingress[0].from[0]"),
    ("policy", "spec.ingress.0.ports.0", "{port: '80'}", "spec.ingress[0].ports[0].port"),
    ("policy", "spec.ingress.0.ports.0", "{port: http}", ""),
    # rights, scaling, extensions
    ("role", "rules.0", "{resources: [pods], verbs: [get]}", "rules[0].apiGroups"),
    ("role", "rules.0", "{nonResourceURLs: [/a], verbs: [get]}", "rules[0].nonResourceURLs"),
    ("cluster binding", "subjects.0", "{kind: ServiceAccount, name: a}", "subjects[0].namespace"),
    ("cluster binding", "subjects.0", "{kind: Group, name: 'system:masters'}", ""),
    ("cluster binding", "roleRef.kind", "Role", "roleRef.kind"),
    ("autoscaler", "spec.minReplicas", "5", "spec.maxReplicas"),
    ("autoscaler", "spec.minReplicas", "3", ""),
    ("autoscaler", "spec.metrics.0.type", "Pods", "spec.metrics[0].pods"),
    ("autoscaler", "spec.metrics.0.resource.target", "{type: Utilization}", "spec.metrics[0].resource.target"),
    ("budget", "spec.maxUnavailable", "1", "spec.maxUnavailable"),
    ("budget", "spec.maxUnavailable", "null", ""),
    ("budget", "spec.minAvailable", "150%", "spec.minAvailable"),
    ("budget", "spec.minAvailable", "100%", ""),
    ("crd", "metadata.name", "zebra.zoo.example", "metadata.name"),
    ("crd", "spec.versions.0.storage", "false", "spec.versions"),
    ("webhook", "webhooks.0.timeoutSeconds", "60", "webhooks[0].timeoutSeconds"),
    ("webhook", "webhooks.0.clientConfig", "{service: {name: a, namespace: a}, url: 'https://a'}", "webhooks[0].clientConfig.url"),
    ("webhook", "webhooks.0.sideEffects", "Some", "webhooks[0].sideEffects"),
]  # fmt: skip


@pytest.mark.parametrize("base", BASES)
def test_of_an_object_as_it_should_be_nothing_is_said(base):
    assert [*refused(yaml.safe_load(BASES[base]))] == []


@pytest.mark.parametrize(("base", "where", "value", "wanted"), CASES, ids=[f"{b} {w} {v}"[:90] for b, w, v, _ in CASES])
def test_one_field_that_is_refused_or_nearly(base, where, value, wanted):
    said = {dotted(one.path): one.words for one in refused(changed(BASES[base], where, value))}
    assert (wanted in said) if wanted else not said, said


@pytest.mark.parametrize("base", BASES)
@pytest.mark.parametrize("other", [None, "${VALUE}", [], {}, 5, "text", ["text"], [None], [5], {"a": "b"}])
def test_whatever_stands_there_it_answers(base, other):
    """What is of another type is told by the schema."""
    for found in with_each(BASES[base], other):
        for one in refused(found):
            assert one.words


def test_what_the_version_or_a_setting_decides_is_said_with_that():
    (told,) = refused(changed(BASES["cronjob"], "spec.schedule", "TZ=Europe/Rome 0 3 * * *"))
    assert told.since == "1.29"
    (told,) = refused(changed(BASES["balanced"], "spec.ports.0.nodePort", "80"))
    assert told.unless


def test_kinds_of_another_version_are_not_looked_at():
    old = yaml.safe_load(BASES["ingress"]) | {"apiVersion": "extensions/v1beta1", "spec": {"rules": []}}
    assert [*refused(old)] == []
    assert all("/" in version or version == "v1" for version, _ in CHECKS)
