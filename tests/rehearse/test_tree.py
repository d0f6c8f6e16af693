"""The repository itself, as its own source serves it."""

import io
import subprocess
import tarfile

import pytest
import yaml

from asking import asked, clone
from trees import write

SECRET = {
    "apiVersion": "v1",
    "kind": "Secret",
    "metadata": {"name": "db", "namespace": "apps"},
    "stringData": {"password": "ENC[AES256_GCM,data:AAAA,iv:BBBB,tag:CCCC,type:str]"},
    "sops": {"age": [{"recipient": "age1theirs", "enc": "-"}], "mac": "ENC[x]"},
}


async def test_the_tree_is_served_as_it_is_now(outside, tree, tmp_path):
    write(tree, "apps/new.yaml", "kind: ConfigMap\n")
    made = await outside()
    assert await clone(made, "https://git.example/owner/tree", tmp_path / "one") == (0, "")
    assert (tmp_path / "one/apps/new.yaml").read_text() == "kind: ConfigMap\n"
    write(tree, "apps/new.yaml", "kind: Secret\n")
    await made.take()
    assert await clone(made, "https://git.example/owner/tree.git", tmp_path / "two") == (0, "")
    assert (tmp_path / "two/apps/new.yaml").read_text() == "kind: Secret\n"


async def test_without_a_source_of_its_own_it_has_an_address(outside, tree, tmp_path):
    file = tree / "clusters/x/flux-system.yaml"
    file.write_text(file.read_text().partition("---\n")[2])
    made = await outside()
    assert await clone(made, "https://tree.rehearsal.internal/tree.git", tmp_path / "one") == (0, "")


@pytest.mark.parametrize(
    ("ref", "asked_for"),
    [
        ("{branch: live}", "live"),
        ("{tag: v1.2.3}", "v1.2.3"),
        ('{semver: ">=1.4.0"}', "1.4.0"),
        ("{name: refs/heads/feature/x}", "feature/x"),
        ("{}", "master"),
    ],
)
async def test_whatever_reference_is_named_gets_the_tree(outside, tree, tmp_path, ref, asked_for):
    file = tree / "clusters/x/flux-system.yaml"
    file.write_text(file.read_text().replace("ref: {branch: main}", f"ref: {ref}"))
    made = await outside()
    into = tmp_path / "clone"
    assert await clone(
        made, "https://git.example/owner/tree", into, "--branch", asked_for, "-c", "advice.detachedHead=0"
    ) == (0, "")
    assert (into / "clusters/x/flux-system.yaml").exists()


async def test_the_tree_begins_where_its_paths_do(outside, tree, tmp_path):
    """Whoever names a folder inside the repository means the same repository."""
    made = await outside(tree / "clusters")
    await clone(made, "https://git.example/owner/tree", tmp_path / "clone")
    assert (tmp_path / "clone/clusters/x/flux-system.yaml").exists()


async def test_what_git_ignores_is_left_out(outside, tree, tmp_path):
    subprocess.run(["git", "init", "--quiet", str(tree)], check=True)
    write(tree, ".gitignore", "build/\n")
    write(tree, "build/large", "x")
    (tree / "link").symlink_to("clusters")
    made = await outside()
    await clone(made, "https://git.example/owner/tree", tmp_path / "clone")
    assert not (tmp_path / "clone/build").exists()
    assert (tmp_path / "clone/link").is_symlink()


async def test_a_tree_that_another_repository_ignores_is_served_whole(outside, tree, tmp_path):
    subprocess.run(["git", "init", "--quiet", str(tree.parent)], check=True)
    write(tree.parent, ".gitignore", "tree/\n")
    made = await outside()
    await clone(made, "https://git.example/owner/tree", tmp_path / "clone")
    assert (tmp_path / "clone/clusters/x/flux-system.yaml").exists()


async def test_encrypted_files_are_invented(outside, tree, tmp_path):
    write(tree, "apps/secret.yaml", yaml.safe_dump(SECRET))
    made = await outside()
    await clone(made, "https://git.example/owner/tree", tmp_path / "one")
    found = yaml.safe_load((tmp_path / "one/apps/secret.yaml").read_text())
    assert found["stringData"]["password"]
    assert "ENC[" not in str(found)
    assert "sops" not in found
    before = (tmp_path / "one/apps/secret.yaml").read_text()
    await made.take()
    await clone(made, "https://git.example/owner/tree", tmp_path / "two")
    assert (tmp_path / "two/apps/secret.yaml").read_text() == before, "invented once"


async def test_with_the_castles_key_they_stay_as_they_are(outside, tree, tmp_path):
    write(tree, "apps/secret.yaml", yaml.safe_dump(SECRET))
    made = await outside(age_key=tmp_path / "age.agekey")
    await clone(made, "https://git.example/owner/tree", tmp_path / "one")
    assert yaml.safe_load((tmp_path / "one/apps/secret.yaml").read_text()) == SECRET


async def test_a_tree_that_is_pushed_as_an_artifact(outside, tree):
    file = tree / "clusters/x/flux-system.yaml"
    text = file.read_text().replace("kind: GitRepository", "kind: OCIRepository")
    file.write_text(
        text.replace("https://git.example/owner/tree", "oci://ghcr.io/owner/tree").replace("branch: main", "tag: live")
    )
    made = await outside()
    said = (await asked(made, "https://ghcr.io/v2/owner/tree/manifests/live")).json()
    assert said["config"]["mediaType"] == "application/vnd.cncf.flux.config.v1+json"
    layer = await asked(made, f"https://ghcr.io/v2/owner/tree/blobs/{said['layers'][0]['digest']}")
    with tarfile.open(fileobj=io.BytesIO(layer.content)) as archive:
        assert archive.getnames() == ["clusters/x/flux-system.yaml"]


BUCKET = """\
apiVersion: source.toolkit.fluxcd.io/v1
kind: Bucket
metadata: {name: flux-system, namespace: flux-system}
spec: {interval: 1m, endpoint: "minio.example:9000", bucketName: tree}
"""


@pytest.mark.parametrize("base", ["https://minio.example:9000/tree", "https://tree.minio.example:9000"])
async def test_a_tree_in_a_bucket(outside, tree, base):
    file = tree / "clusters/x/flux-system.yaml"
    file.write_text(f"{BUCKET}---\n{file.read_text().partition('---' + chr(10))[2].replace('GitRepository', 'Bucket')}")
    write(tree, "other/a.yaml", "kind: ConfigMap\n")
    made = await outside()
    assert "LocationConstraint" in (await asked(made, f"{base}/?location=")).text
    listed = (await asked(made, f"{base}/?list-type=2&prefix=other/")).text
    assert "<Key>other/a.yaml</Key>" in listed
    assert "flux-system.yaml" not in listed
    said = await asked(made, f"{base}/other/a.yaml")
    assert said.text == "kind: ConfigMap\n"
    assert said.headers["etag"].strip('"') in listed
    for path in ("other/b.yaml", "other", "..%2f..%2fca.crt"):
        assert (await asked(made, f"{base}/{path}")).status_code == 404
