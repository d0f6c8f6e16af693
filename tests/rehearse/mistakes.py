"""Single mistakes of somebody who writes a Flux repository for the first time, in a small repository that works.

A mistake is a small change of one file. `says` are words without which a beginner would not understand what is wrong, or what to do:
they stand in what `rebirth check` says, or, where only the API server or Flux can tell, in what `rebirth rehearse` does.
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
    at: str  # begins on the line on which it has to be reported
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
        text = (root / name).read_text()
        return name, text[: text.index(self.at)].count("\n") + 1


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
    Mistake("tab", SERVICE, "  selector:\n    app: blog", "  selector:\n\tapp: blog", "\tapp: blog", ("indented with a tab", "spaces")),
    Mistake("duplicate key", DEPLOYMENT, "  template:\n    metadata:\n      labels:\n        app: blog\n",
            "  template:\n    metadata:\n      labels:\n        app: blog\n      labels:\n        tier: web\n",
            "labels:\n        tier", ("duplicate key", "labels", "Merge both")),
    Mistake("wrong indentation", DEPLOYMENT, "          ports:\n            - name: http\n              containerPort: 8080\n",
            "      ports:\n        - name: http\n          containerPort: 8080\n", "      ports:\n        - name: http\n          containerPort", ("ports", "field not declared in schema", "wrong block"), told_by="rehearse"),
    # -- what kustomize and Flux read
    Mistake("file that does not exist", LISTED, "- deployment.yaml", "- deploymnet.yaml", "deploymnet.yaml",
            ("deploymnet.yaml does not exist", "Correct the entry")),
    Mistake("file that is not listed", LISTED, "  - settings.yaml\n", "", "resources:",
            ("ConfigMap home/blog-settings", "no kustomization lists it", "List settings.yaml")),
    Mistake("same object twice", LISTED, "  - service.yaml\n", "  - service.yaml\n  - ./service.yaml\n", "- ./service.yaml", ("Service blog is there twice", "List the file once")),
    Mistake("wrong path", APPS, "path: ./apps/home", "path: ./app/home", "./app/home", ("./app/home does not exist", "did you mean ./apps/home")),
    Mistake("dependOn", APPS, "dependsOn:", "dependOn:", "dependOn:", ("dependOn", "did you mean dependsOn")),
    Mistake("dependsOn of nobody", APPS, "- name: home-infrastructure", "- name: infrastructure", "- name: infrastructure",
            ("flux-system/infrastructure, which nothing makes", "Correct the name")),
    Mistake("interval without unit", APPS, "interval: 10m", "interval: 10", "interval: 10", ("interval 10 has no unit", "10m")),
    Mistake("source of nobody", APPS, "    name: flux-system\n  postBuild", "    name: flux-sytem\n  postBuild", "name: flux-sytem",
            ("flux-sytem, which nothing makes", "Name GitRepository flux-system/flux-system")),
    Mistake("variable without a value", APPS, "  postBuild:\n    substitute:\n      domain: example.org\n", "", "blog.${domain}",
            ("${domain}", "has no postBuild", "Give domain a value"), at_file=INGRESS),
    Mistake("secret without decryption", SECRET, "data:\n  password: Y29ycmVjdCBob3JzZQ==\n",
            "data:\n  password: ENC[AES256_GCM,data:aGk=,iv:aGk=,tag:aGk=,type:str]\nsops:\n  age: []\n  version: 3.9.0\n", "sops:",
            ("is encrypted", "Add spec.decryption")),
    # -- Helm
    Mistake("values of nobody", RELEASE, "  values:\n    replicas: 1\n", "  valuesFrom:\n    - kind: ConfigMap\n      name: counter-values\n",
            "name: counter-values", ("ConfigMap home/counter-values", "nothing makes it")),
    Mistake("chart repository of nobody", RELEASE, "name: home-charts", "name: home-chart", "name: home-chart\n", ("home-chart, which nothing makes", "Name HelmRepository flux-system/home-charts")),
    Mistake("oci without its type", CHARTS, "https://charts.example.org", "oci://charts.example.org/charts", "oci://", ("needs `type: oci`",)),
    # -- names and kinds
    Mistake("misspelt kind", DEPLOYMENT, "kind: Deployment", "kind: Deploymnet", "kind: Deploymnet", ("no kind Deploymnet", "Did you mean Deployment?"), told_by="rehearse"),
    Mistake("version that is gone", INGRESS, "networking.k8s.io/v1", "networking.k8s.io/v1beta1", "apiVersion", ("no kind Ingress", "`apiVersion: networking.k8s.io/v1`"), told_by="rehearse"),
    Mistake("name with capitals", DEPLOYMENT, "  name: blog\n  namespace", "  name: My_Blog\n  namespace", "name: My_Blog", ("My_Blog", "no capitals"), told_by="rehearse"),
    Mistake("no namespace", DEPLOYMENT, "  name: blog\n  namespace: home\n", "  name: blog\n", "name: blog", ("has no namespace", "namespace:")),
    Mistake("namespace of nobody", DEPLOYMENT, "namespace: home", "namespace: hoem", "namespace: hoem", ("Namespace hoem", "Did you mean home?")),
    # -- pods
    Mistake("no image", DEPLOYMENT, "          image: ghcr.io/example/blog:1.4.2\n", "", "- name: blog", ("image: Required value", "add `image:`"), told_by="rehearse"),
    Mistake("replicas as text", DEPLOYMENT, "replicas: 1", 'replicas: "1"', "replicas:", ("must be a number", "remove the quotes"), told_by="rehearse"),
    Mistake("number in the environment", DEPLOYMENT, 'value: "4"', "value: 4", "value: 4", ("is a number", "Put it in quotes")),
    Mistake("labels that differ", DEPLOYMENT, "    matchLabels:\n      app: blog", "    matchLabels:\n      app: website", "labels:\n        app: blog", ("have to agree",), told_by="rehearse"),
    Mistake("volume that is not declared", DEPLOYMENT, "            - name: content\n              mountPath", "            - name: contents\n              mountPath",
            "name: contents", ("no volume contents", "under `volumes`"), told_by="rehearse"),
    Mistake("key that does not exist", DEPLOYMENT, "key: title", "key: titel", "key: titel", ("titel", "blog-settings", "title")),
    Mistake("limit below request", DEPLOYMENT, "memory: 128Mi", "memory: 32Mi", "requests:", ("more memory than its limit", "raise the limit"), told_by="rehearse"),
    Mistake("memory in milli", DEPLOYMENT, "memory: 128Mi", "memory: 128m", "memory: 128m", ("thousandths of a byte", "Write 128Mi")),
    Mistake("probe of a port of nobody", DEPLOYMENT, "              port: http\n", "              port: web\n", "port: web", ("asks for port web", "its ports are http")),
    Mistake("port name too long", DEPLOYMENT, "- name: http", "- name: http-of-the-blog", "name: http-of-the-blog", ("at most 15 characters",), told_by="rehearse"),
    Mistake("schedule", BACKUP, '"0 3 * * *"', '"0 3 * *"', "schedule:", ("has five fields",), told_by="rehearse"),
    # -- Services, volumes, Secrets
    Mistake("selector that matches nothing", SERVICE, "    app: blog", "    app: website", "app: website", ("selects app: website", "have app: blog")),
    Mistake("port of nobody", SERVICE, "targetPort: http", "targetPort: web", "targetPort", ("the port web", "there is http")),
    Mistake("ingress to nobody", INGRESS, "                name: blog", "                name: blogs", "name: blogs", ("home/blogs, which nothing makes", "Did you mean blog?")),
    Mistake("ingress to a port of nobody", INGRESS, "number: 80", "number: 8080", "number: 8080", ("port 8080", "there is 80")),
    Mistake("size in GB", CLAIM, "storage: 10Gi", "storage: 10GB", "storage: 10GB", ("10Gi", "not GB"), told_by="rehearse"),
    Mistake("storage class of nobody", CLAIM, "home-disk", "home-disc", "storageClassName", ("StorageClass home-disc", "Did you mean home-disk?")),
    Mistake("secret that is not base64", SECRET, "Y29ycmVjdCBob3JzZQ==", "correct horse", "password:", ("are base64", "`stringData`"), told_by="rehearse"),
)
# fmt: on
