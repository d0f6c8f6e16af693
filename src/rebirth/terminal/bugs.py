"""A bug of ours, in words that hold no secret: neither its message nor any value."""

import traceback
from pathlib import Path
from tempfile import NamedTemporaryFile

_OURS = Path(__file__).parents[1]


def where(error: Exception) -> str:
    """Its type, and the line of the product that it came from."""
    frames = traceback.extract_tb(error.__traceback__)
    frame = ([frame for frame in frames if _OURS in Path(frame.filename).parents] or frames)[-1]
    return f"internal error ({type(error).__name__} in {Path(frame.filename).name}:{frame.lineno})"


def trace_of(error: Exception) -> str:
    """Writes the frames to a file, and says where; nothing where no file can be written."""
    try:
        with NamedTemporaryFile("w", prefix="rebirth-", suffix=".trace", delete=False, encoding="utf-8") as file:
            file.write("".join(traceback.format_tb(error.__traceback__)) + type(error).__name__ + "\n")
    except OSError:
        return ""
    return f" with the trace in {file.name}"
