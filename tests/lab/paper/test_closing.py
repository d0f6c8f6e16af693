"""The end of `create --lab`; with a command that was inside it is shown by tests/lab/test_on_paper.py."""

import json

from rebirth.lab.paper.closing import joined


def test_the_answer_in_json_has_what_ran_on_paper():
    assert json.loads(joined('{"version": 1}', {"paper": []})) == {"version": 1, "lab": {"paper": []}}


def test_what_is_no_answer_is_handed_on():
    assert joined("", {"paper": []}) == ""
    assert joined("interrupted", {}) == "interrupted"
