"""What looks wrong, and is not; and what is wrong, but once."""

from corpus.case import Case, Told, namespace, pods, release, thing, unit

POD = "containers: [{name: main, image: 'busybox:1.37'}]"
SETTINGS = thing("v1", "ConfigMap", "settings", "home", "data: {a: b}\n")

TRANSFORMERS = Case(
    "built from what transformers list: a folder outside",
    {
        "clusters/x/all.yaml": unit("app"),
        "app/kustomization.yaml": "resources: [all.yaml]\ntransformers: [./names]\n",
        "app/all.yaml": namespace("home") + SETTINGS,
        "app/names/kustomization.yaml": "resources: [../../shared]\n",
        "shared/kustomization.yaml": "resources: [labels.yaml]\n",
        "shared/labels.yaml": "apiVersion: builtin\nkind: LabelTransformer\nmetadata: {name: labels}\nlabels: {part: home}\nfieldSpecs: [{path: metadata/labels, create: true}]\n",
    },
)
BASES = Case(
    "bases: a file",
    {
        "clusters/x/all.yaml": unit("app"),
        "app/kustomization.yaml": "bases: [all.yaml]\n",
        "app/all.yaml": namespace("home") + SETTINGS,
    },
)
FRAGMENT = Case(
    "a patch is no object: of a Kustomization, beside its overlay",
    {
        "clusters/x/kustomization.yaml": "resources: [all.yaml]\npatches: [{path: patch.yaml}]\n",
        "clusters/x/all.yaml": unit("app"),
        "clusters/x/patch.yaml": "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: app, namespace: flux-system}\nspec: {interval: 1h}\n",
        "app/all.yaml": namespace("home") + SETTINGS,
    },
)
LIBRARY = Case(
    "a folder that nobody applies: with helmCharts",
    {
        "clusters/x/all.yaml": unit("app"),
        "app/all.yaml": namespace("home") + SETTINGS,
        "library/kustomization.yaml": "helmCharts:\n- {name: cilium, repo: 'https://helm.cilium.io', version: 1.18.4, releaseName: cilium}\n",
    },
)
TEMPLATES = Case(
    "a folder of templates: that somebody fills in",
    {
        "clusters/x/all.yaml": unit("app"),
        "app/all.yaml": namespace("home") + SETTINGS,
        "templates/cluster/flux.yaml": unit("{{ .name }}", path="{{ .folder }}"),
        "templates/app/kustomization.yaml": "resources: [./missing.yaml]\n",
    },
)
NOT_YET = Case(
    "before the first bootstrap: flux-system is listed, and not there yet",
    {
        "clusters/x/kustomization.yaml": "resources: [./flux-system, all.yaml]\n",
        "clusters/x/all.yaml": unit("app"),
        "app/all.yaml": namespace("home") + SETTINGS,
    },
)
WORDS = Case(
    "words of an init container: no host names",
    {
        "clusters/x/all.yaml": unit("app"),
        "app/all.yaml": namespace("home")
        + thing("v1", "Service", "postgres", "home", "spec: {type: ExternalName, externalName: db.example, ports: [{port: 5432}]}\n")
        + pods(
            "Deployment", "web", "home", "",
            "initContainers: [{name: wait, image: 'postgres:17', command: [sh, -c, 'kubectl -n home wait --for=condition=Ready pod/web'], "
            "env: [{name: PGDATABASE, value: web}, {name: PGHOST, value: postgres}]}]",
        )
        + thing("v1", "Service", "web", "home", "spec: {selector: {app: web}, ports: [{port: 80}]}\n"),
    },
)  # fmt: skip
LABEL = Case(
    "a label that is no text: false without quotes",
    {
        "clusters/x/all.yaml": unit("app"),
        "app/all.yaml": namespace("home") + thing("v1", "ConfigMap", "settings", "home", "data: {a: b}\n").replace("namespace: home}", "namespace: home, labels: {on: false}}"),
    },
    # Flux leaves out all labels of the object, and applies it (fluxcd/pkg ssa 0.76, SetOwnerLabels).
    (Told("app/all.yaml", "labels: {on: false}", by_luck=True),),
)  # fmt: skip
JOB = Case(
    "a Job with its own selector: manualSelector",
    {
        "clusters/x/all.yaml": unit("app"),
        "app/all.yaml": namespace("home")
        + thing(
            "batch/v1", "Job", "once", "home",
            f"spec:\n  manualSelector: true\n  selector: {{matchLabels: {{app: once}}}}\n  template: {{metadata: {{labels: {{app: once}}}}, spec: {{restartPolicy: Never, {POD}}}}}\n",
        ),
    },
    (Told("app/all.yaml", by_luck=True),),  # its next version, only
)  # fmt: skip
NAMESPACES = Case(
    "one cause: a namespace that nothing makes, and six objects in it",
    {
        "clusters/x/all.yaml": unit("app"),
        "app/all.yaml": "".join(
            thing("v1", "ConfigMap", f"settings-{number}", "hoem", "data: {a: b}\n") for number in range(6)
        ),
    },
    (Told("app/all.yaml", "settings-0", by_luck=True),),
)
SUBSTITUTED = Case(
    "a release's values from a Secret that is made by hand: says nothing of the rest",
    {
        "clusters/x/all.yaml": unit("app"),
        "app/all.yaml": namespace("home")
        + release("podinfo", "home", "6.9.0", "https://stefanprodan.github.io/podinfo").replace(
            "  chart:\n", "  valuesFrom: [{kind: Secret, name: podinfo-values, optional: true}]\n  chart:\n"
        )
        + SETTINGS,
    },
)

