"""What is read of a repository: where it starts, what it leads to, and where that is written."""

from pathlib import Path

import pytest

from flux_trees import config_map, git, node, resources
from rebirth.proof.reading.texts.lines import Lines
from rebirth.proof.things import Extent


def members(survey, name):
    """The members of a Kustomization, as words."""
    unit = next(unit for unit in survey.model.units if unit.own and unit.own.name == name)
    return sorted(f"{m.kind} {m.namespace}/{m.name}" for m in unit.members)


def member(survey, name):
    return next(m for unit in survey.model.units for m in unit.members if m.name == name)


def told(survey):
    return [(remark.slug, remark.words) for remark in survey.remarks]


class TestWhatAKustomizationIsFetchedFrom:
    @pytest.mark.parametrize(
        ("name", "url", "read_"),
        [
            ("flux-system", "oci://ghcr.io/me/manifests", True),
            ("home", "oci://ghcr.io/me/home/manifests", True),
            ("other", "oci://ghcr.io/you/other", False),
        ],
    )
    def test_the_repository_as_its_own_artifact(self, tree, read, name, url, read_):
        oci = (
            "---\napiVersion: source.toolkit.fluxcd.io/v1\nkind: OCIRepository\n"
            f"metadata: {{name: {name}, namespace: flux-system}}\nspec: {{interval: 1m, url: '{url}'}}\n"
        )
        root = tree({
            "clusters/x/sync.yaml": node("flux-system", "./clusters/x") + "---\n" + git("flux-system", "ssh://git@example.org/me/home"),
            "clusters/x/apps.yaml": node("apps", "./apps", source=f"OCIRepository {name}") + oci,
            "apps/a.yaml": config_map("a", "x"),
        })  # fmt: skip
        (survey,) = read(root)
        assert members(survey, "apps") == (["ConfigMap x/a"] if read_ else [])

    @pytest.mark.parametrize(
        ("url", "more", "read_"),
        [
            ("oci://ghcr.io/me/manifests/home", "", True),
            ("oci://ghcr.io/you/other", "", False),
            ("oci://ghcr.io/me/manifests/home", "other/apps/b.yaml", False),
        ],
        ids=["its folder at the top", "of another repository", "two folders fit"],
    )
    def test_an_artifact_of_a_folder_at_the_top(self, tree, read, url, more, read_):
        oci = f"---\napiVersion: source.toolkit.fluxcd.io/v1\nkind: OCIRepository\nmetadata: {{name: c, namespace: flux-system}}\nspec: {{interval: 1m, url: '{url}'}}\n"
        root = tree({
            "k8s/clusters/x/flux-system/sync.yaml": node("flux-system", "./k8s/clusters/x") + "---\n" + git("flux-system", "ssh://git@example.org/me/home"),
            "k8s/clusters/x/apps.yaml": node("apps", "./apps", source="OCIRepository c") + oci,
            "k8s/apps/a.yaml": config_map("a", "x"),
            **({more: config_map("b", "x")} if more else {}),
        })  # fmt: skip
        (survey,) = read(root)
        assert members(survey, "apps") == (["ConfigMap x/a"] if read_ else [])

    def test_every_cluster_has_the_source_that_its_own_flux_instance_names(self, tree, read):
        def instance(kind, url, path):
            return f"apiVersion: fluxcd.controlplane.io/v1\nkind: FluxInstance\nmetadata: {{name: flux}}\nspec: {{sync: {{kind: {kind}, url: '{url}', path: {path}}}}}\n"

        root = tree({
            "a/flux/apps.yaml": node("apps", "./apps", source="OCIRepository dev"),
            "a/instance.yaml": instance("OCIRepository", "oci://registry.local/dev", "a/flux"),
            "b/flux/apps.yaml": node("apps", "./apps", source="GitRepository home"),
            "b/instance.yaml": instance("GitRepository", "https://example.org/me/home.git", "./b/flux"),
            "apps/home.yaml": git("home", "https://example.org/me/home.git"),
        })  # fmt: skip
        one, two = read(root)
        assert (one.model.own_source[0], two.model.own_source[0]) == ("OCIRepository", "GitRepository")
        assert members(two, "apps") == ["GitRepository flux-system/home"]

    @pytest.mark.parametrize("path", [".", "./", "/"])
    def test_the_whole_of_another_source_is_not_this_repository(self, tree, read, path):
        root = tree({
            "clusters/x/sync.yaml": node("flux-system", "./clusters/x"),
            "clusters/x/other.yaml": node("other", path, source="OCIRepository other"),
        })  # fmt: skip
        (survey,) = read(root)
        assert [unknown.what for unknown in survey.unknowns] == ["Kustomization flux-system/other"]

    def test_another_repository_is_unknown_and_no_missing_path(self, tree, read):
        root = tree({
            "clusters/x/sync.yaml": node("flux-system", "./clusters/x") + "---\n" + git("flux-system", "ssh://git@example.org/me/home"),
            "clusters/x/other.yaml": node("other", "./deploy", source="GitRepository other") + "---\n" + git("other", "https://example.org/you"),
            "clusters/x/oci.yaml": node("oci", "./", source="OCIRepository podinfo"),
            "clusters/x/same.yaml": node("same", "./apps", source="GitRepository same") + "---\n" + git("same", "https://example.org/me/home.git"),
            "apps/a.yaml": config_map("a", "x"),
        })  # fmt: skip
        (survey,) = read(root)
        assert not told(survey)
        assert sorted(unknown.what for unknown in survey.unknowns) == [
            "Kustomization flux-system/oci", "Kustomization flux-system/other",
        ]  # fmt: skip
        assert {unknown.what.rpartition("/")[2]: unknown.extent for unknown in survey.unknowns} == {
            "oci": Extent.UNIT, "other": Extent.BASE,
        }  # fmt: skip
        assert not any(unknown.namespace for unknown in survey.unknowns)
        assert members(survey, "same") == ["ConfigMap x/a"]

    def test_an_artifact_made_of_parts_of_the_repository(self, tree, read):
        generator = (
            "apiVersion: source.extensions.fluxcd.io/v1beta1\nkind: ArtifactGenerator\nmetadata: {name: g, namespace: flux-system}\n"
            "spec:\n  sources: [{alias: repo, kind: GitRepository, name: flux-system}]\n  artifacts:\n  - name: apps\n"
            "    copy: [{from: '@repo/apps/base/**', to: '@artifact/base/'}, {from: '@repo/apps/one/**', to: '@artifact/one/'}]\n"
        )
        root = tree({
            "clusters/x/sync.yaml": node("flux-system", "./clusters/x") + "---\n" + generator,
            "clusters/x/apps.yaml": node("apps", "./one", source="ExternalArtifact apps"),
            "apps/base/kustomization.yaml": resources("a.yaml"),
            "apps/base/a.yaml": config_map("a", "x"),
            "apps/one/kustomization.yaml": resources("../base"),
        })  # fmt: skip
        (survey,) = read(root)
        assert not told(survey)
        assert members(survey, "apps") == ["ConfigMap x/a"]

    def test_another_cluster_gets_it(self, tree, read):
        root = tree({
            "clusters/x/far.yaml": node("far", "./apps", "kubeConfig: {secretRef: {name: far}}"),
            "apps/a.yaml": config_map("a", "x"),
        })  # fmt: skip
        (survey,) = read(root, "clusters/x")
        assert members(survey, "far") == []

    def test_what_is_not_there_or_no_folder(self, tree, read):
        root = tree({
            "clusters/x/a.yaml": node("a", "./none"), "clusters/x/b.yaml": node("b", "./apps/a.yaml"),
            "clusters/x/c.yaml": node("c", "../../outside"), "clusters/x/d.yaml": node("d", "./apps"),
            "apps/a.yaml": config_map("a", "x"),
        })  # fmt: skip
        (survey,) = read(root, "clusters/x")
        assert told(survey) == [
            ("missing-path", "./none does not exist"), ("missing-path", "./apps/a.yaml is a file, not a folder"),
            ("missing-path", "../../outside does not exist"),
        ]  # fmt: skip
        assert members(survey, "d") == ["ConfigMap x/a"]

    def test_a_path_leads_no_higher_than_the_top(self, tree, read):
        root = tree({"clusters/x/a.yaml": node("a", "../apps"), "apps/a.yaml": config_map("a", "x")})
        (survey,) = read(root, "clusters/x")
        assert members(survey, "a") == ["ConfigMap x/a"]


