"""Which containers run for real, and which on paper: what lab.yaml says of them, else whether the lab has the image."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from rebirth.paper.workloads import Workload
from rebirth.store.names import name_of


@dataclass(frozen=True)
class Choice:
    """`has`: whether the lab's registry has the image of that name. `real` and `paper`: lab.yaml's lists of images and workloads."""

    has: Callable[[str], bool]
    real: Iterable[str] = ()
    paper: Iterable[str] = ()

    def on_paper(self, image: str, workload: Workload) -> bool:
        """Whether a container of that image, in that workload, is replaced by a stub."""
        names = {workload.name, f"{workload.namespace}/{workload.name}", *names_of(image)}
        if names & set(self.paper):
            return True
        return not (names & set(self.real) or self.has(image))


def names_of(image: str) -> set[str]:
    """Every way in which lab.yaml may name an image: as it is written, or as Docker reads that; with its tag or without."""
    name = name_of(image)
    return {image, str(name), name.repository, image.partition("@")[0].removesuffix(f":{name.tag}")}


def known(images: Iterable[str]) -> Callable[[str], bool]:
    """Whether an image is among those; one that is asked for by digest is another than any that a tag names."""
    there = {str(name_of(image)) for image in images}
    return lambda image: str(name_of(image)) in there
