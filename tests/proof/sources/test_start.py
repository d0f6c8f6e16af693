"""Where Flux starts in a repository, and who says so."""

import pytest

from flux_trees import config_map, git, node, resources
from rebirth.errors import SpecError


def members(survey, name):
    """The members of a Kustomization, as words."""
    unit = next(unit for unit in survey.model.units if unit.own and unit.own.name == name)
    return sorted(f"{m.kind} {m.namespace}/{m.name}" for m in unit.members)


def told(survey):
    return [(remark.slug, remark.words) for remark in survey.remarks]


class TestWhereFluxStarts:
    def test_folders_that_lead_to_themselves(self, tree, read):
        root = tree({
            "clusters/one/flux-system/gotk-sync.yaml": node("flux-system", "./clusters/one"),
            "clusters/one/apps.yaml": node("apps", "./apps"),
            "clusters/two/flux-system/gotk-sync.yaml": node("flux-system", "./clusters/two"),
            "apps/a.yaml": config_map("a", "x"),
            "templates/example.yaml": node("example", "./nowhere"),
        })  # fmt: skip
        one, two = read(root)
        assert (one.model.cluster, two.model.cluster) == ("clusters/one", "clusters/two")
        assert members(one, "apps") == ["ConfigMap x/a"]
        assert len(two.model.units) == 1
        assert not told(one)

    def test_folders_that_nothing_leads_to(self, tree, read):
        root = tree(
            {
                "flux/apps.yaml": node("apps", "./apps"),
                "apps/ks.yaml": node("web", "./web"),
                "web/a.yaml": config_map("a", "x"),
            }
        )
        (survey,) = read(root)
        assert survey.model.cluster == "flux"
        assert members(survey, "web") == ["ConfigMap x/a"]

    @pytest.mark.parametrize(
        "instance",
        [
            (
                "apiVersion: fluxcd.controlplane.io/v1\nkind: FluxInstance\nmetadata: {name: flux}\n"
                "spec: {sync: {kind: GitRepository, url: https://example.org/r.git, path: kubernetes/flux}}\n"
            ),
            (
                "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {name: flux-instance}\n"
                "spec: {values: {instance: {sync: {kind: OCIRepository, path: ./kubernetes/flux}}}}\n"
            ),
        ],
        ids=["object", "chart"],
    )
    def test_where_the_flux_operator_points_flux_at(self, tree, read, instance):
        root = tree({
            "kubernetes/flux/apps.yaml": node("apps", "./kubernetes/apps"),
            "kubernetes/apps/instance.yaml": instance,
            "other/sync.yaml": node("other", "./other"),
        })  # fmt: skip
        (survey,) = read(root)
        assert survey.model.cluster == "kubernetes/flux"
        assert survey.model.own_source[1:] == ("flux-system", "flux-system")

    def test_a_folder_that_does_not_list_the_kustomization_that_applies_it(self, tree, read):
        root = tree({
            "clusters/x/flux-system/gotk-sync.yaml": node("flux-system", "./clusters/x"),
            "clusters/x/apps.yaml": node("apps", "./apps"),
            "apps/kustomization.yaml": resources("web/ks.yaml"), "apps/web/ks.yaml": node("web", "./apps/web"),
            "apps/web/kustomization.yaml": resources("a.yaml"), "apps/web/a.yaml": config_map("a", "x"),
            "old/web/ks.yaml": node("old", "./old/web"), "old/web/kustomization.yaml": resources(),
        })  # fmt: skip
        (survey,) = read(root)
        assert survey.model.cluster == "clusters/x"
        why, place = survey.model.start
        assert why == "Kustomization flux-system/flux-system applies it, and stands in it"
        assert place.file.endswith("clusters/x/flux-system/gotk-sync.yaml")

    def test_a_root_path_with_variables_fits_every_cluster(self, tree, read):
        root = tree({
            "base/flux-system/gotk-sync.yaml": node("flux-system", "./clusters/${CLUSTER}/flux"),
            "clusters/one/flux/apps.yaml": node("apps", "./apps"), "clusters/two/flux/apps.yaml": node("apps", "./apps"),
            "apps/a.yaml": config_map("a", "x"),
        })  # fmt: skip
        assert [survey.model.cluster for survey in read(root)] == ["clusters/one/flux", "clusters/two/flux"]

    def test_a_guess_is_called_one(self, tree, read):
        (survey,) = read(tree({"flux/apps.yaml": node("apps", "./apps"), "apps/a.yaml": config_map("a", "x")}))
        assert "--cluster names another" in survey.model.start[0]
        assert survey.model.share == (2, 2)

    def test_the_root_may_lie_above_the_folder_that_was_named(self, tree, read):
        root = tree({
            "deploy/clusters/one/apps.yaml": node("apps", "./deploy/apps"),
            "deploy/apps/a.yaml": config_map("a", "x"),
            "elsewhere/clusters/two/apps.yaml": node("apps", "./elsewhere/apps"),
        })  # fmt: skip
        (survey,) = read(root / "deploy")
        assert survey.model.root == root
        assert survey.model.cluster == "deploy/clusters/one"
        assert not told(survey)
        (named,) = read(root / "deploy", "clusters/one")
        assert named.model.cluster == "deploy/clusters/one"

    def test_what_flux_bootstrap_wrote_says_where_paths_start(self, tree, read):
        root = tree({
            "kubernetes/clusters/x/flux-system/gotk-sync.yaml": node("flux-system", "./kubernetes/clusters/x"),
            "kubernetes/clusters/x/apps.yaml": node("apps", "./apps", source="OCIRepository cluster"),
            "kubernetes/apps/web/ks.yaml": node("web", "./web", source="OCIRepository cluster"),
            "kubernetes/web/a.yaml": config_map("a", "x"),
        })  # fmt: skip
        (survey,) = read(root)
        assert (survey.model.root, survey.model.cluster) == (root, "kubernetes/clusters/x")

    def test_a_placeholder_in_a_path_begins_where_the_others_do(self, tree, read):
        replaced = "replacements: [{source: {kind: ConfigMap, name: which, fieldPath: data.provider}, targets: [{select: {kind: Kustomization}, fieldPaths: [spec.path], options: {delimiter: /, index: 1}}]}]\n"
        which = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: which, namespace: flux-system}\ndata: {provider: metal}\n"
        root = tree({
            "k8s/clusters/base/kustomization.yaml": resources("apps.yaml"),
            "k8s/clusters/base/apps.yaml": node("apps", "providers/__PROVIDER__/apps", source="OCIRepository flux-system"),
            "k8s/clusters/x/kustomization.yaml": resources("../base", "which.yaml", more=replaced),
            "k8s/clusters/x/which.yaml": which,
            "k8s/providers/metal/apps/a.yaml": config_map("a", "x"),
        })  # fmt: skip
        (survey,) = read(root)
        assert (survey.model.root, survey.model.cluster) == (root / "k8s", "clusters/x")
        assert members(survey, "apps") == ["ConfigMap x/a"]

    def test_nothing_there(self, tree, read, tmp_path):
        with pytest.raises(SpecError, match="no Flux Kustomization below it"):
            read(tree({"a.yaml": config_map("a")}))
        with pytest.raises(SpecError, match="no such directory"):
            read(tmp_path / "none")
        with pytest.raises(SpecError, match="no such directory"):
            read(tree({"a.yaml": node("a", "./a")}), "clusters/none")
        (tmp_path / "file").write_text("")
        with pytest.raises(SpecError, match="no such directory"):
            read(tmp_path / "file")

    def test_a_folder_may_be_the_top_of_another_repository(self, tree, read):
        root = tree(
            {
                "README.md": "Copy repos/system into a repository of its own.\n",
                "repos/system/clusters/x/flux-system/gotk-sync.yaml": node("flux-system", "./clusters/x"),
                "repos/system/clusters/x/apps.yaml": node("apps", "./apps"),
                "repos/system/clusters/template/flux-system/gotk-sync.yaml": node("flux-system", "./clusters/NAME"),
                "repos/system/clusters/template/more.yaml": node("more", "./workloads/NAME"),
                "repos/system/apps/a.yaml": config_map("a", "default"),
            }
        )
        (survey,) = read(root)
        assert survey.model.root == root / "repos/system"
        assert survey.model.cluster == "clusters/x"
        assert not survey.remarks

    def test_a_folder_that_somebody_renders_is_no_guess(self, tree, read):
        root = tree(
            {
                "bootstrap/x/all.yaml": node("apps", "./apps"),
                "manifests/x/kustomization.yaml": resources(
                    "all.yaml", more="helmCharts: [{name: flux, version: 1.0.0}]\n"
                ),
                "manifests/x/all.yaml": node("apps", "./apps"),
                "apps/a.yaml": config_map("a", "default"),
            }
        )
        assert [survey.model.cluster for survey in read(root)] == ["bootstrap/x"]
        (root / "manifests/x/kustomization.yaml").write_text(resources("all.yaml"))
        assert [survey.model.cluster for survey in read(root)] == ["bootstrap/x", "manifests/x"]

    def test_an_artifact_of_a_part_beside_the_repository_itself(self, tree, read):
        root = tree(
            {
                "kubernetes/clusters/x/flux-system/gotk-sync.yaml": node("flux-system", "./kubernetes/clusters/x")
                + "---\n"
                + git("flux-system", "ssh://git@example.com/us/home"),
                "kubernetes/clusters/x/apps.yaml": node("apps", "./apps/x", source="OCIRepository cluster")
                + "---\n"
                + node("more", "./more", source="OCIRepository cluster")
                + "---\napiVersion: source.toolkit.fluxcd.io/v1\nkind: OCIRepository\n"
                + "metadata: {name: cluster, namespace: flux-system}\n"
                + "spec: {interval: 1m, url: 'oci://ghcr.io/us/manifests/home'}\n",
                "kubernetes/apps/x/a.yaml": config_map("a", "default"),
                "kubernetes/more/a.yaml": config_map("b", "default"),
            }
        )
        (survey,) = read(root)
        assert survey.model.root == root
        assert {member.name for member, _ in survey.model.objects("ConfigMap")} == {"a", "b"}
        assert not survey.remarks
        assert not [unknown for unknown in survey.unknowns if unknown.listed]