class TestWhatAKustomizationAdds:
    def test_fields_of_its_own(self, tree, read):
        spec = (
            "targetNamespace: web\nnamePrefix: p-\ncomponents: [../component]\nimages: [{name: nginx, newTag: '2'}]\n"
            'patches:\n- patch: \'[{"op": "add", "path": "/data/more", "value": "b"}]\'\n  target: {kind: ConfigMap, name: a}'
        )
        pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: pod, namespace: other}\nspec: {containers: [{name: c, image: nginx:1}]}\n"
        root = tree({
            "clusters/x/apps.yaml": node("apps", "./apps", spec),
            "apps/kustomization.yaml": resources("a.yaml", "pod.yaml", more="namespace: other\nimages: [{name: nginx, newTag: '1'}]\n"),
            "apps/a.yaml": config_map("a"), "apps/pod.yaml": pod,
            "component/kustomization.yaml": "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\n" + resources("c.yaml"),
            "component/c.yaml": config_map("c"),
        })  # fmt: skip
        (survey,) = read(root, "clusters/x")
        assert not told(survey)
        assert members(survey, "apps") == ["ConfigMap web/p-a", "ConfigMap web/p-c", "Pod web/p-pod"]
        assert member(survey, "p-a").at("data", "more") == "b"
        assert member(survey, "p-pod").at("spec", "containers", 0, "image") == "nginx:2"
        assert member(survey, "p-c").file == str(root / "component/c.yaml")

    def test_a_cluster_scoped_custom_resource_stands_in_no_namespace(self, tree, read):
        crd = (
            "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: planets.example.org}\n"
            "spec: {group: example.org, scope: Cluster, names: {kind: Planet, plural: planets}}\n"
        )
        root = tree({
            "clusters/x/apps.yaml": node("apps", "./apps", "targetNamespace: web"),
            "clusters/x/crd.yaml": crd,
            "apps/a.yaml": "apiVersion: cert-manager.io/v1\nkind: ClusterIssuer\nmetadata: {name: a}\n",
            "apps/b.yaml": "apiVersion: example.org/v1\nkind: Planet\nmetadata: {name: b}\n",
            "apps/c.yaml": "apiVersion: example.org/v1\nkind: Moon\nmetadata: {name: c}\n",
        })  # fmt: skip
        (survey,) = read(root, "clusters/x")
        assert members(survey, "apps") == ["ClusterIssuer /a", "Moon web/c", "Planet /b"]

    def test_variables_of_the_castle_s_config_map_lead_to_folders(self, tree, read):
        settings = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings, namespace: flux-system}\ndata: {CLUSTER: one, TIMES: '3'}\n"
        spec = "postBuild: {substituteFrom: [{kind: ConfigMap, name: settings}]}"
        root = tree({
            "clusters/x/sync.yaml": node("flux-system", "./clusters/x", spec),
            "clusters/x/settings.yaml": settings,
            "clusters/x/apps.yaml": node("apps", "./apps/${CLUSTER}", spec),
            "apps/one/a.yaml": config_map("a", "${CLUSTER}").replace("value", "${TIMES}"),
        })  # fmt: skip
        (survey,) = read(root)
        assert members(survey, "apps") == ["ConfigMap one/a"]
        assert member(survey, "a").at("data", "key") == 3  # what Flux makes of it, quotes or none

    def test_variables_that_nothing_provides(self, tree, read):
        spec = "postBuild: {substitute: {A: b}}"
        root = tree({
            "clusters/x/apps.yaml": node("apps", "./apps", spec),
            "apps/a.yaml": config_map("a", "x").replace("value", "${NONE}"),
            "apps/b.yaml": config_map("b", "x").replace("value", "${NONE:=c}"),
            "apps/c.yaml": config_map("c", "x").replace("value", "$${NONE}"),
            "apps/d.yaml": config_map("d", "x").replace("value", "${NONE}").replace(
                "name: d", "name: d, annotations: {kustomize.toolkit.fluxcd.io/substitute: disabled}"
            ),
        })  # fmt: skip
        (survey,) = read(root, "clusters/x")
        assert told(survey) == [("undefined-variable", "${NONE} is used in ConfigMap x/a, and nothing provides it")]
        assert survey.remarks[0].place.path == ("data", "key")
        assert [member(survey, name).at("data", "key") for name in "abcd"] == [None, "c", "${NONE}", "${NONE}"]

    @pytest.mark.parametrize(
        ("name", "values", "said"),
        [("APP", "abcd", True), ("APP", "abc", False), ("APP", "aaaa", False), ("DOMAIN", "abcd", False)],
        ids=["each has its own", "few give it", "all the same", "nobody gives it"],
    )
    def test_a_variable_that_every_kustomization_gives_itself(self, tree, read, name, values, said):
        secret = "substituteFrom: [{kind: Secret, name: settings}]"
        root = tree({
            "clusters/x/apps.yaml": node("apps", "./apps", f"postBuild: {{{secret}}}"),
            "apps/a.yaml": config_map(f"'${{{name}}}'", "x"),
            **{
                f"clusters/x/{number}.yaml": node(f"n{number}", "./apps", f"postBuild: {{substitute: {{APP: {value}, DOMAIN: d}}, {secret}}}")
                for number, value in enumerate(values)
            },
        })  # fmt: skip
        (survey,) = read(root, "clusters/x")
        words = "${APP} is used in ConfigMap x/${APP}, and nothing provides it"
        assert told(survey) == ([("undefined-variable", words)] if said else [])
        assert all(remark.place.path == ("spec", "postBuild") for remark in survey.remarks)


