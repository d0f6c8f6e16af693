"""Single mistakes of somebody who writes a Flux repository for the first time, in a small repository that works.

Each was found in public questions, again and again. A mistake is a small change of one file; `at` is a piece of the line on
which it has to be reported, `says` are words without which a beginner would not understand what is wrong, or what to do.
"""

import re
import shutil
from dataclasses import dataclass
from pathlib import Path

GOOD = Path(__file__).parent / "beginner"
NAME = "home"  # stands in each name of the good repository that must differ where several lie side by side

APPS, ROOT, CHARTS = f"clusters/{NAME}/apps.yaml", f"clusters/{NAME}/flux-system", f"infrastructure/{NAME}/charts.yaml"
_APP = f"apps/{NAME}"
DEPLOYMENT, SERVICE, INGRESS = f"{_APP}/deployment.yaml", f"{_APP}/service.yaml", f"{_APP}/ingress.yaml"
SECRET, CLAIM, RELEASE, BACKUP = (f"{_APP}/{name}.yaml" for name in ("secret", "claim", "release", "backup"))
LISTED = f"{_APP}/kustomization.yaml"


@dataclass(frozen=True)
class Mistake:
    name: str
    file: str
    old: str  # stands once in the file
    new: str
    at: str
    says: tuple[str, ...]
    at_file: str = ""  # where it is reported, if not in the file that was changed
    told_by: str = "check"  # or rehearse, where only the API server, or Flux, can tell

    def __repr__(self):
        return self.name

    def apply(self, root: Path):
        """Makes the mistake in a copy of the good repository."""
        file = root / self.file
        text = file.read_text()
        assert text.count(self.old) == 1, f"{self.name}: {self.old!r} stands {text.count(self.old)} times"
        file.write_text(text.replace(self.old, self.new))

    def place(self, root: Path):
        """File and line on which it has to be reported."""
        name = self.at_file or self.file
        lines = (root / name).read_text().splitlines()
        return name, next(number for number, line in enumerate(lines, 1) if self.at in line)


def lay(root: Path) -> Path:
    """The good repository."""
    return Path(shutil.copytree(GOOD, root))


def lay_together(root: Path, mistakes):
    """A repository with a copy of the good one for each mistake: one rehearsal shows them all.

    Each copy hangs on a Kustomization of its own, so that none stops another. Returns what stands in the place of `NAME` in each.
    """
    names = {mistake.name: f"home{number}" for number, mistake in enumerate(mistakes)}
    for mistake in mistakes:
        single = lay(root.with_name(names[mistake.name]))
        mistake.apply(single)
        shutil.rmtree(single / ROOT)
        for file in (file for file in single.rglob("*") if file.is_file()):
            name = names[mistake.name]
            put = root / re.sub(r"\bhome\b", name, str(file.relative_to(single)))
            put.parent.mkdir(parents=True, exist_ok=True)
            put.write_text(re.sub(r"\bhome\b(?!\.git)", name, file.read_text()))
    for file in (GOOD / ROOT).iterdir():
        put = root / "clusters/all/flux-system" / file.name
        put.parent.mkdir(parents=True, exist_ok=True)
        put.write_text(file.read_text().replace("./clusters/home", "./clusters/all"))
    for name in names.values():
        (root / "clusters/all" / f"{name}.yaml").write_text(_CASE.format(name=name))
    return names


_CASE = """\
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata:
  name: {name}
  namespace: flux-system
spec:
  interval: 10m
  path: ./clusters/{name}
  prune: true
  sourceRef:
    kind: GitRepository
    name: flux-system
"""


