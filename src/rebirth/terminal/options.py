"""Arguments and options that several commands share, and how their help is shown."""

import os
from collections.abc import Collection
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from typer.core import TyperGroup

from rebirth.errors import SpecError

_CASTLE = "REBIRTH_CASTLE"

HERE = Path()
Directory = Annotated[Path, typer.Argument(help="The castle directory.", envvar=_CASTLE, show_default="here")]
Castle = Annotated[
    Path | None,
    typer.Argument(help=f"The castle directory, or set {_CASTLE}. Default: this one, unless --gitops is given."),
]
GitOps = Annotated[
    Path | None,
    typer.Option(help="A Flux repository on this machine: alone, or instead of the castle's own.", metavar="DIR"),
]
Clusters = Annotated[
    list[str],
    typer.Option(
        "--cluster",
        metavar="DIR",
        help="The folder that Flux starts from, such as clusters/x. May be repeated. Default: found automatically.",
    ),
]
InLab = Annotated[
    bool, typer.Option("--lab", help="Act on the lab, not on the real systems. Starts the lab if it is down.")
]
LabName = Annotated[
    str,
    typer.Option(
        "--lab-name", metavar="NAME", envvar="REBIRTH_LAB_NAME", help="The lab's name. Default: the castle's."
    ),
]
Budget = Annotated[
    float | None,
    typer.Option(min=1, metavar="SECONDS", envvar="REBIRTH_BUDGET", help="Give up after this many seconds."),
]
AcceptLoss = Annotated[
    bool,
    typer.Option("--accept-loss", help="Give up what was on lost or removed machines alone. Said first without it."),
]
Remove = Annotated[
    list[str],
    typer.Option(metavar="NAME", help="Drain and destroy a machine that castle.yaml no longer names. May be repeated."),
]
Unproved = Annotated[bool, typer.Option("--unproved", help="Continue in spite of errors found by `rebirth check`.")]
Format = Annotated[str, typer.Option("--format", metavar="FORM", help="text, or json: every event as a line of JSON.")]
TextOrJson = Annotated[str, typer.Option("--format", metavar="FORM", help="text or json.")]
Outputs = Annotated[
    list[str],
    typer.Option("--output", metavar="FORM=FILE", help="Write another form to a file, too. May be repeated."),
]
Json = Annotated[bool, typer.Option("--json", help="Print the answer as JSON.")]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Print more.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print errors only.")]


def _obey(when: Any) -> Any:
    """Colours are asked for, and forbidden, through the environment, which every part of the program reads."""
    if when == "always":
        os.environ.pop("NO_COLOR", None)
        os.environ["FORCE_COLOR"] = "1"
    elif when == "never":
        os.environ.pop("FORCE_COLOR", None)
        os.environ["NO_COLOR"] = "1"
    return when


Color = Annotated[
    Literal["auto", "always", "never"],
    typer.Option(
        "--color",
        metavar="WHEN",
        envvar="REBIRTH_COLOR",
        is_eager=True,
        callback=_obey,
        help="auto, always or never. NO_COLOR and FORCE_COLOR are honoured, too.",
    ),
]


def meant(castle: Path | None, gitops: Path | None) -> Path | None:
    """The castle directory of a command that may also be asked of a repository alone."""
    named = os.environ.get(_CASTLE)
    return castle or (Path(named) if named and gitops is None else None)


def form(format_: str, as_json: bool) -> str:
    """--json is short for --format json."""
    return "json" if as_json else format_


def outputs(given: list[str], forms: Collection[str]) -> list[tuple[str, Path]]:
    """The values of --output, FORM=FILE each. Raises SpecError."""
    found = []
    for text in given:
        name, equals, file = text.partition("=")
        if name not in forms or not equals or not file:
            raise SpecError(f"--output: {text} is not FORM=FILE", hint=f"FORM is one of {', '.join(forms)}.")
        found.append((name, Path(file)))
    return found


def examples(*lines: str) -> str:
    """The end of a command's help."""
    return "\b\n" + "\n".join(["Examples:", *(f"  {line}" for line in lines)])


def show_help(context: typer.Context) -> None:
    """The help of the command that the arguments name. Raises SpecError where there is none."""
    root = context.find_root()
    command, path = root.command, ["rebirth"]
    for name in context.args:
        found = getattr(command, "commands", {}).get(name)
        if found is None:
            raise SpecError(f"no such command: {' '.join([*path[1:], name])}", hint="`rebirth --help` names them.")
        command, path = found, [*path, name]
    shown = type(context)(command, info_name=" ".join(path), help_option_names=root.help_option_names)
    typer.echo(command.get_help(shown))


class Commands(TyperGroup):
    """All commands: what is said of a flag does not hold the word <bool>."""

    def get_params(self, ctx: Any) -> list[Any]:
        params = super().get_params(ctx)
        _plain(params)
        _plain_flags(self, ctx)
        return params


def _plain_flags(group: Any, ctx: Any) -> None:
    for command in group.commands.values():
        _plain(command.get_params(ctx))
        if hasattr(command, "commands"):
            _plain_flags(command, ctx)


def _plain(params: list[Any]) -> None:
    for param in params:
        if getattr(param, "is_flag", False) or param.name in {"install_completion", "show_completion"}:
            param.metavar = ""
