"""Single mistakes in the example castle: the proof and a model of Flux on virtual time agree on which of them are fatal.

A sample is drawn here; `python bench/agreement.py` goes through all of them, and takes minutes.
"""

import asyncio
import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from proof.flux_model import World
from proof.mutations import mutations
from rebirth.castle import load
from rebirth.proof.prove import prove
from rebirth.proof.rules import Severity

EXAMPLE = Path(__file__).parents[2] / "examples" / "castle"
ALL = list(mutations(EXAMPLE))

_VAULT = "what Vault holds beforehand stands in no file of the castle: the proof takes it as given"
_PRIVATE = (
    "whether an image is private stands in no file: the proof warns where a pull secret is named and nothing makes it"
)
_CHART = "whether a repository has a chart of that name stands in no file: the proof counts it as unknown"
_BLOG, _INFRASTRUCTURE = "gitops/apps/apps/blog.yaml", "gitops/infrastructure"

# Where they do not agree, and why. In each case the model knows more than files tell.
EXPLAINED = {
    f"rename spec.template.spec.imagePullSecrets.0.name in {_BLOG}": _PRIVATE,
    f"remove spec.template.spec.imagePullSecrets in {_BLOG}": _PRIVATE,
    "drop pull secret in blog": _PRIVATE,
    f"remove spec.tls in {_BLOG}": "the ingress controller may have a certificate of its own for every host",
    f"rename spec.data.0.remoteRef.key in {_INFRASTRUCTURE}/auth/admin.yaml": _VAULT,
    f"rename spec.data.0.remoteRef.property in {_INFRASTRUCTURE}/auth/admin.yaml": _VAULT,
    f"rename spec.dataFrom.0.extract.key in {_INFRASTRUCTURE}/configs/blog-tls.yaml": _VAULT,
    "drop handover": _VAULT,
    f"drop Namespace tailscale in {_INFRASTRUCTURE}/namespaces/namespaces.yaml": "the model admits pods of any security level",
    f"rename spec.chart.spec.chart in {_INFRASTRUCTURE}/instances/traefik.yaml": _CHART,
    f"rename spec.chart.spec.chart in {_INFRASTRUCTURE}/operators-data/release.yaml": _CHART,
    f"rename spec.chart.spec.chart in {_INFRASTRUCTURE}/operators-tailscale/release.yaml": _CHART,
}


def compare(mutation, castle):
    """Whether both say the same of the changed castle, and what each says."""
    world = World(castle)
    finished = world.run()
    done = asyncio.run(prove(castle / "gitops", castle=load(castle), directory=castle))
    errors = [f"{f.rule} {f.message}" for f in done.findings if f.severity is Severity.ERROR]
    waiting = {name[2]: why for name, why in world.why.items() if why and "dependency" not in why}
    said = f"{mutation}: the model is done after {finished} s, and the proof says {errors or 'nothing'}; waiting: {waiting}"
    return (finished is None) == bool(errors), said


def agree(mutation, scratch):
    castle = scratch / "castle"
    shutil.rmtree(castle, ignore_errors=True)
    shutil.copytree(EXAMPLE, castle, ignore=shutil.ignore_patterns("logs", ".rebirth"))
    mutation.apply(castle)
    agreed, said = compare(mutation, castle)
    assert agreed, said


def test_the_example_castle_is_done_and_proved(tmp_path):
    class Nothing:
        def apply(self, castle):
            pass

    agree(Nothing(), tmp_path)


@given(st.sampled_from([mutation for mutation in ALL if mutation.name not in EXPLAINED]))
@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_mutation_is_fatal_for_both_or_for_none(tmp_path, mutation):
    agree(mutation, tmp_path)


@pytest.mark.parametrize("name", EXPLAINED)
def test_what_is_explained_still_stands(name):
    assert name in {mutation.name for mutation in ALL}, "the mutation is gone; so is its explanation"
