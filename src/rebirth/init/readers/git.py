"""A git checkout: where it was cloned from, and its branch."""

import re
from configparser import ConfigParser, Error
from pathlib import Path

from rebirth.init.folder import Folder
from rebirth.init.found import ASSUMED, Found
from rebirth.repository import BESIDE

_SSH = re.compile(r"(?:ssh://)?(?:[\w.-]+@)(?P<host>[\w.-]+)(?::\d+/|[:/])(?P<path>[^:]+)")
_HEAD = "ref: refs/heads/"


def read(folder: Folder, found: Found) -> None:
    """Only of a repository that Flux may follow: a remote with a password in its URL is none."""
    for root in (folder.root / BESIDE, folder.root):
        _read(folder, root / ".git", found)


def _read(folder: Folder, git: Path, found: Found) -> None:
    config = ConfigParser(strict=False, interpolation=None)
    try:
        config.read_string(re.sub(r"(?m)^[ \t]+", "", (git / "config").read_text(encoding="utf-8")))
        head = (git / "HEAD").read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError, Error):
        return
    url, where = config.get('remote "origin"', "url", fallback=""), folder.shown(git / "config")
    if written := _SSH.fullmatch(url):
        found.say(
            "gitops.repository", f"https://{written['host']}/{written['path']}", f"{ASSUMED}{where} has it over SSH"
        )
    elif re.fullmatch(r"https://[^@\s]+", url):
        found.say("gitops.repository", url, where)
    if url and head.startswith(_HEAD):
        found.say("gitops.branch", head.removeprefix(_HEAD), folder.shown(git / "HEAD"))