class TestPlaces:
    def test_what_kustomize_makes_knows_where_it_is_written(self, tree, read):
        root = tree({
            "clusters/x/apps.yaml": node("apps", "./apps/one"),
            "apps/one/kustomization.yaml": resources("../base", more=(
                "namePrefix: p-\nnameSuffix: -s\nnamespace: web\n"
                "secretGenerator:\n- {name: other, literals: [a=b]}\n- {name: keys, literals: [a=b]}\n"
            )),
            "apps/base/kustomization.yaml": resources("two.yaml", more="configMapGenerator: [{name: conf, files: [x.txt]}]\n"),
            "apps/base/two.yaml": "# comment\n" + config_map("web") + "---\n" + config_map("web-more") + "---\n"
            "apiVersion: v1\nkind: List\nitems:\n- " + config_map("listed").replace("\n", "\n  "),
            "apps/base/x.txt": "text",
        })  # fmt: skip
        (survey,) = read(root, "clusters/x")
        lines = Lines()

        def place(kind, start):
            found = next(
                m for unit in survey.model.units for m in unit.members if m.kind == kind and m.name.startswith(start)
            )
            where = found.place("metadata", "name")
            return f"{Path(where.file).relative_to(root)}:{lines.line(where)}"

        assert place("ConfigMap", "p-web-s") == "apps/base/two.yaml:4"
        assert place("ConfigMap", "p-web-more-s") == "apps/base/two.yaml:9"
        assert place("ConfigMap", "p-listed-s") == "apps/base/two.yaml:17"
        assert place("ConfigMap", "p-conf-s-") == "apps/base/kustomization.yaml:3"
        assert place("Secret", "p-keys-s-") == "apps/one/kustomization.yaml:8"
        assert not told(survey)

    def test_files_that_nothing_lists(self, tree, read):
        root = tree({
            "clusters/x/apps.yaml": node("apps", "./apps"),
            "apps/kustomization.yaml": resources("a.yaml"),
            "apps/a.yaml": config_map("a", "x"), "apps/b.yaml": config_map("b", "x"), "apps/values.yaml": "a: b\n",
        })  # fmt: skip
        (survey,) = read(root, "clusters/x")
        assert [orphan.name for orphan in survey.model.orphans] == ["b"]


