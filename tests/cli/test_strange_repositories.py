"""Repositories with secrets, and strange ones: nothing secret is shown, and all ends in words."""

from trees import lay, write

CANARY = "canary-9f1c4e"


SECRETS = f"""
apiVersion: v1
kind: Secret
metadata: {{name: plain, namespace: default}}
stringData:
  url: postgres://user:{CANARY}@db.nowhere.svc.cluster.local/x
  url: {CANARY}
data: {CANARY}
---
apiVersion: v1
kind: Secret
metadata: {{name: plain, namespace: default, annotations: {{note: {CANARY}}}}}
stringData: {{password: "${{MISSING}}{CANARY}"}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {{name: app, namespace: default}}
spec:
  selector: {{matchLabels: {{a: b}}}}
  template:
    metadata: {{labels: {{a: b}}}}
    spec:
      containers:
        - name: app
          image: nginx
          env:
            - {{name: TOKEN, value: {CANARY}}}
            - {{name: OTHER, valueFrom: {{secretKeyRef: {{name: plain, key: absent}}}}}}
"""


BROKEN = f"""
apiVersion: v1
kind: Secret
metadata: {{name: broken}}
stringData:
  password: {CANARY}: {CANARY}
   more: [{CANARY}
"""


def test_no_secret_of_the_repository_is_shown(desk):
    root = lay(desk.folder / "tree", a="c", b="a", c="b")
    write(root, "a/secrets.yaml", SECRETS)
    write(root, "b/broken.yaml", BROKEN)
    write(
        root,
        "c/kustomization.yaml",
        f"resources: [settings.yaml, gone.yaml]\nsecretGenerator:\n  - {{name: g, literals: [p={CANARY}, {CANARY}]}}\n",
    )
    commands = [["check", "-v"], ["plan"], ["plan", "--graph", "json", "--all"], ["explain", "a", "b"]]
    commands += [["check", "--format", style] for style in ("json", "sarif", "github")]
    for command in commands:
        code, out, complaints = desk.run(*command, "--gitops", "tree")
        assert code in {0, 3}
        assert CANARY not in out + complaints


def test_strange_trees_end_in_words(desk):
    root = lay(desk.folder / "tree", a="")
    (root / "a" / "binary.yaml").write_bytes(bytes(range(256)))
    (root / "a" / "loop").symlink_to(root / "a")
    write(
        root,
        "a/bomb.yaml",
        "a: &a [1,1,1,1]\n"
        + "".join(
            f"{c}: &{c} [*{p},*{p},*{p},*{p},*{p},*{p}]\n" for p, c in zip("abcdefghijkl", "bcdefghijklm", strict=True)
        ),
    )
    write(root, "a/deep.yaml", "[" * 5000)
    code, out, complaints = desk.run("check", "--gitops", "tree")
    assert code in {0, 3}
    assert complaints == ""
    assert "Kustomizations" in out
