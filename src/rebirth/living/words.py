"""What the words of the API server, of Flux and of the kubelet mean, for somebody who meets them for the first time.

Their own words are always kept; a sentence from this table stands below them. Each pattern is a piece of a message as Kubernetes
1.35 and Flux 2.9 write it (k8s.io/apimachinery, structured-merge-diff, fluxcd/pkg, kustomize).
"""

import re
from collections.abc import Collection
from difflib import get_close_matches

from rebirth.proof.charts.files import KUBERNETES

_NAMES = "small letters, digits, `-` and `.` only, and begins and ends with a letter or digit"
_SLIP = 0.85  # how much two names have to have in common for one to be the other misspelt
# Groups whose kinds Kubernetes itself brings, and that versions differ in.
_OF_KUBERNETES = {
    "admissionregistration.k8s.io", "autoscaling", "batch", "certificates.k8s.io", "flowcontrol.apiserver.k8s.io", "networking.k8s.io",
    "node.k8s.io", "policy", "resource.k8s.io", "scheduling.k8s.io", "storage.k8s.io", "storagemigration.k8s.io",
}  # fmt: skip
_UNITS = "10m, 1h30m"

# The first that is found counts. {name} is a group of the pattern.
_MEANINGS = tuple(
    (re.compile(pattern), words)
    for pattern, words in (
        # -- YAML and kustomize
        (
            r"cannot start any token|found a tab character",
            "YAML is indented with spaces only: replace the tab on this line by spaces.",
        ),
        (
            r"mapping values are not allowed|did not find expected|could not find expected",
            "The YAML is not indented as it should be here, or a quote, colon or dash is missing on this line or above.",
        ),
        (
            r"mapping key \"(?P<key>[^\"]+)\" already defined|key \"(?P<same>[^\"]+)\" already set",
            "The same key stands twice in one block: merge both, or remove one.",
        ),
        (
            r"already registered id: (?P<kind>\w+)\.[\w.\[\]]+/(?P<name>[\w-]+)",
            "{kind} {name} is there twice: a file is listed twice, or two files have an object of that kind and name.",
        ),
        (
            r"path not found|kustomization path",
            "The folder in `spec.path` is not in the repository; the path begins at the repository's top.",
        ),
        (
            r"kustomize build failed.*no such file or directory",
            "The kustomization.yaml lists a file that is not there: correct the entry, or add (and commit) the file.",
        ),
        # -- kinds and fields
        (
            r"no matches for kind \"(?P<kind>\w+)\" in version \"(?P<version>[\w./-]+)\"",
            "The cluster knows no kind {kind} in {version}",
        ),
        (
            r"invalid object type: (?P<version>[\w./-]+), Kind=(?P<kind>\w+)",
            "There is no kind {kind} in {version}; capitals count",
        ),
        (
            r"\.(?P<field>interval|retryInterval|timeout): (expected string|Invalid value)",
            f"A duration has a unit: {_UNITS}.",
        ),
        (
            r"\.(?P<field>\w+): expected numeric \(int or float\), got string",
            "{field} must be a number, and what is in quotes is text: remove the quotes.",
        ),
        (
            r"expected string, got &value\.valueUnstructured\{Value:(?P<value>[^}]*)\}",
            "Without quotes {value} is a number or true/false, and here only text is allowed: put it in quotes.",
        ),
        (r"expected list, got", "A list is expected here: each of its entries begins with `- `."),
        (r"expected map, got", "Fields are expected here, one a line: `key: value`."),
        (
            r"duplicate entries for key \[(?P<key>\w+)=\"?(?P<value>[^\"\],]+)",
            "Two entries of this list have the same {key}, {value}: remove one.",
        ),
        (
            r"\.(?P<field>\w+): field not declared in schema|unknown field \"(?:[\w.\[\]]+\.)?(?P<other>\w+)\"",
            "There is no such field in this place: it is misspelt, or indented into the wrong block.",
        ),
        # -- values
        (
            r"quantities must match",
            "Amounts are written 10Gi or 512Mi (storage, memory; not GB or MB) and 500m or 0.5 (CPU).",
        ),
        (
            r"illegal base64 data",
            "Values under `data` of a Secret are base64. Move the value to `stringData`, where plain text is allowed.",
        ),
        (
            r"must be less than or equal to (?P<what>[\w-]+) limit of (?P<limit>\S+)",
            "The container requests more {what} than its limit allows: raise the limit, or lower the request.",
        ),
        (r"must be no more than 15 characters", "The name of a port has at most 15 characters: shorten it everywhere."),
        (
            r"expected exactly 5 fields",
            'A schedule has five fields: minute, hour, day of the month, month, day of the week, such as "0 3 * * *".',
        ),
        (
            r"variable not set \(strict mode\): \"(?P<unset>\w+)\"",
            "From 2.9 on Flux wants a value for every variable: add {unset} to `spec.postBuild`, or write a default, `${{{unset}:=value}}`.",
        ),
        (
            r"Invalid value: \"[^\"]*\$\{(?P<variable>\w+)[^\"]*\": ",
            "The variable {variable} was not replaced: give it a value in `spec.postBuild` of the Flux Kustomization.",
        ),
        (r"must be lowercase", "The name of an image is written in small letters."),
        (
            r"couldn't parse image name",
            "This cannot be the name of an image: they look like registry.example.org/name:tag.",
        ),
        (
            r"image (?P<image>\S+) cannot be pulled",
            "The image cannot be fetched: are its name and tag right, and may the cluster read it (imagePullSecrets)?",
        ),
        (
            r"resource or service backend is required",
            "A backend is written `service: {{name: ..., port: {{number: ...}}}}` since networking.k8s.io/v1.",
        ),
        (
            r"must contain at least one letter",
            "What is in quotes is the name of a port: remove the quotes of a number.",
        ),
        (r"a valid label must", "A label has letters, digits, `-`, `_` and `.` only: no spaces."),
        (r"must be no more than (?P<most>\d+) characters", "It is too long: at most {most} characters."),
        (
            r"improper constraint|invalid semantic version",
            "The version of a chart is one such as 1.2.3, or a range such as 1.x; without one the newest is taken.",
        ),
        (
            r"no chart (version|name) found|no '[^']+' chart with version|chart \S+ version \S+ not found",
            "The repository has no chart of that name and version: correct one of them.",
        ),
        (r"RFC 1123|DNS-1035|RFC 1035", f"A name has {_NAMES}: no capitals, no `_`, no spaces."),
        (
            r"volumeMounts\[\d+\]\.name: Not found: \"(?P<name>[^\"]+)\"",
            "The pod has no volume {name}: add it under `volumes`, or correct the name.",
        ),
        (r"\.image: Required value", "The container has no image: add `image:`."),
        (r"(?P<field>[a-z][\w.\[\]]*): Required value", "{field} is missing: add it."),
        (
            r"`selector` does not match template `labels`",
            "`spec.selector.matchLabels` and `spec.template.metadata.labels` have to agree: the workload finds its pods by them.",
        ),
        (r"field is immutable", "This cannot be changed once it exists: the object has to be deleted and made anew."),
        (r"Unsupported value: ", "Use one of the values that are listed."),
        # -- what has to be there
        (
            r"namespace not specified",
            "The object names no namespace, and Flux knows no default one: add `namespace:` under `metadata`.",
        ),
        (
            r"namespaces \"(?P<name>[^\"]+)\" not found",
            "Nothing makes the namespace {name}: add a Namespace of that name, or correct it.",
        ),
        (
            r"configuring decryption is required|SOPS encrypted",
            "The file is encrypted with SOPS: add `spec.decryption` to the Flux Kustomization.",
        ),
        (
            r"'oci' URL scheme cannot be used with 'default'",
            "A HelmRepository with an oci:// URL needs `type: oci` beside `url`.",
        ),
        (
            r"(?P<kind>ConfigMap|Secret) chart values reference '[\w-]+/(?P<name>[\w.-]+)'",
            "{kind} {name} under `valuesFrom` does not exist, or has not that key: add it, or correct the name.",
        ),
        (
            r"couldn't find key (?P<key>[\w.-]+) in (?P<kind>ConfigMap|Secret) [\w-]+/(?P<name>[\w.-]+)",
            "{kind} {name} has no key {key}: correct the key here, or add it there.",
        ),
        (
            r"(?P<kind>configmap|secret) \"(?P<name>[\w.-]+)\" not found",
            "Nothing makes the {kind} {name} in this namespace: add it (is its file listed in kustomization.yaml?), or correct the name.",
        ),
        # -- a living cluster
        (
            r"Vault is sealed|Sealed true",
            "Vault holds its secrets back until it is unsealed: `vault operator unseal`, with its key shares.",
        ),
        (
            r"Kubelet (stopped posting|never posted) node status",
            "The machine is off, cut off from the network, or its kubelet has died: look at the machine itself.",
        ),
        (
            r"does not allow it: (requested|must specify)",
            "The quota of the namespace is used up: raise it, or lower what its pods request.",
        ),
        (
            r"waits for itself: ",
            "None of these can begin before the others: one of them has to do without its dependency.",
        ),
        (
            r"does not exist; claims ask for it",
            "Nothing makes that storage class: install its provisioner, or name another class in the claim.",
        ),
        (
            r"external provisioner '(?P<name>[^']+)'",
            "{name} has not made the volume: does it run, and does it serve this class?",
        ),
        (
            r"does not exist; .* calls it for what is written",
            "Until something serves it again, or the configuration is removed, the API server rejects what it is called for.",
        ),
        (
            r"but names are asked of (?P<address>\S+), and",
            "Kubelets tell pods to ask {address} (clusterDNS), and cluster DNS is elsewhere: make both the same.",
        ),
        (
            r"does not resolve (?P<name>\S+): ",
            "Cluster DNS runs, and gets no answer itself: does its Corefile forward to a server that it reaches?",
        ),
        (
            r"[Cc]ertificate (has )?expired|^expired at ",
            "It has to be issued anew: where it is renewed by itself, look at who should have done it.",
        ),
        (r"CrashLoopBackOff", "Its program ends by itself: `kubectl logs --previous` of its pod says why."),
    )
)


