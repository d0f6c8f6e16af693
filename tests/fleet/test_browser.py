"""The page in a real browser: it opens, filters, follows a running job, shows the numbers of `--json`, at every width, light and dark."""

import json
import shutil
import time

import pytest

from fleet.browser import Browser
from fleet.castles import canaries
from fleet.conftest import eventually
from rebirth.console import Recorder
from rebirth.secrets import Redaction
from report.conftest import COURSE, shifted

pytestmark = pytest.mark.lab


@pytest.fixture
def browser(tmp_path):
    program = shutil.which("chromium")
    assert program, "tests/debian-packages.txt has it"
    made = Browser(program, tmp_path / "profile")
    yield made
    made.close()


@pytest.fixture
def served(fleet, castles):
    """The address of the page of a fleet that has done a check and failed a create of one castle, and has a job that waits."""
    fleet.environment["REBIRTH_BUDGET"] = "4"
    tower, cove = castles("tower", "cove")
    for number in range(12):
        recorder = Recorder(tower / "logs" / f"2027010{number:02}", Redaction())
        for event in shifted(COURSE, number * 3600):
            recorder(event)
        recorder.close()
    fleet.run("add", "check", str(tower), str(cove))
    fleet.run("worker", "--drain")
    fleet.run("add", "create", str(cove))

    def serve(*more):
        process = fleet.start("serve", *more)
        return process.stdout.readline().strip()

    serve.tower, serve.cove = tower, cove
    return serve


def test_the_page(fleet, served, browser):
    address = served()
    browser.open(address)
    assert "token" not in browser.js("location.href"), "the address that is left is one that may be shown"
    check_the_numbers(fleet, browser)
    check_every_width(browser)
    check_the_filter(browser)
    check_it_follows(fleet, browser)
    check_a_job_and_its_castle(fleet, browser)
    assert browser.js("document.querySelector('form[method=post]')") is None, "read-only unless asked"
    own = address.split("?")[0]
    assert all(url.startswith(own) for url in browser.requested if not url.startswith("about:")), browser.requested
    html = browser.js("document.documentElement.outerHTML")
    assert not [value for castle in (served.tower, served.cove) for value in canaries(castle) if value in html]


def check_the_numbers(fleet, browser):
    said = json.loads(fleet.run("status", "--json"))
    rows = browser.js(
        "[...document.querySelectorAll('tbody tr')].map(row => [...row.cells].map(cell => cell.innerText.trim()))"
    )
    shown = {row[0]: row for row in rows}
    assert set(shown) == {job["id"] for job in said["jobs"]}
    for job in said["jobs"]:
        _, castle, state, _, words = shown[job["id"]]
        assert (castle, state.split()[-1], words) == (job["castle"], job["state"], job["why"] or job["told"])
    assert json.loads(browser.js("fetch('/data.json').then(answer => answer.text())"))["jobs"] == said["jobs"]


def check_every_width(browser):
    colours = set()
    for dark in (False, True):
        for width in (400, 1280):
            browser.screen(width, dark=dark)
            assert browser.js("document.documentElement.scrollWidth <= window.innerWidth"), (
                f"it is wider than {width} px"
            )
            size = browser.js("parseFloat(getComputedStyle(document.querySelector('td')).fontSize)")
            assert size >= 12
        colours.add(browser.js("getComputedStyle(document.body).backgroundColor"))
    assert len(colours) == 2
    browser.screen(1280, dark=False)


def check_the_filter(browser):
    browser.js(
        "document.querySelector('select[name=kind]').value = 'create'; document.querySelector('form').requestSubmit(); 0"
    )
    eventually(lambda: browser.js("location.search").count("kind=create"), 10)
    eventually(lambda: browser.js("document.querySelectorAll('tbody tr').length") == 1, 10)
    browser.js("location.href = '/'; 0")
    eventually(lambda: browser.js("document.querySelectorAll('tbody tr').length") == 3, 10)


def check_it_follows(fleet, browser):
    """Without a click: what waits runs, and has ended."""

    def states():
        return browser.js("[...document.querySelectorAll('.state')].map(state => state.className.split(' ')[1])")

    assert "waiting" in states()
    assert "no worker runs" in browser.js("document.querySelector('main').innerText")
    browser.js("window.kept = true; 0")
    fleet.worker("only")
    eventually(lambda: "running" in states(), 30)
    eventually(lambda: "failed" in states(), 60)
    assert browser.js("window.kept"), "it was not loaded anew"


def check_a_job_and_its_castle(fleet, browser):
    browser.js("[...document.querySelectorAll('a')].find(link => link.href.includes('-create-')).click(); 0")
    eventually(lambda: browser.js("document.querySelector('h1')?.innerText ?? ''").count("-create-"), 10)
    text = browser.js("document.querySelector('main').innerText")
    assert "failed" in text
    assert browser.js("document.querySelectorAll('svg').length") == 1, "the timeline of the run that it made"
    browser.js("location.href = '/castle?of=tower'; 0")
    eventually(lambda: browser.js("document.querySelector('h1')?.innerText ?? ''") == "tower", 10)
    assert "12 runs came online" in browser.js("document.querySelector('main').innerText")
    assert "in the median after" in browser.js("document.querySelector('main').innerText")
    assert browser.js("document.querySelectorAll('svg circle').length") == 12
    browser.screen(400, dark=True)
    assert browser.js("document.documentElement.scrollWidth <= window.innerWidth")


def test_a_page_that_may_act_cancels_and_resumes(fleet, served, browser):
    browser.open(served("--may-act"))

    def act(word):
        browser.js(f"[...document.querySelectorAll('button')].find(button => button.innerText == '{word}').click(); 0")
        return eventually(lambda: browser.js("location.pathname").startswith("/job/"), 10)

    act("Cancel")
    job = next(job for job in json.loads(fleet.run("status", "--json"))["jobs"] if job["kind"] == "create")
    assert job["state"] == "cancelled"
    time.sleep(0.2)
    act("Resume")
    eventually(
        lambda: (
            [job["state"] for job in json.loads(fleet.run("status", "--json"))["jobs"] if job["kind"] == "create"]
            == ["waiting"]
        )
    )
