"""JUnit's XML, which continuous integration reads as the report of a test run: written here for `check` and `rehearse`.

As the schema of Jenkins' plugin has it (jenkinsci/xunit-plugin, junit-10.xsd): a case has at most one failure, and its output.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from xml.etree import ElementTree as ET

from rebirth.findings.pages import pages
from rebirth.findings.places import Places
from rebirth.findings.text import Text
from rebirth.findings.verdict import Verdict
from rebirth.proof.rules import Finding, Severity

_WIDTH = 120  # columns of a finding's text
_FORBIDDEN = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # characters that XML has not


@dataclass(frozen=True)
class Case:
    group: str
    name: str
    seconds: float | None = None
    failure: str | None = None  # one line; None: it passed
    details: str = ""  # of the failure
    output: str = ""


def suite(name: str, cases: Iterable[Case], seconds: float | None = None) -> str:
    """A report with one suite."""
    shown = [*cases]
    failed = sum(case.failure is not None for case in shown)
    counts = {"tests": str(len(shown)), "failures": str(failed), "errors": "0"}
    root = ET.Element("testsuite", _clean({"name": name} | counts | _time(seconds)))
    for case in shown:
        entry = ET.SubElement(root, "testcase", _clean({"classname": case.group, "name": case.name}))
        entry.attrib |= _time(case.seconds)
        if case.failure is not None:
            ET.SubElement(entry, "failure", _clean({"message": case.failure})).text = _text(case.details) or None
        if case.output:
            ET.SubElement(entry, "system-out").text = _text(case.output)
    return ET.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _clean(attributes: dict[str, str]) -> dict[str, str]:
    return {name: _text(value) for name, value in attributes.items()}


def _text(words: str) -> str:
    return _FORBIDDEN.sub("?", words)


def _time(seconds: float | None) -> dict[str, str]:
    return {} if seconds is None else {"time": f"{seconds:.1f}"}


def render(verdict: Verdict, places: Places, *, strict: bool = False) -> str:
    """A case a finding, and one for each rule that found nothing; what is no failure is in a case that passed."""
    fatal = {Severity.ERROR, Severity.WARNING} if strict else {Severity.ERROR}
    return suite("rebirth check", _cases(verdict, places, fatal))


def _cases(verdict: Verdict, places: Places, fatal: set[Severity]) -> Iterator[Case]:
    by_rule: dict[str, list[Finding]] = {}
    for finding in verdict.findings:
        by_rule.setdefault(finding.rule, []).append(finding)
    text = Text(places, width=_WIDTH)
    for page in pages():
        title = f"{page.id} {page.title.rstrip('.')}"
        for finding in by_rule.get(page.id, ()):
            place = places.text(finding.place)
            words = "\n".join(text.finding(finding, verbose=True))
            failed = finding.severity in fatal
            yield Case(
                page.slug,
                f"{title} ({place})" if place else title,
                failure=finding.message if failed else None,
                details=words if failed else "",
                output="" if failed else words,
            )
        if page.id not in by_rule:
            yield Case(page.slug, title)
