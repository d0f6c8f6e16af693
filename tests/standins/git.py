"""A stand-in of git: one repository with one branch, as far as `git clone` and `git rev-parse` go."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from standins.programs import Call, Exit

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@dataclass
class Git:
    branch: str
    files: Mapping[str, str] = field(default_factory=dict)  # path -> text

    async def __call__(self, call: Call) -> str:
        argv = call.argv[call.argv.index("git") :]
        if "clone" not in argv:
            return COMMIT + "\n" if "rev-parse" in argv else f"{COMMIT}\trefs/heads/{self.branch}\n"
        if (asked := call.option("--branch")) != self.branch:
            raise Exit(
                128, f"warning: Could not find remote branch {asked} to clone.\nfatal: Remote branch {asked} not found"
            )
        folder = Path(argv[-1])
        folder.mkdir(parents=True)
        for path, text in self.files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text)
        return ""
