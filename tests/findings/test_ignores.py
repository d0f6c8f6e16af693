"""What is ignored, by a comment or by an entry, and what is said of ignores that do not count."""

import pytest

from rebirth.errors import SpecError
from rebirth.findings.ignores import comments
from trees import change, lay, write


def told(verdict):
    return [(finding.rule, finding.severity) for finding in verdict.findings]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("    - name: b", "    - name: b # rebirth: ignore R13 b is made by hand"),
        ("    - name: b", "    # rebirth: ignore R13 - b is made by hand\n    - name: b"),
        ("    - name: b", "    # rebirth: ignore R13: b is made by hand\n    # as of old\n    - name: b"),
        ("    - name: b", "    # rebirth: ignore R07, R13 b is made by hand\n    - name: b"),
    ],
)
def test_a_comment_at_the_place_of_the_finding(circle, judged, old, new):
    change(circle, "clusters/x/a.yaml", old, new)
    verdict, _ = judged(circle)
    assert not verdict.impossible
    ((finding, ignore),) = verdict.ignored
    assert finding.rule == "R13"
    assert ignore.reason == "b is made by hand"


def test_a_comment_at_another_link_of_the_chain_does_not_count(circle, judged):
    change(circle, "clusters/x/b.yaml", "    - name: a", "    - name: a # rebirth: ignore R13 for the test")
    verdict, _ = judged(circle)
    assert told(verdict) == [("R13", "error"), ("R00", "info")]
    assert "matches nothing" in verdict.findings[1].message


def test_another_rule_is_not_meant(circle, judged):
    change(circle, "clusters/x/a.yaml", "    - name: b", "    - name: b # rebirth: ignore R03 for the test")
    verdict, places = judged(circle)
    assert told(verdict) == [("R13", "error"), ("R00", "info")]
    assert places.text(verdict.findings[1].place) == "clusters/x/a.yaml:8"


def test_without_a_reason_it_does_not_count(circle, judged):
    change(circle, "clusters/x/a.yaml", "    - name: b", "    - name: b # rebirth: ignore R13")
    verdict, _ = judged(circle)
    assert told(verdict) == [("R13", "error"), ("R00", "warning")]
    assert "no reason" in verdict.findings[1].message


@pytest.mark.parametrize(
    ("words", "said"),
    [("R20 because", "names R20: no such rule"), ("because", "names none: no such rule")],
)
def test_a_rule_that_is_none(tmp_path, judged, words, said):
    root = lay(tmp_path, a="")
    change(root, "clusters/x/a.yaml", "  interval", f"  # rebirth: ignore {words}\n  interval")
    verdict, _ = judged(root)
    assert told(verdict) == [("R00", "warning")]
    assert said in verdict.findings[0].message


@pytest.mark.parametrize(
    ("where", "counts"), [("clusters/*", True), ("*/a.yaml", True), ("*", True), ("apps/*", False)]
)
def test_an_entry_of_the_repository(circle, judged, where, counts):
    entry = f'check:\n  ignore:\n    - {{rule: R13, where: "{where}", reason: made by hand}}\n'
    write(circle, ".rebirth.yaml", f"# ours\n{entry}")
    verdict, places = judged(circle)
    assert verdict.impossible is not counts
    if counts:
        assert verdict.ignored[0][1].reason == "made by hand"
        assert not verdict.findings
    else:
        assert places.text(verdict.findings[1].place) == ".rebirth.yaml:4"


def test_an_entry_without_a_reason_is_a_mistake(circle, judged):
    write(circle, ".rebirth.yaml", "check: {ignore: [{rule: R13}]}\n")
    with pytest.raises(SpecError, match=r"\.rebirth\.yaml:1: check\.ignore\[0\]\.reason: is missing"):
        judged(circle)


def test_words_in_a_text_are_no_comment(tmp_path):
    file = write(tmp_path, "a.yaml", "a: rebirth: ignore R13 because\nb: x#rebirth: ignore R13 because\n")
    assert list(comments([str(file)])) == []


def test_a_file_that_is_not_there_or_no_text(tmp_path):
    (tmp_path / "b.yaml").write_bytes(b"\xff\xfe # rebirth: ignore R13 because \xff")
    found = list(comments([str(tmp_path / "no.yaml"), str(tmp_path / "b.yaml")]))
    assert [ignore.rules for ignore in found] == [{"R13"}]
