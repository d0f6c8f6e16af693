"""What `check` and `rehearse` say of mistakes: for the tests, and for the table in docs/mistakes.md."""

import re
from dataclasses import dataclass

from rebirth.checking import Asked, proved
from rebirth.findings.places import Places
from rebirth.proof.prove import prove
from rebirth.proof.rules import Severity
from rebirth.rehearse import rehearsal
from rebirth.rehearse.telling import DROPPED
from rehearse.mistakes import NAME, lay, lay_together


@dataclass(frozen=True)
class Told:
    by: str  # a rule, or rehearse
    place: tuple[str, int]  # file in the repository, and line
    message: str
    advice: str

    @property
    def words(self) -> str:
        return f"{self.message}{'' if self.message.endswith('?') else '.'} {self.advice}"


async def checked(mistake, root) -> list[Told]:
    """Errors and warnings of `check`, the gravest first."""
    lay(root)
    if mistake is not None:
        mistake.apply(root)
    places = Places(asked=root, here=root)
    return [
        Told(found.rule, (places.file(found.place), places.line(found.place)), found.message, f"{found.why} {found.instead}")
        for found in (await prove(root)).findings
        if found.severity is not Severity.INFO
    ]  # fmt: skip


async def rehearsed(mistakes, root, tell=lambda _: None) -> dict[str, list[Told]]:
    """What one rehearsal of all these mistakes says, by the mistake's name; "" for what belongs to none."""
    names = lay_together(root, mistakes)
    back = {name: mistake for mistake, name in names.items()}
    toolchain, programs = await rehearsal.programs(tell)
    found: dict[str, list[Told]] = {name: [] for name in ("", *names)}
    async with proved(Asked(None, root, ["clusters/all"])) as done:
        seen = await rehearsal.rehearse(done, toolchain, programs, rehearsal.Options(budget=300), tell)
        places = Places(asked=root, here=root)
        told = [(stop.place, str(stop.cause), stop.hint) for stop in seen.stops]
        told += [(one.place, f"{one.key[0]} {one.key[1]}/{one.key[2]}: {one.message}", DROPPED) for one in seen.dropped]
        for place, message, advice in told:
            where = places.file(place)
            which = next((name for name in back if re.search(rf"\b{name}\b", f"{where} {message}")), "")
            plain = [re.sub(rf"\b{which}\b", NAME, text) if which else text for text in (where, message, advice)]
            found[back.get(which, "")].append(Told("rehearse", (plain[0], places.line(place)), plain[1], plain[2]))
    return found
