"""Reads castle.yaml: every problem at once, each with file, line and YAML path, and never a value."""

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from rebirth.castle.castle import Castle
from rebirth.castle.files import text_of
from rebirth.castle.words import Tried, meant, near
from rebirth.errors import Problem, SpecError

FILE = "castle.yaml"
_NOT_CALLED = "default_factory_not_called"  # a default that follows from values which are wrong themselves
_LARGEST = 1 << 20  # bytes; a castle.yaml has a few thousand

Model = TypeVar("Model", bound=BaseModel)


def load(directory: Path) -> Castle:
    """The castle declared in `directory`. Raises SpecError with every problem found."""
    return load_model(
        directory / FILE,
        Castle,
        hint="Name the castle directory; examples/castle of the source tree is one to start from.",
    )


def load_model(file: Path, model: type[Model], *, hint: str = "") -> Model:
    """Validates a YAML file against a pydantic model. Raises SpecError with every problem found.

    Goes through JSON: pydantic's strict mode then accepts addresses and networks, which YAML has no types for, and still
    refuses `no` where a string is wanted.
    """
    root = _compose(file, hint)
    try:
        document = _Loader.construct(root)
        return model.model_validate_json(json.dumps(document, default=str))
    except ValidationError as error:
        # No input and no URL: a mistyped secret must not be printed.
        found = error.errors(include_input=False, include_url=False)
        told = [item for item in found if item["type"] != _NOT_CALLED]
        raise SpecError(_problems(file, root, model, told)) from None
    except yaml.MarkedYAMLError as error:
        raise _yaml_problem(file, error) from None
    except (
        ValueError,
        TypeError,
        RecursionError,
    ):  # a date that does not exist, a number without end, a bottomless list
        raise SpecError([Problem(str(file), 0, "", "has a value of a type that castle.yaml does not use")]) from None


def line_of(directory: Path, path: str) -> int:
    """Where castle.yaml says that YAML path, or the nearest that it has above it; 0 where it says nothing of it.

    Raises SpecError where the file cannot be read.
    """
    node: yaml.Node = _compose(directory / FILE, "")
    line = 0
    for part in re.findall(r"[^.\[\]]+", path):
        if isinstance(node, yaml.SequenceNode) and part.isdigit() and int(part) < len(node.value):
            node = node.value[int(part)]
            line = node.start_mark.line + 1
        elif isinstance(node, yaml.MappingNode) and (found := _entry(node, part)):
            line, node = found[0].start_mark.line + 1, found[1]
        else:
            break
    return line


def _compose(file: Path, hint: str) -> yaml.Node:
    try:
        root = yaml.compose(text_of(file, largest=_LARGEST), Loader=_Loader)
    except FileNotFoundError:
        raise SpecError([Problem(str(file), 0, "", "no such file", hint)]) from None
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        raise SpecError([Problem(str(file), 0, "", f"cannot be read: {reason}")]) from None
    except yaml.MarkedYAMLError as error:
        raise _yaml_problem(file, error) from None
    except RecursionError:
        raise SpecError([Problem(str(file), 0, "", "is nested too deeply")]) from None
    except yaml.YAMLError:
        raise SpecError([Problem(str(file), 0, "", "contains characters that YAML does not allow")]) from None
    if not isinstance(root, yaml.MappingNode):
        raise SpecError([Problem(str(file), 1, "", "must be a YAML mapping")])
    return root


def _yaml_problem(file: Path, error: yaml.MarkedYAMLError) -> SpecError:
    line = error.problem_mark.line + 1 if error.problem_mark else 0
    # Only the parser's own words, without what they quote: the line may hold a secret.
    words = re.sub(r"'(?!<)[^']{2,}'", "...", error.problem or "")
    return SpecError([Problem(str(file), line, "", f"is not YAML: {words}")])