def meaning(message: str, served: Collection[tuple[str, str]] = ()) -> str:
    """What is meant, and what to do, in a sentence; "" where the message is not in the table.

    `served` are the apiVersions and kinds that the API server has.
    """
    for pattern, words in _MEANINGS:
        if match := pattern.search(message):
            found = match.groupdict()
            more = _instead_of(found["kind"], found["version"], served) if "version" in found else ""
            return words.format(**found) + more
    return ""


def _instead_of(kind: str, version: str, served: Collection[tuple[str, str]]) -> str:
    """The kind that is probably meant: the same in another version, or one of almost that name."""
    others = sorted({other for other, name in served if name == kind})
    group = version.partition("/")[0]
    same = [other for other in others if other.partition("/")[0] == group]
    if others:
        return f": `apiVersion: {(same or others)[-1]}` has it."
    beside = [name for other, name in served if other == version]
    every = {name for _, name in served}
    near = get_close_matches(kind, beside, 1, _SLIP) or get_close_matches(kind, every, 1, _SLIP)
    if near:
        return f". Did you mean {near[0]}?"
    if group in _OF_KUBERNETES:
        return f": Kubernetes {KUBERNETES}, with which this is rehearsed, does not serve it; another version may."
    return ". A CRD has to bring it, and has to be applied before."
