"""A castle for tests of the lab, made out of the example's castle.yaml and little else."""

from pathlib import Path

_ROOT = Path(__file__).parents[3]
_LAB = """
version: 1
repositories: {https://github.com/tazlab/tazlab-k8s.git: gitops}
private_images: [ghcr.io/tazlab/]
images: [{reference: "ghcr.io/tazlab/site:v1", hugo: site}]
vault:
  - {path: app/admin, random: [PASSWORD], text: {USER: admin}}
  - {path: app/tls, tls: [site.example]}
tailnet:
  clients: [{id: tailscale-operator-client-id, secret: tailscale-operator-client-secret, tags: ["tag:k8s-operator"]}]
  devices: [{hostname: lushycorp-k8s, tags: ["tag:tazlab-k8s"]}]
"""


def write_castle(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    text = (_ROOT / "examples" / "castle" / "castle.yaml").read_text()
    # So that the router of its lab has reservations, which machines that bring a drive do not need.
    (folder / "castle.yaml").write_text(text.replace("machines:\n", "machines:\n  addressing: reserved-dhcp\n"))
    (folder / "lab.yaml").write_text(_LAB)
    for name, text in {
        "gitops/clusters/tazlab-k8s/kustomization.yaml": "resources: []\n",
        "gitops/clusters/tazlab-k8s/flux-system/gotk-components.yaml": "# ghcr.io/fluxcd/source-controller\n",
        "site/hugo.yaml": "baseURL: https://site.example/\ntitle: Castle\n",
        "site/layouts/index.html": "<h1>{{ .Site.Title }}</h1>\n",
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder
