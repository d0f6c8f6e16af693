"""Writes the page of faults: `python -m faults FILE`."""

import sys
from pathlib import Path

from faults.page import document

Path(sys.argv[1]).write_text(document(), encoding="utf-8")
