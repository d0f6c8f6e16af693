"""What an unknown hides, and what it does not: silence where it likely makes a thing, a warning where it could, else an error."""

import asyncio

import pytest

from flux_trees import config_map, git, node
from rebirth.proof.prove import prove
from trees import write

HOME = "apiVersion: v1\nkind: Namespace\nmetadata: {name: home}\n"
OBJECT = "apiVersion: zoo.example/v1\nkind: Zebra\nmetadata: {name: z, namespace: home}\n"
CRD = (
    "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: things.other.example}\n"
    "spec: {group: other.example, scope: Cluster, names: {kind: Thing, plural: things}}\n"
)


def release(name: str, chart: str, spec: str = "") -> str:
    return (
        "apiVersion: source.toolkit.fluxcd.io/v1\nkind: HelmRepository\n"
        f"metadata: {{name: {name}, namespace: home}}\nspec: {{interval: 1h, url: https://charts.example}}\n---\n"
        f"apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {{name: {name}, namespace: home}}\n"
        f"spec:\n  interval: 1h\n  chart: {{spec: {{chart: {chart}, version: '1', sourceRef: {{kind: HelmRepository, name: {name}}}}}}}\n"
        + "".join(f"  {line}\n" for line in spec.splitlines())
    )


def several(*texts: str) -> str:
    return "---\n".join(texts)


@pytest.fixture
def found(tmp_path):
    """found(path=text, ...) -> rule and severity of what is no hint, by the thing that the message names last."""

    def run(files):
        files = {"clusters/x/flux-system/sync.yaml": several(git("flux-system", "https://h.example/r"),
                 node("flux-system", "./clusters/x")), "clusters/x/home.yaml": several(HOME, CRD), **files}  # fmt: skip
        for path, text in files.items():
            write(tmp_path, path, text)
        done = asyncio.run(prove(tmp_path))
        return [(one.rule, one.severity.value, one.message) for one in done.findings if one.severity.value != "info"]

    return run


def of(findings, rule):
    return [severity for one, severity, _ in findings if one == rule]


class TestHealthChecks:
    CHECK = "healthChecks: [{{apiVersion: helm.toolkit.fluxcd.io/v2, kind: HelmRelease, name: a{}}}]"

    def trees(self, namespace, **more):
        return {
            "clusters/x/app.yaml": node("app", "./app", self.CHECK.format(namespace)),
            "app/a.yaml": release("a", "zzz"),
            **more,
        }

    @pytest.mark.parametrize("namespace", ["", ", namespace: other"])
    def test_a_chart_that_is_not_known_makes_no_release(self, found, namespace):
        (told,) = found(self.trees(namespace))
        assert told[:2] == ("R21", "error")
        assert "it applies HelmRelease home/a" in told[2]

    def test_a_unit_from_elsewhere_does_not_hide_what_the_unit_itself_applies(self, found):
        elsewhere = node("flux", "./", source="OCIRepository m")
        oci = "apiVersion: source.toolkit.fluxcd.io/v1\nkind: OCIRepository\nmetadata: {name: m, namespace: flux-system}\nspec: {interval: 1h, url: 'oci://r.example/m'}\n"
        assert of(
            found(self.trees(", namespace: other", **{"clusters/x/flux.yaml": several(oci, elsewhere)})), "R21"
        ) == ["error"]

    def test_the_right_namespace(self, found):
        assert not found(self.trees(", namespace: home"))