class _Loader(yaml.SafeLoader):
    """Safe YAML without aliases and duplicate keys. 1:30 is no number, 010 is an error."""

    yaml_implicit_resolvers = {  # as PyYAML looks for them
        first: [(tag, pattern) for tag, pattern in found if not tag.endswith((":int", ":float"))]
        for first, found in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            event = self.peek_event()  # type: ignore[no-untyped-call]
            raise yaml.composer.ComposerError(None, None, "aliases are not used in a castle", event.start_mark)
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise yaml.constructor.ConstructorError(None, None, "a key must be a string", key.start_mark)
            if key.value in seen:
                raise yaml.constructor.ConstructorError(None, None, f"duplicate key {key.value}", key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep=deep)

    @classmethod
    def construct(cls, root: yaml.Node) -> Any:
        return cls("").construct_document(root)


def _whole(loader: _Loader, node: yaml.ScalarNode) -> int:
    if re.fullmatch(r"[-+]?0[0-9_]+", node.value):
        words = "a number that begins with 0 is read as octal; write it in decimal, or in quotes if it is text"
        raise yaml.constructor.ConstructorError(None, None, words, node.start_mark)
    return int(loader.construct_yaml_int(node))


# YAML 1.1 without numbers to the base of 60.
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:int",
    re.compile(r"[-+]?(?:0b[01_]+|0x[0-9a-fA-F_]+|0|[1-9][0-9_]*|0[0-9_]+)$"),
    list("-+0123456789"),
)
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(
        r"[-+]?[0-9][0-9_]*\.[0-9_]*(?:[eE][-+][0-9]+)?$|\.[0-9][0-9_]*(?:[eE][-+][0-9]+)?$"
        r"|[-+]?\.(?:inf|Inf|INF)$|\.(?:nan|NaN|NAN)$"
    ),
    list("-+0123456789."),
)
_Loader.add_constructor("tag:yaml.org,2002:int", _whole)


def _problems(file: Path, root: yaml.Node, model: type[BaseModel], errors: Sequence[ErrorDetails]) -> list[Problem]:
    """One for each place, in the order of the file; where several kinds of value may stand, of the kind that was meant."""
    found: dict[tuple[int, str], Problem] = {}
    tried = [Tried(error, located.path, located.kinds) for error in errors for located in [_located(root, error)]]
    said = list(meant(tried))
    mistyped = {
        (*error["loc"][:-1], near(model, error["loc"])) for error, _ in said if error["type"] == "extra_forbidden"
    }
    for error, words in said:
        if error["type"] == "missing" and error["loc"] in mistyped:
            continue  # it is there, with a letter wrong
        problem = _problem(file, root, model, error, words)
        found.setdefault((problem.line, problem.path), problem)
    return sorted(found.values(), key=lambda problem: problem.line)


def _problem(file: Path, root: yaml.Node, model: type[BaseModel], error: ErrorDetails, message: str) -> Problem:
    located = _located(root, error)
    if error["type"] == "extra_forbidden" and (known := near(model, error["loc"])):
        message += f"; did you mean {known}?"
    if located.node is not None and located.node.tag == _NULL and error["type"] not in _OF_KEYS:
        message = f"has no value: {message}"
    # A validator of a whole section says where it means: "at nodes[1].address: ...".
    if inner := re.match(r"at (\S+): (.*)", message, re.DOTALL):
        deeper = (int(part) if part.isdigit() else part for part in re.findall(r"[^.\[\]]+", inner[1]))
        located = _located(root, {**error, "loc": (*error["loc"], *deeper), "type": "missing"})
        message = inner[2]
    return Problem(str(file), located.line, located.path, message)


_NULL = "tag:yaml.org,2002:null"
_OF_KEYS = {"missing", "extra_forbidden"}


class _Located(NamedTuple):
    line: int
    path: str  # YAML path
    kinds: tuple[
        tuple[str, str], ...
    ]  # parts of the location that name a kind of value, each with the YAML path that may be of several
    node: yaml.Node | None  # None for what is missing


def _located(root: yaml.Node, error: ErrorDetails) -> _Located:
    """Where a pydantic error is in the document. Its location also names which of several kinds was tried."""
    location = error["loc"]
    node: yaml.Node | None = root
    line, path, kinds = root.start_mark.line + 1, "", []
    for number, part in enumerate(location, 1):
        if isinstance(part, int) and isinstance(node, yaml.SequenceNode) and part < len(node.value):
            node = node.value[part]
            line, path = node.start_mark.line + 1, f"{path}[{part}]"
        elif isinstance(node, yaml.MappingNode) and (found := _entry(node, part)):
            line, node, path = found[0].start_mark.line + 1, found[1], f"{path}.{part}".lstrip(".")
        elif error["type"] == "missing" and number == len(location):
            node, path = None, f"{path}.{part}".lstrip(".")
        else:
            kinds.append((path, str(part)))
    return _Located(line, path, tuple(kinds), node)


def _entry(node: yaml.MappingNode, part: object) -> tuple[yaml.Node, yaml.Node] | None:
    return next(((key, value) for key, value in node.value if key.value == str(part)), None)
