"""Which files of a repository Flux packs, and so sees."""

from flux_trees import config_map, node


def test_files_of_other_tools_are_no_manifests(tree, read):
    root = tree({
        "clusters/x/a.yaml": node("a", "./a"), "a/a.yaml": config_map("a", "x"), "a/.sops.yaml": "creation_rules: []\n",
        "a/inner/cloudbuild.yaml": "steps: []\n", "clusters/x/.sops.yaml": "creation_rules: []\n",
    })  # fmt: skip
    (survey,) = read(root, "clusters/x")
    assert survey.remarks == []
