"""What fails each time it is tried is neither taken for work, nor asked again and again without a pause."""

import asyncio

from rebirth.diagnosis.cause import Outlook
from rebirth.diagnosis.flux_graph import FluxGraph
from rebirth.errors import NotYet
from rebirth.run.waiting import now
from standins.controllers import Flux

KUSTOMIZE = "kustomize.toolkit.fluxcd.io/v1"
SAID = 'Widget/default/x dry-run failed: no matches for kind "Widget" in version "example.org/v1"'
WEB = ("Kustomization", "flux-system", "web")


async def test_what_fails_at_each_try(inside):
    inside.serve("kustomize.toolkit.fluxcd.io", "v1", "Kustomization")
    inside.serve("helm.toolkit.fluxcd.io", "v2", "HelmRelease")
    inside.kubernetes.put({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "flux-system"}})
    flux = Flux(
        lambda name: SAID, after=3.0
    )  # still at work when it is looked at for the first time after it was asked
    inside.kubernetes.controllers.append(flux)
    meta = {"name": "web", "namespace": "flux-system"}
    inside.kubernetes.put(
        {"apiVersion": KUSTOMIZE, "kind": "Kustomization", "metadata": meta, "spec": {"path": "./web"}}
    )
    graph, seen = FluxGraph(inside.cluster, WEB, again=2.0), []

    async def watch():
        until = now() + 60
        while now() < until:
            try:
                await graph.look()
            except NotYet:
                seen.append([(cause.message, cause.outlook) for cause in graph.why.get(WEB, [])])
            await asyncio.sleep(0.5)

    await inside.run(watch())
    assert all(one == [(SAID, Outlook.STUCK)] for one in seen[20:])
    assert 4 <= len(flux.asked) <= 8
