"""What can start when, on graphs made by hand."""

from pathlib import Path

from rebirth.plan import drawing, schedule, times
from rebirth.proof import durations
from rebirth.proof.graph import Graph
from rebirth.proof.reading.manifest import Model, Unit
from rebirth.proof.things import NOWHERE, Atomicity, Milestone, Need, Place, Thing


def node(name, milestone=Milestone.READY):
    return Thing("Kustomization", "ns", name, milestone)


def thing(kind, name, milestone=Milestone.EXISTS):
    return Thing(kind, "ns", name, milestone)


class Bench:
    """A graph of Flux nodes: bench.node("a", takes=3), bench.depends("b", "a"), bench.makes("a", secret)."""

    def __init__(self):
        self.graph, self.model = Graph(), Model(Path("/"))

    def node(self, name, takes=1.0, *, known=True):
        applied, ready = node(name, Milestone.APPLIED), node(name)
        self.model.units.append(Unit(applied, ready, Atomicity.FLUX, Place("/x.yaml", 1), known=known))
        self.graph.needs(ready, applied, Need.HEALTH, NOWHERE)
        self.graph.edges.setdefault(applied, [])
        self.graph.seconds[applied] = takes

    def depends(self, one, other):
        self.graph.needs(node(one, Milestone.APPLIED), node(other), Need.DEPENDS_ON, Place(f"/{one}.yaml", 1))

    def makes(self, name, made):
        self.graph.makes(node(name, Milestone.APPLIED), made, NOWHERE)

    def uses(self, name, used, need=Need.SECRET):
        self.graph.wanted(used)
        self.graph.needs(node(name, Milestone.APPLIED), used, need, NOWHERE)

    def plan(self):
        return schedule.plan(self.model, self.graph)


def shown(plan):
    return [(n.label.rpartition("/")[2], n.wave, n.start, n.ready, n.after.rpartition("/")[2]) for n in plan.nodes]


def test_a_node_starts_when_the_last_that_it_needs_is_ready():
    bench = Bench()
    for name, takes in (("a", 2), ("b", 5), ("c", 1)):
        bench.node(name, takes)
    bench.depends("c", "a")
    bench.depends("c", "b")
    plan = bench.plan()
    assert shown(plan) == [("a", 1, 0, 2, ""), ("b", 1, 0, 5, ""), ("c", 2, 5, 6, "b")]
    assert [(step.label.rpartition("/")[2], step.seconds) for step in plan.longest] == [("b", 5), ("c", 1)]
    assert (plan.total, plan.online) == (6, None)
    assert plan.nodes[2].starts_after == ("Kustomization ns/a", "Kustomization ns/b")


def test_what_lies_between_two_nodes_counts_for_them():
    bench = Bench()
    bench.node("a", 2)
    bench.node("b", 1)
    made, secret = thing("ExternalSecret", "s"), thing("Secret", "s", Milestone.MATERIALISED)
    bench.makes("a", made)
    bench.graph.makes(made, secret, NOWHERE)
    bench.graph.seconds[secret] = 4
    bench.uses("b", secret)
    plan = bench.plan()
    assert shown(plan) == [("a", 1, 0, 2, ""), ("b", 2, 6, 7, "a")]
    assert [(step.label, step.seconds) for step in plan.longest] == [
        ("Kustomization ns/a", 2),
        ("Secret ns/s", 4),
        ("Kustomization ns/b", 1),
    ]


def test_of_several_makers_the_first_counts():
    bench = Bench()
    for name, takes in (("slow", 9), ("fast", 2), ("user", 1)):
        bench.node(name, takes)
    secret = thing("Secret", "s")
    bench.makes("slow", secret)
    bench.makes("fast", secret)
    bench.uses("user", secret)
    assert shown(bench.plan())[-1] == ("user", 2, 2, 3, "fast")


def held(bench):
    return [(h.node.rpartition("/")[2], h.by.rpartition("/")[2], h.seconds) for h in bench.plan().held]


def test_a_wait_that_no_use_requires():
    bench = Bench()
    for name, takes in (("a", 2), ("b", 5), ("c", 1)):
        bench.node(name, takes)
    for other in ("a", "b"):
        bench.depends("c", other)
    secret = thing("Secret", "s")
    bench.makes("a", secret)
    bench.uses("c", secret)
    assert held(bench) == [("c", "b", 3)]


def test_a_wait_is_needed_where_something_between_needs_it():
    bench = Bench()
    for name in ("a", "b", "c"):
        bench.node(name)
    bench.depends("c", "a")  # c uses what b makes, and b waits for a
    bench.depends("b", "a")
    secret = thing("Secret", "s")
    bench.makes("a", thing("Secret", "t"))
    bench.uses("b", thing("Secret", "t"))
    bench.makes("b", secret)
    bench.uses("c", secret)
    assert held(bench) == []


def test_nothing_is_said_of_nodes_that_are_not_known_or_stand_on_something_strange():
    for known, strange in ((False, False), (True, True)):
        bench = Bench()
        bench.node("a")
        bench.node("b", known=known)
        bench.depends("b", "a")
        if strange:
            bench.uses("b", thing("Secret", "of whom"))
        plan = bench.plan()
        assert plan.held == ()
        assert [t.name for t in plan.assumed] == ["of whom"] * strange
        assert not plan.never


def test_a_source_that_lies_elsewhere_hides_nothing():
    bench = Bench()
    bench.node("a")
    bench.node("b")
    bench.depends("b", "a")
    bench.uses("b", thing("GitRepository", "elsewhere"), Need.SOURCE)
    assert held(bench) == [("b", "a", 1)]


def test_what_waits_for_itself_never_starts():
    bench = Bench()
    for name in ("a", "b", "c"):
        bench.node(name)
    bench.depends("a", "b")
    bench.depends("b", "a")
    plan = bench.plan()
    assert [n.label for n in plan.never] == ["Kustomization ns/a", "Kustomization ns/b"]
    assert shown(plan)[0] == ("c", 1, 0, 1, "")


def test_nothing_at_all():
    plan = Bench().plan()
    assert (plan.nodes, plan.longest, plan.total) == ((), (), 0)


def test_names_are_quoted_in_drawings():
    names, arrows = ['a "b" \\ #|'], [drawing.Arrow('a "b" \\ #|', 'a "b" \\ #|', "to start")]
    assert '"a \\"b\\" \\\\ #|" -> ' in drawing.dot(names, arrows)
    assert 'n0["a #quot;b#quot; \\ #35;#124;"]' in drawing.mermaid(names, arrows)


def test_times_of_thumb_fill_what_no_source_knows():
    graph = Graph()
    job, own = thing("Job", "j", Milestone.READY), thing("Job", "own", Milestone.READY)
    phase = Thing("phase", "", "boot_machines", Milestone.APPLIED)
    for item in (job, own, phase):
        graph.edges.setdefault(item, [])
    graph.seconds[own] = 3
    times.predict(graph, times.Measured(), set())
    assert graph.seconds == {own: 3, job: durations.READY["Job"], phase: durations.usual(phase)}
