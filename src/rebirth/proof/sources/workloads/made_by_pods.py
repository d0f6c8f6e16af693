"""Secrets that pods make themselves: certificates of webhooks that a Job generates, keys that a controller invents."""

from rebirth.proof.charts import knowledge
from rebirth.proof.graph import Graph
from rebirth.proof.reading import pods
from rebirth.proof.reading.manifest import Model, thing
from rebirth.proof.things import Milestone


def read(model: Model, graph: Graph) -> None:
    for found in pods.every(model):
        for part, index, container in found.containers():
            for made in knowledge.made_by_pod(container, found.namespace):
                place = found.place(part, index, "image")
                of = thing(made.kind, made.namespace, made.name, Milestone.MATERIALISED)
                graph.makes(found.thing, of, place, f"made by the pods of {found.manifest.kind} {found.manifest.name}")
                graph.makes(found.thing, of._replace(milestone=Milestone.EXISTS), place)
                graph.holds(of, made.keys, place)