class TestKindsThatNothingBrings:
    def test_an_error_where_everything_is_known(self, found):
        (told,) = found({"clusters/x/z.yaml": node("z", "./z"), "z/z.yaml": OBJECT})
        assert told[:2] == ("R22", "error")
        assert "kind Zebra of zoo.example" in told[2]

    def test_an_unrelated_error_does_not_mask_it(self, found):
        told = found({"clusters/x/z.yaml": node("z", "./z", "dependsOn: [{name: none}]"), "z/z.yaml": OBJECT})
        assert (of(told, "R13"), of(told, "R22")) == (["error"], ["error"])

    def test_a_warning_where_no_kind_at_all_is_brought(self, found):
        told = found({"clusters/x/home.yaml": HOME, "clusters/x/z.yaml": node("z", "./z"), "z/z.yaml": OBJECT})
        assert of(told, "R22") == ["warning"]

    def test_a_warning_where_a_chart_of_another_name_could_bring_it(self, found):
        told = found({
            "clusters/x/z.yaml": several(node("z", "./z"), node("y", "./y")), "z/z.yaml": OBJECT, "y/y.yaml": release("a", "lions"),
        })  # fmt: skip
        assert of(told, "R22") == ["warning"]

    @pytest.mark.parametrize(
        ("chart", "spec"),
        [("zoo-operator", ""), ("lions", "dependsOn: [{name: y}]")],
        ids=["it is called like the group", "it comes before"],
    )
    def test_silence_where_a_chart_likely_brings_it(self, found, chart, spec):
        told = found({
            "clusters/x/z.yaml": several(node("z", "./z", spec), node("y", "./y", "wait: true")),
            "z/z.yaml": OBJECT, "y/y.yaml": release("a", chart),
        })  # fmt: skip
        assert not of(told, "R22")

    @pytest.mark.parametrize(("url", "said"), [("zoo/crds.yaml", []), ("lions/crds.yaml", ["warning"])])
    def test_a_remote_file_hides_what_it_is_called_like(self, found, url, said):
        told = found({
            "clusters/x/z.yaml": several(node("z", "./z"), node("y", "./y")), "z/z.yaml": OBJECT,
            "y/kustomization.yaml": f"resources: ['https://raw.example/{url}']\n",
        })  # fmt: skip
        assert of(told, "R22") == said

    @pytest.mark.parametrize("group", ["networking.gke.io", "cilium.io", "helm.cattle.io"])
    def test_what_platforms_bring(self, found, group):
        told = found({"clusters/x/z.yaml": node("z", "./z"), "z/z.yaml": OBJECT.replace("zoo.example", group)})
        assert not told

    def test_a_misspelt_kind(self, found):
        text = "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelase\nmetadata: {name: a, namespace: home}\n"
        (told,) = found({"clusters/x/z.yaml": node("z", "./z"), "z/z.yaml": text})
        assert told[:2] == ("R48", "error")


class TestWhatFluxReads:
    READS = {
        "decrypts": "decryption: {provider: sops, secretRef: {name: zzz-key}}",
        "substitutes": "postBuild: {substituteFrom: [{kind: Secret, name: zzz-key}]}",
    }

    @pytest.mark.parametrize("spec", READS.values(), ids=READS)
    def test_nothing_remote_holds_it(self, found, spec):
        told = found({
            "clusters/x/z.yaml": node("z", "./z", spec), "z/a.yaml": config_map("a", "home"),
            "clusters/x/y.yaml": several(node("y", "./y"), node("zzz", "./zzz", source="GitRepository zzz")),
            "y/a.yaml": release("zzz", "zzz"),
        })  # fmt: skip
        assert ("R14", "warning") in [one[:2] for one in told]

    def test_values_of_a_chart_that_is_not_known_hide_no_source(self, found):
        text = release("a", "zzz", "valuesFrom: [{kind: Secret, name: v}]").replace(
            "kind: HelmRepository, name: a", "kind: HelmRepository, name: b"
        )
        told = found({"clusters/x/z.yaml": node("z", "./z"), "z/a.yaml": text})
        assert "R44" in [one[0] for one in told]


class TestFilesThatCannotBeRead:
    def trees(self, text):
        pod = (
            "apiVersion: v1\nkind: Pod\nmetadata: {name: p, namespace: home}\n"
            "spec: {containers: [{name: a, image: a, envFrom: [{secretRef: {name: wanted}}]}]}\n"
        )
        return {
            "clusters/x/z.yaml": several(node("z", "./z"), node("y", "./y")), "z/p.yaml": pod,
            "y/kustomization.yaml": "resources: [broken.yaml]\n", "y/broken.yaml": text,
        }  # fmt: skip

    def test_it_hides_what_is_written_in_it(self, found):
        assert not of(found(self.trees("kind: Secret\nname: wanted\n\t: [")), "R14")

    def test_an_object_that_is_encrypted_with_its_kind_is_none(self, found):
        assert (
            of(
                found(
                    self.trees(
                        "apiVersion: ENC[AES256_GCM,data:a]\nkind: ENC[AES256_GCM,data:b]\nmetadata: {name: ENC[c]}\n"
                    )
                ),
                "R22",
            )
            == []
        )

    def test_and_nothing_else(self, found):
        assert of(found(self.trees("kind: Secret\nname: other\n\t: [")), "R14") == ["warning"]