class TestWhatIsMissing:
    def test_one_remark_each_and_the_rest_is_built(self, tree, read):
        root = tree({
            "clusters/x/apps.yaml": node("apps", "./apps", "targetNamespace: web\nnamePrefix: p-"),
            "apps/kustomization.yaml": resources("a.yaml", "none.yaml", "../base", "../none", "a.yaml c.yaml", "twice.yaml", "bad.yaml"),
            "apps/a.yaml": config_map("a"),
            "apps/twice.yaml": config_map("twice") + "data: {other: value}\n",
            "apps/bad.yaml": "a: b: c\n",
            "base/kustomization.yaml": resources("b.yaml", "gone.yaml", "https://example.org/x.yaml"),
            "base/b.yaml": config_map("b"),
        })  # fmt: skip
        (survey,) = read(root, "clusters/x")
        assert sorted(told(survey)) == [
            ("duplicate-key", "duplicate key data"),
            ("missing-file", "../none does not exist"),
            ("missing-file", "a.yaml c.yaml does not exist: two entries on one line?"),
            ("missing-file", "gone.yaml does not exist"), ("missing-file", "none.yaml does not exist"),
            ("unreadable", "is not YAML: mapping values are not allowed in this context"),
        ]  # fmt: skip
        assert members(survey, "apps") == ["ConfigMap /twice", "ConfigMap web/p-a", "ConfigMap web/p-b"]
        assert "https://example.org/x.yaml" in [unknown.what for unknown in survey.unknowns]

    def test_what_kustomize_itself_refuses(self, tree, read):
        root = tree({
            "clusters/x/a.yaml": node("a", "./a"), "clusters/x/b.yaml": node("b", "./b"), "clusters/x/c.yaml": node("c", "./c"),
            "a/kustomization.yaml": resources("a.yaml", "more.yaml"), "a/a.yaml": config_map("a"), "a/more.yaml": config_map("a"),
            "b/kustomization.yaml": resources("a.yaml", more="resource: []\n"), "b/a.yaml": config_map("a"),
            "c/kustomization.yaml": resources("a.yaml", more="secretGenerator: [{name: x, literals: [hunter2]}]\n"), "c/a.yaml": config_map("a"),
        })  # fmt: skip
        (survey,) = read(root, "clusters/x")
        assert sorted(slug for slug, _ in told(survey)) == ["added-twice", "build-error", "build-error"]
        words = " ".join(words for _, words in told(survey))
        assert "ConfigMap a is there twice" in words
        assert 'unknown field "resource"' in words
        assert "hunter2" not in words
        assert "/tmp" not in words

    def test_kustomizations_that_take_each_other_in(self, tree, read):
        root = tree({
            "clusters/x/a.yaml": node("a", "./a"), "clusters/x/b.yaml": node("b", "./b/inner"),
            "a/kustomization.yaml": resources("../c", "a.yaml"), "a/a.yaml": config_map("a", "x"), "c/kustomization.yaml": resources("../a"),
            "b/kustomization.yaml": resources("b.yaml"), "b/b.yaml": config_map("b", "x"), "b/inner/kustomization.yaml": resources(".."),
        })  # fmt: skip
        (survey,) = read(root, "clusters/x")
        assert told(survey) == [
            ("kustomize-cycle", "kustomizations include each other: a -> c -> a"),
            ("kustomize-cycle", ".. contains the folder that includes it: b/inner -> b"),
        ]  # fmt: skip
        assert members(survey, "a") == ["ConfigMap x/a"]

    def test_symbolic_links_are_not_packed(self, tree, read):
        root = tree({
            "clusters/x/a.yaml": node("a", "./a"),
            "a/kustomization.yaml": resources("a.yaml", "link.yaml"), "a/a.yaml": config_map("a", "x"), "real.yaml": config_map("b", "x"),
        })  # fmt: skip
        (root / "a/link.yaml").symlink_to(root / "real.yaml")
        (root / "a/loop").symlink_to(root / "a")
        (root / "clusters/x/self").symlink_to("self")
        (survey,) = read(root, "clusters/x")
        assert told(survey) == [("missing-file", "a/link.yaml is a symbolic link, which Flux does not pack")]

    def test_a_generated_kustomization_takes_objects_alone(self, tree, read):
        root = tree({
            "clusters/x/a.yaml": node("a", "./a"),
            "a/a.yaml": config_map("a", "x"), "a/values.yaml": "replicas: 2\n", "a/inner/b.yaml": config_map("b", "x"),
            "a/sub/kustomization.yaml": resources("c.yaml"), "a/sub/c.yaml": config_map("c", "x"), "a/sub/d.yaml": config_map("d", "x"),
        })  # fmt: skip
        (survey,) = read(root, "clusters/x")
        assert [slug for slug, _ in told(survey)] == ["not-an-object", "unlisted"]
        assert members(survey, "a") == ["ConfigMap x/a", "ConfigMap x/b", "ConfigMap x/c"]
