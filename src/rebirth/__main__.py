"""The program: `rebirth`, or `python -m rebirth`."""

import gc
import os
import sys
import threading


def main() -> None:
    """Runs the command line, and leaves with its exit code."""
    gc.set_threshold(100_000, 50, 100)  # what is imported lives to the end: nothing of it is garbage
    from rebirth.cli import main as run

    try:
        run()
    except SystemExit as error:
        _leave(error)
        raise


def _leave(error: SystemExit) -> None:
    """Ends the process without freeing its memory piece by piece first, a fifth of the time of a small check, as mypy does.

    Returns where somebody has yet something to do: a thread that goes on, an output that takes no more.
    """
    if not isinstance(error.code, int) or threading.active_count() > 1:
        return
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except (OSError, ValueError):
        return
    os._exit(error.code)


if __name__ == "__main__":
    main()