CASES = [
    TRANSFORMERS,
    TRANSFORMERS.but("that is not there", ("app/names/kustomization.yaml", "../../shared", "../../share"), told=[Told("app/names/kustomization.yaml")]),
    BASES,
    BASES.but("that is not there", ("app/kustomization.yaml", "all.yaml", "al.yaml"), told=[Told("app/kustomization.yaml", "al.yaml"), Told("app/all.yaml", by_luck=True)]),
    FRAGMENT,
    FRAGMENT.but("of a Kustomization that is not there", ("clusters/x/patch.yaml", "name: app,", "name: apps,"), told=[Told("clusters/x/kustomization.yaml", "patch.yaml")]),
    LIBRARY,
    LIBRARY.but("that is applied: Flux inflates no charts", ("clusters/x/all.yaml", "path: ./app", "path: ./library"), told=[Told("library/kustomization.yaml")]),
    TEMPLATES,
    TEMPLATES.but("that is applied", ("clusters/x/all.yaml", "path: ./app", "path: ./templates/app"), told=[Told("templates/app/kustomization.yaml", "missing.yaml")]),
    NOT_YET,
    NOT_YET.but("another folder", ("clusters/x/kustomization.yaml", "./flux-system", "./flux"), told=[Told("clusters/x/kustomization.yaml", "./flux")]),
    WORDS,
    WORDS.but("its own Service", ("app/all.yaml", "value: postgres}", "value: web}"), told=[Told("app/all.yaml", by_luck=True)]),
    LABEL,
    LABEL.but("with quotes", ("app/all.yaml", "on: false", "on: 'false'")),
    JOB,
    JOB.but("without manualSelector", ("app/all.yaml", "  manualSelector: true\n", ""), told=[Told("app/all.yaml", "selector"), Told("app/all.yaml", by_luck=True)]),
    NAMESPACES,
    NAMESPACES.but("it is there", more={"app/more.yaml": namespace("hoem")}),
    SUBSTITUTED,
    SUBSTITUTED.but("and a claim of a class by a slip", more={"app/more.yaml": thing("storage.k8s.io/v1", "StorageClass", "fast-disk", body="provisioner: example.com/disk\n")
        + thing("v1", "PersistentVolumeClaim", "data", "home", "spec: {accessModes: [ReadWriteOnce], storageClassName: fast-dsik, resources: {requests: {storage: 1Gi}}}\n")},
        told=[Told("app/more.yaml", "fast-dsik", by_luck=True)]),
]  # fmt: skip