class TestResourceSets:
    SET = (
        "apiVersion: fluxcd.controlplane.io/v1\nkind: ResourceSet\nmetadata: {name: tenants, namespace: flux-system}\n"
        "spec:\n  inputs: [{tenant: lions}]\n  resources:\n  - apiVersion: v1\n    kind: ConfigMap\n"
        "    metadata: {name: tenant-info, namespace: << inputs.tenant >>}\n"
    )

    @pytest.mark.parametrize(("name", "said"), [("tenant-info", []), ("other", ["warning"])])
    def test_names_that_stand_in_it_may_come_out_of_it(self, found, name, said):
        spec = f"postBuild: {{substituteFrom: [{{kind: ConfigMap, name: {name}}}]}}"
        told = found(
            {"clusters/x/z.yaml": several(node("z", "./z", spec), self.SET), "z/a.yaml": config_map("a", "home")}
        )
        assert of(told, "R14") == said

    @pytest.mark.parametrize(("kind", "said"), [("Kustomization", "warning"), ("ConfigMap", "error")])
    def test_a_kustomization_that_it_may_make_is_no_error(self, found, kind, said):
        made = self.SET.replace("kind: ConfigMap", f"kind: {kind}")
        told = found(
            {
                "clusters/x/z.yaml": several(node("z", "./z", "dependsOn: [{name: lions}]"), made),
                "z/a.yaml": config_map("a", "home"),
            }
        )
        assert of(told, "R13") == [said]


class TestNamespaces:
    MADE = several(*(HOME.replace("home", f"made-{number}") for number in range(4)))

    def told(self, found, chart="strange", made=MADE, **more):
        thing = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: wanted}\ndata: {a: b}\n"
        files = {
            "clusters/x/z.yaml": several(
                node("z", "./z", "dependsOn: [{name: y}]"), node("y", "./y", "wait: true"), made
            )
        }
        return of(found(files | {"z/a.yaml": thing, "y/y.yaml": release("a", chart)} | more), "R14")

    def test_one_is_missing_where_the_repository_makes_its_others(self, found):
        assert self.told(found) == ["error"]

    def test_they_may_all_be_made_by_hand(self, found):
        assert self.told(found, made=HOME.replace("home", "made")) == ["warning"]

    def test_a_chart_makes_one_that_is_called_like_it(self, found):
        assert self.told(found, "wanted-operator") == []

    @pytest.mark.parametrize(
        ("values", "said"),
        [
            ("{backup: {namespaces: [wanted]}}", ["error"]),
            ("{resources: [{kind: Namespace, metadata: {name: wanted}}]}", []),
        ],
    )
    def test_values_that_name_one(self, found, values, said):
        assert self.told(found, "strange", **{"y/y.yaml": release("a", "strange", f"values: {values}")}) == said

    def test_a_remote_file_makes_one_that_is_called_like_it(self, found):
        more = {"y/kustomization.yaml": "resources: ['https://raw.example/wanted/all.yaml', y.yaml]\n"}
        assert self.told(found, **more) == []


class TestSources:
    def told(self, found, *sources, ref="b", **more):
        text = release("a", "zzz").replace("kind: HelmRepository, name: a", f"kind: HelmRepository, name: {ref}")
        made = [release(name, "x").partition("---")[0] for name in sources]
        return of(found({"clusters/x/z.yaml": node("z", "./z"), "z/a.yaml": several(text, *made), **more}), "R44")

    def test_one_is_missing_where_the_repository_makes_its_others(self, found):
        assert self.told(found, "one", "two", "three", "four", ref="zebra") == ["error"]

    def test_what_a_kustomization_comes_from_may_be_the_repository_under_another_name(self, found):
        ks = {"clusters/x/k.yaml": node("k", "./k", source="GitRepository home"), "k/a.yaml": config_map("k", "home")}
        assert self.told(found, "one", "two", "three", "four", ref="one", **ks) == ["warning"]

    def test_it_may_be_made_by_hand(self, found):
        assert self.told(found, ref="zebra") == ["warning"]

    def test_one_that_has_no_namespace_is_told_as_that(self, found):
        homeless = release("zebra", "x").partition("---")[0].replace(", namespace: home", "")
        told = self.told(found, "one", "two", "three", "four", ref="zebra", **{"z/b.yaml": homeless})
        assert told == []

    @pytest.mark.parametrize(("owner", "said"), [("h.example/r", "warning"), ("other.example/o", "error")])
    def test_the_repository_of_another_owner_holds_none(self, found, owner, said):
        away = several(git("away", f"https://{owner}/away"), node("away", "./deploy", source="GitRepository away"))
        told = self.told(found, "one", "two", "three", "four", ref="zebra", **{"clusters/x/away.yaml": away})
        assert told == [said]

    def test_a_script_that_names_something_of_that_name(self, found):
        script = {"Taskfile.yaml": "version: '3'\ntasks: {a: {cmds: [kubectl create ns flux-system]}}\n"}
        ks = node("z", "./z", namespace="home")
        assert of(found({"clusters/x/z.yaml": ks, "z/a.yaml": config_map("a", "home"), **script}), "R44") == ["error"]
