"""By what a finding is recognised in another state of its tree: what it says of which file, never the line that it stands on."""

import hashlib
import re
from collections import Counter
from collections.abc import Iterable

from rebirth.findings.places import Places
from rebirth.proof.rules import Finding
from rebirth.proof.rules.finding import tell

_LENGTH = 32  # hexadecimal digits
# How many more there are, and how long something takes, says nothing of what is wrong.
_FIGURES = re.compile(r" ?\(and [\d,]+ more[^)]*\)|(?:;| and| so are)+ [\d,]+ more\b|\b\d[\d,.]*(?= (?:s|dependsOn)\b)")

Subject = tuple[str, ...]


def subject(finding: Finding) -> Subject:
    """The rule, and what is wrong: the things of a cycle, the two ends of a chain, else the words."""
    chain = finding.chain
    if finding.closed:
        return (finding.rule, *sorted({edge.by.label for edge in chain}))
    ends = (chain[0].by.label, chain[-1].needs.label) if chain else ()
    message = finding.message.removesuffix(f": {tell(chain)}") if chain else finding.message
    return (finding.rule, *ends, _FIGURES.sub("", message))


def fingerprints(findings: Iterable[Finding], places: Places) -> list[str]:
    """One a finding, in order, each once in a list: of several that say the same of one file the second is another."""
    seen: Counter[tuple[str, ...]] = Counter()
    found = []
    for finding in findings:
        own = (places.in_repository(finding.place), *subject(finding))
        number = (str(seen[own]),) if seen[own] else ()
        seen[own] += 1
        found.append(hashlib.sha256("\0".join((*own, *number)).encode()).hexdigest()[:_LENGTH])
    return found
