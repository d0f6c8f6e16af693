"""What a castle uses and neither the lab nor the store has: said before anything is started."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rebirth.fetch.things import Artifact, Chart, Git
from rebirth.fetch.wanted import Wanted
from rebirth.lab.outside.offered import Offered
from rebirth.store.names import OCI

_NAMED = 3  # of a kind; the others are counted


@dataclass(frozen=True)
class Missing:
    charts: tuple[str, ...] = ()  # stand-ins are served
    images: tuple[str, ...] = ()  # their containers run on paper
    sources: tuple[str, ...] = ()  # what needs them does not come up

    @property
    def lines(self) -> Iterator[str]:
        """For people."""
        kinds = (
            (self.charts, "chart", "stand-ins are served, made of what is known of them"),
            (self.images, "image", "containers that need them run on paper"),
            (self.sources, "source", "what needs them does not come up"),
        )
        for names, kind, what in kinds:
            if names:
                more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
                yield f"missing {kind}s ({what}): {', '.join(names[:_NAMED])}{more}"
        if self.charts or self.images or self.sources:
            yield "`rebirth fetch` brings what can be had, images with --images all"


def missing(wanted: Wanted, offered: Offered) -> Missing:
    charts = [
        one for one in wanted.things if isinstance(one, Chart) and not offered.chart(one.url, one.name, one.version)
    ]
    return Missing(
        tuple(one.label.removeprefix("chart ") for one in charts),
        tuple(str(one.name) for one in wanted.images if not offered.image(str(one.name))),
        tuple(_sources(wanted.sources, offered)),
    )


def _sources(things: Sequence[object], offered: Offered) -> Iterator[str]:
    for one in things:
        if isinstance(one, Git) and offered.store.git(one.url) is None:
            yield one.label
        elif isinstance(one, Artifact):
            is_chart = offered.chart(f"{OCI}{one.repository}", "", one.digest or one.semver or one.tag) is not None
            if not is_chart and not offered.store.tags(one.repository):
                yield one.label
