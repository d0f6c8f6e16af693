"""What of a castle ran for real in the lab, and what on paper: by workload, from what its pods say."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from rebirth.lab.paper.pods import MARK, Object, marked
from rebirth.paper.workloads import workload_of

_MOST = 30  # workloads that are named one by one


@dataclass(frozen=True)
class Ran:
    """A workload: the images of its containers that ran, and those that stubs stood in for."""

    kind: str
    namespace: str
    name: str
    real: tuple[str, ...]
    paper: tuple[str, ...]


def workloads(pods: Iterable[Object]) -> list[Ran]:
    """By namespace and name; what never started is in none."""
    found: dict[tuple[str, str, str], tuple[set[str], set[str]]] = {}
    for pod in pods:
        workload = workload_of(dict(pod))
        real, paper = found.setdefault((workload.kind, workload.namespace, workload.name), (set(), set()))
        stubs = marked(pod)
        paper |= set(stubs.values())
        real |= {image for name, image in _started(pod) if name not in stubs}
    rows = [Ran(*workload, tuple(sorted(real)), tuple(sorted(paper))) for workload, (real, paper) in found.items()]
    return sorted((row for row in rows if row.real or row.paper), key=lambda row: (row.namespace, row.kind, row.name))


def _started(pod: Object) -> Iterator[tuple[str, str]]:
    """Container and image."""
    images = {
        one["name"]: one["image"] for part in ("initContainers", "containers") for one in pod["spec"].get(part) or ()
    }
    for part in ("initContainerStatuses", "containerStatuses"):
        for status in (pod.get("status") or {}).get(part) or ():
            if status.get("containerID") and status["name"] in images:
                yield status["name"], images[status["name"]]


def data(ran: Sequence[Ran], sites: Mapping[str, str], awaited: tuple[str, str, str] | None = None) -> dict[str, Any]:
    """As `--json` has it. `sites`: URL -> the image in whose place a stub answered; `awaited`: the workload that online means."""
    paper = [one for one in ran if one.paper]
    on_paper = [{"url": url, "image": image} for url, image in sites.items()]
    return {
        "real": [_row(one.kind, one.namespace, one.name, one.real) for one in ran if not one.paper],
        "paper": [asdict(one) for one in paper],
        "sites_on_paper": on_paper,
        "online_on_paper": bool(on_paper) or awaited in {(one.kind, one.namespace, one.name) for one in paper},
    }


def _row(kind: str, namespace: str, name: str, images: Sequence[str]) -> dict[str, Any]:
    return {"kind": kind, "namespace": namespace, "name": name, "images": list(images)}


def lines(report: Mapping[str, Any], *, online: bool) -> list[str]:
    """The same for people, below what a run said that ended `online` or not; nothing where everything was real."""
    paper, real = report.get("paper", []), report.get("real", [])
    if not paper:
        return []
    said = [""]
    if online and report["online_on_paper"]:
        said.append("online (on paper)")
    said += [f"{site['url']} is answered in the place of {site['image']}" for site in report["sites_on_paper"]]
    said.append(f"{len(paper)} of {len(paper) + len(real)} workloads ran on paper, the others for real:")
    rows = [(f"{one['kind']} {one['namespace']}/{one['name']}", one) for one in paper[:_MOST]]
    wide = max(len(title) for title, _ in rows)
    for title, one in rows:
        partly = f" (for real: {', '.join(one['real'])})" if one["real"] else ""
        said.append(f"  {title:{wide}}  {', '.join(one['paper'])}{partly}")
    if len(paper) > _MOST:
        said.append(f"  and {len(paper) - _MOST} more (--json names them)")
    said.append(f"The lab does not have their images. In the cluster: kubectl get pods -A -l {MARK}")
    return said
