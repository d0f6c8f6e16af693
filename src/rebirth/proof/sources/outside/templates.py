"""Templates of External Secrets: functions that its engine does not have, or that are called with another number of values.

Of functions whose number of arguments is fixed the number is known (external-secrets/external-secrets runtime/template/v2, and the sprig that it
has in its own tree). A function that may be newer than what was read is not judged.
"""

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from rebirth.proof.charts import knowledge, releases
from rebirth.proof.charts.chart_values import numbers
from rebirth.proof.graph import Graph
from rebirth.proof.reading.manifest import Manifest, Model
from rebirth.proof.sources import external_secrets
from rebirth.proof.things import Atomicity

_Path = tuple[str | int, ...]
# Functions by the number of values that they take, what comes through a pipe included.
_BY_NUMBER = {
    0: "now uuidv4",
    1: (
        "atoi b32dec b32enc b64dec b64enc base bcrypt camelcase ceil clean dir ext float64 floor fromJson fromYaml initials int int64 isAbs "
        "jwkPrivateKeyPem jwkPublicKeyPem kebabcase lower nospace randAlpha randAlphaNum randAscii randBytes randNumeric sha1sum sha256sum "
        "sha512sum snakecase sortAlpha swapcase title toDecimal toJson toPrettyJson toRawJson toString toYaml trim untitle upper urlJoin urlParse"
    ),
    2: (
        "abbrev contains decryptAES encryptAES filterPEM hasKey hasPrefix hasSuffix indent join kindIs nindent regexFind regexMatch repeat "
        "splitList trimAll trimPrefix trimSuffix trimall trunc typeIs unset wrap"
    ),
    3: "abbrevboth regexFindAll regexReplaceAll regexReplaceAllLiteral regexSplit replace set splitn substr ternary",
}
_TAKES = {name: number for number, names in _BY_NUMBER.items() for name in names.split()}
_HTPASSWD = "htpasswd"  # two of them, then three: external-secrets/external-secrets#5747, between these versions
_TWO_BEFORE, _THREE_SINCE = (1, 2), (2,)
_OF_HELM = frozenset(
    {"include", "tpl", "lookup", "required", "env", "expandenv"}
)  # Helm's own, and what is left out of sprig
_WORDS = frozenset({"if", "else", "end", "range", "with", "define", "template", "block", "break", "continue"})
_LITERALS = frozenset({"true", "false", "nil"})
_TOKEN = re.compile(
    r"""\s+|(?P<end>-?\}\})|(?P<text>"(?:\\.|[^"\\\n])*"|`[^`]*`|'(?:\\.|[^'\\\n])+')|(?P<mark>:=|=|\||\(|\)|,)|(?P<word>[^\s|()"`'},=:]+)"""
)


class Call(NamedTuple):
    function: str
    values: int


def read(model: Model, graph: Graph) -> None:
    version = _version(model)
    for member, unit in model.objects("ExternalSecret", "ClusterExternalSecret"):
        if member.group != external_secrets.GROUP or (unit.atomicity is Atomicity.HELM and not unit.known):
            continue
        for path, text in _templates(member):
            if problem := next((words for call in calls(text) if (words := _wrong(call, version))), ""):
                words = f"a template of {member.thing().label} cannot be executed: {problem}"
                graph.remark("template-fails", member.place(*path), words, member.thing())


def _version(model: Model) -> tuple[int, ...]:
    """Of External Secrets; () where it is not known, or where there are several."""
    found = set()
    for unit in model.units:
        chart = (
            releases.chart_of(model, unit.own) if unit.own is not None and unit.atomicity is Atomicity.HELM else None
        )
        if chart and (known := knowledge.of_chart(chart.name, None)) and known.name == "external-secrets":
            found.add(numbers(chart.version))
    return found.pop() if len(found) == 1 else ()


def _templates(member: Manifest) -> Iterator[tuple[_Path, str]]:
    start: _Path = ("spec", "externalSecretSpec") if member.kind == "ClusterExternalSecret" else ("spec",)
    inside: _Path = (*start, "target", "template")
    if str(member.at(*inside, "engineVersion") or "v2") != "v2":
        return
    for field in (("data",), ("metadata", "annotations"), ("metadata", "labels")):
        for key, text in member.mapping(*inside, *field).items():
            if isinstance(text, str):
                yield (*inside, *field, str(key)), text
    for index, one in enumerate(member.items(*inside, "templateFrom")):
        if isinstance(one, Mapping) and isinstance(text := one.get("literal"), str):
            yield (*inside, "templateFrom", index, "literal"), text


def _wrong(call: Call, version: tuple[int, ...]) -> str:
    """Why a call fails; "" where it does not, or where that is not known."""
    if call.function in _OF_HELM:
        return f"External Secrets has no function {call.function}"
    wants = _TAKES.get(call.function)
    if call.function == _HTPASSWD:
        wants = 3 if version >= _THREE_SINCE else 2 if version and version < _TWO_BEFORE else None
    if wants is None or wants == call.values:
        return ""
    now = (
        f" since External Secrets {'.'.join(map(str, _THREE_SINCE))}"
        if call.function == _HTPASSWD and wants > call.values
        else ""
    )
    return f"{call.function} takes {wants}{now}, and gets {call.values}"


def calls(text: str) -> Iterator[Call]:
    """Every call of a function in the actions of a Go template; nothing of an action that cannot be read."""
    at = 0
    while (at := text.find("{{", at)) >= 0:
        at += 2
        if text.startswith("-", at) and text[at + 1 : at + 2].isspace():
            at += 1
        tokens, at = _tokens(text, at)
        if tokens and not tokens[0].startswith("/*"):
            found: list[Call] = []
            if _pipeline(tokens, 0, found) == len(tokens):
                yield from found


def _tokens(text: str, at: int) -> tuple[list[str], int]:
    """The tokens of an action up to its end, and where that is; none where it has no end."""
    found: list[str] = []
    while (match := _TOKEN.match(text, at)) is not None:
        field = text[at - 1] == ")" and match[0].startswith(".")  # of what stands in the parentheses
        at = match.end()
        if match["end"]:
            return found, at
        if not match[0].isspace() and not field:
            found.append(match[0])
    return [], at


def _pipeline(tokens: list[str], at: int, found: list[Call]) -> int:
    """Reads commands up to a closing parenthesis; gives where it ended. What follows a keyword is a pipeline, too."""
    command: list[str] = []
    piped = 0

    def ended() -> None:
        nonlocal command, piped
        while command and command[0] in _WORDS:
            word, *command = command
            if word in {"define", "template", "block"}:
                command = command[1:]  # a name
        if command and re.fullmatch(r"[A-Za-z_]\w*", command[0]) and command[0] not in _LITERALS:
            found.append(Call(command[0], len(command) - 1 + piped))
        command, piped = [], 1

    while at < len(tokens) and tokens[at] != ")":
        word = tokens[at]
        at += 1
        if word == "(":
            at = _pipeline(tokens, at, found) + 1
            command.append("()")
        elif word == "|":
            ended()
        elif word in {":=", "=", ","}:
            command = []  # variables that are set
        else:
            command.append(word)
    ended()
    return at