# fmt: off
MISTAKES = (
    # -- YAML
    Mistake("tab", SERVICE, "  selector:\n    app: blog", "  selector:\n\tapp: blog", "\tapp: blog", ("tab",)),
    Mistake("duplicate key", DEPLOYMENT, "  template:\n    metadata:\n      labels:\n        app: blog\n",
            "  template:\n    metadata:\n      labels:\n        app: blog\n      labels:\n        tier: web\n",
            "      labels:", ("duplicate key", "labels")),
    Mistake("wrong indentation", DEPLOYMENT, "          ports:\n            - name: http\n              containerPort: 8080\n",
            "      ports:\n        - name: http\n          containerPort: 8080\n", "      ports:", ("ports", "indent")),
    # -- what kustomize and Flux read
    Mistake("file that does not exist", LISTED, "- deployment.yaml", "- deploymnet.yaml", "deploymnet.yaml",
            ("deploymnet.yaml", "does not exist")),
    Mistake("file that is not listed", LISTED, "  - settings.yaml\n", "", "configMapKeyRef",
            ("blog-settings", "no kustomization lists"), at_file=DEPLOYMENT),
    Mistake("same object twice", LISTED, "  - service.yaml\n", "  - service.yaml\n  - ./service.yaml\n", "- ./service.yaml", ("Service", "blog", "twice")),
    Mistake("wrong path", APPS, "path: ./apps/home", "path: ./app/home", "./app/home", ("./app/home", "does not exist")),
    Mistake("dependOn", APPS, "dependsOn:", "dependOn:", "dependOn:", ("dependOn", "did you mean dependsOn")),
    Mistake("dependsOn of nobody", APPS, "- name: home-infrastructure", "- name: infrastructure", "- name: infrastructure",
            ("infrastructure", "does not exist")),
    Mistake("interval without unit", APPS, "interval: 10m", "interval: 10", "interval: 10", ("interval", "10m")),
    Mistake("source of nobody", APPS, "    name: flux-system\n  postBuild", "    name: flux-sytem\n  postBuild", "name: flux-sytem", ("flux-sytem",)),
    Mistake("variable without a value", APPS, "  postBuild:\n    substitute:\n      domain: example.org\n", "", "blog.${domain}",
            ("domain", "postBuild"), at_file=INGRESS),
    Mistake("secret without decryption", SECRET, "data:\n  password: Y29ycmVjdCBob3JzZQ==\n",
            "data:\n  password: ENC[AES256_GCM,data:aGk=,iv:aGk=,tag:aGk=,type:str]\nsops:\n  age: []\n  version: 3.9.0\n", "sops:",
            ("encrypted", "decrypt")),
    # -- Helm
    Mistake("values of nobody", RELEASE, "  values:\n    replicas: 1\n", "  valuesFrom:\n    - kind: ConfigMap\n      name: counter-values\n",
            "name: counter-values", ("counter-values",)),
    Mistake("chart repository of nobody", RELEASE, "name: home-charts", "name: home-chart", "name: home-chart", ("home-chart",)),
    Mistake("oci without its type", CHARTS, "https://charts.example.org", "oci://charts.example.org/charts", "oci://", ("type: oci",)),
    # -- names and kinds
    Mistake("misspelt kind", DEPLOYMENT, "kind: Deployment", "kind: Deploymnet", "kind: Deploymnet", ("Deploymnet", "Deployment")),
    Mistake("version that is gone", INGRESS, "networking.k8s.io/v1", "networking.k8s.io/v1beta1", "v1beta1", ("networking.k8s.io/v1",)),
    Mistake("name with capitals", DEPLOYMENT, "  name: blog\n  namespace", "  name: My_Blog\n  namespace", "My_Blog", ("My_Blog", "lower")),
    Mistake("no namespace", DEPLOYMENT, "  name: blog\n  namespace: home\n", "  name: blog\n", "name: blog", ("namespace",)),
    Mistake("namespace of nobody", DEPLOYMENT, "namespace: home", "namespace: hoem", "namespace: hoem", ("hoem",)),
    # -- pods
    Mistake("no image", DEPLOYMENT, "          image: ghcr.io/example/blog:1.4.2\n", "", "- name: blog", ("image",)),
    Mistake("replicas as text", DEPLOYMENT, "replicas: 1", 'replicas: "1"', "replicas:", ("replicas", "quotes")),
    Mistake("number in the environment", DEPLOYMENT, 'value: "4"', "value: 4", "value: 4", ("number", "quotes")),
    Mistake("labels that differ", DEPLOYMENT, "    matchLabels:\n      app: blog", "    matchLabels:\n      app: website", "matchLabels:", ("label",)),
    Mistake("volume that is not declared", DEPLOYMENT, "            - name: content\n              mountPath", "            - name: contents\n              mountPath",
            "name: contents", ("contents", "volume")),
    Mistake("key that does not exist", DEPLOYMENT, "key: title", "key: titel", "configMapKeyRef", ("titel", "blog-settings")),
    Mistake("limit below request", DEPLOYMENT, "memory: 128Mi", "memory: 32Mi", "memory: 64Mi", ("limit",)),
    Mistake("memory in milli", DEPLOYMENT, "memory: 128Mi", "memory: 128m", "memory: 128m", ("128m", "Mi")),
    Mistake("probe of a port of nobody", DEPLOYMENT, "              port: http\n", "              port: web\n", "port: web", ("web", "port")),
    Mistake("port name too long", DEPLOYMENT, "- name: http", "- name: http-of-the-blog", "http-of-the-blog", ("15",)),
    Mistake("schedule", BACKUP, '"0 3 * * *"', '"0 3 * *"', "schedule:", ("schedule", "five")),
    # -- Services, volumes, Secrets
    Mistake("selector that matches nothing", SERVICE, "    app: blog", "    app: website", "selector:", ("blog", "label")),
    Mistake("port of nobody", SERVICE, "targetPort: http", "targetPort: web", "targetPort", ("web", "port")),
    Mistake("ingress to nobody", INGRESS, "                name: blog", "                name: blogs", "name: blogs", ("blogs",)),
    Mistake("ingress to a port of nobody", INGRESS, "number: 80", "number: 8080", "number: 8080", ("8080",)),
    Mistake("size in GB", CLAIM, "storage: 10Gi", "storage: 10GB", "10GB", ("10GB", "Gi")),
    Mistake("storage class of nobody", CLAIM, "home-disk", "home-disc", "home-disc", ("home-disc",)),
    Mistake("secret that is not base64", SECRET, "Y29ycmVjdCBob3JzZQ==", "correct horse", "password:", ("base64", "stringData")),
)
# fmt: on
