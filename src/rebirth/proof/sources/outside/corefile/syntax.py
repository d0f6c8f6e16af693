"""Reads a Corefile as CoreDNS reads it, and rejects what CoreDNS rejects.

Words are separated by blanks; quotes hold them together; `#` starts a comment anywhere. A block has to open on its plugin's line,
and whatever else stands on that line is an argument: so `health { lameduck 5s }` has the arguments `5s` and `}`, and CoreDNS
does not start.
"""

import itertools
from collections.abc import Container, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

_MOST_IMPORTS = 10_000
FOLDER = "/etc/coredns/"
PORTS = {"dns": 53, "tls": 853, "quic": 853, "grpc": 443, "https": 443, "https3": 443}


class CorefileError(Exception):
    """What CoreDNS would not accept, in its words, and the line of the Corefile (1-based)."""

    def __init__(self, words: str, line: int) -> None:
        super().__init__(words)
        self.words, self.line = words, line


@dataclass(slots=True)
class Token:
    text: str
    line: int


@dataclass(frozen=True, slots=True)
class Zone:
    """What a server block answers for."""

    name: str  # with a dot at its end, lower case
    port: int
    transport: str


@dataclass
class Server:
    keys: list[str]
    line: int
    plugins: dict[str, list[Token]] = field(
        default_factory=dict
    )  # plugin -> all its tokens, as CoreDNS hands them over
    zones: list[Zone] = field(default_factory=list)


def tokens(text: str) -> list[Token]:  # noqa: C901 - one state machine
    """The words of a Corefile."""
    found: list[Token] = []
    word: list[str] | None = None
    line, begun, quoted, escaped, comment = 1, 1, False, False, False

    def end() -> None:
        nonlocal word
        if word is not None:
            found.append(Token("".join(word), begun))
        word = None

    for char in text.removeprefix("\ufeff"):
        if quoted and word is not None:
            if not escaped and char == "\\":
                escaped = True
                continue
            if not escaped and char == '"':
                quoted = False
                end()
                continue
            line += char == "\n"
            word += ["\\", char] if escaped and char != '"' else [char]
            escaped = False
        elif char.isspace():
            if char == "\r":
                continue
            if char == "\n":
                line, comment = line + 1, False
            end()
        elif comment or char == "#":
            comment = True
        elif word is None:
            begun, quoted, word = line, char == '"', [] if char == '"' else [char]
        else:
            word.append(char)
    if word:
        end()
    return found


class Cursor:
    """Goes through tokens as CoreDNS' plugins do."""

    def __init__(self, found: list[Token]) -> None:
        self.tokens, self.at, self.nesting = found, -1, 0

    @property
    def value(self) -> str:
        return self.tokens[self.at].text if 0 <= self.at < len(self.tokens) else ""

    @property
    def line(self) -> int:
        return self.tokens[min(max(self.at, 0), len(self.tokens) - 1)].line if self.tokens else 1

    def next(self) -> bool:
        if self.at < len(self.tokens) - 1:
            self.at += 1
            return True
        return False

    def _end_of(self, at: int) -> int:
        return self.tokens[at].line + self.tokens[at].text.count("\n")

    def next_argument(self) -> bool:
        """The next token, if it stands on the same line."""
        if self.at < 0 or (self.at < len(self.tokens) - 1 and self._end_of(self.at) == self.tokens[self.at + 1].line):
            self.at += 1
            return True
        return False

    @property
    def starts_line(self) -> bool:
        return self.at < 1 or (self.at < len(self.tokens) and self._end_of(self.at - 1) < self.tokens[self.at].line)

    def arguments(self) -> list[str]:
        """The rest of the line, up to a block."""
        found = []
        while self.next_argument():
            if self.value == "{":
                self.at -= 1
                break
            found.append(self.value)
        return found

    def next_in_block(self) -> bool:
        if self.nesting > 0:
            if not self.next():
                return False
            if self.value == "}":
                self.nesting -= 1
                return False
            return True
        if not self.next_argument():
            return False
        if self.value != "{":
            self.at -= 1
            return False
        if not self.next() or self.value == "}":
            return False
        self.nesting += 1
        return True

    def error(self, words: str) -> CorefileError:
        return CorefileError(words, self.line)

    def argument_error(self) -> CorefileError:
        if self.value == "{":
            return self.error("Unexpected token '{', expecting argument")
        return self.error(f"Wrong argument count or unexpected line ending after '{self.value}'")


def blocks(
    text: str,
    environment: Mapping[str, str] | None = None,
    beside: Mapping[str, str] | None = None,
    plugins: Container[str] | None = None,
) -> list[Server]:
    """The server blocks of a Corefile. Raises CorefileError.

    `beside` holds the files in its folder, `plugins` the names of all that there are (None: others may be there, too).
    """
    return _Parser(tokens(text), environment or {}, beside, plugins).all()


class _Parser(Cursor):
    def __init__(
        self,
        found: list[Token],
        environment: Mapping[str, str],
        beside: Mapping[str, str] | None,
        plugins: Container[str] | None,
    ) -> None:
        super().__init__(found)
        self.environment, self.beside, self.plugins = environment, beside, plugins
        self.snippets: dict[str, list[Token]] = {}
        self.imports = 0

    def all(self) -> list[Server]:
        found = []
        while self.next():
            server = Server([], self.line)
            if self._addresses(server):
                found.append(server)
            elif len(server.keys) == 1 and server.keys[0].startswith("(") and server.keys[0].endswith(")"):
                self._snippet(server.keys[0][1:-1])
            else:
                self._contents(server)
                if server.keys:
                    found.append(server)
        return found

    def _expand(self, text: str) -> str:
        """Environment variables: {%NAME%} and {$NAME}. What is not set is empty."""
        for start, end in (("{%", "%}"), ("{$", "}")):
            at = text.find(start)
            while at != -1:
                close = text.find(end, at)
                if close == -1 or close <= at + len(start):
                    break
                text = text.replace(
                    text[at : close + len(end)], self.environment.get(text[at + len(start) : close], "")
                )
                at = text.find(start)
        return text

    def _addresses(self, server: Server) -> bool:
        """Reads the keys of a block; True where the file ends with them."""
        more = False
        while True:
            text = self._expand(self.value)
            if text == "import" and self.starts_line:
                self._import()
                if not 0 <= self.at < len(self.tokens):
                    return True
                continue
            if text == "{":
                if more:
                    raise self.error("Expected another address but had '{' - check for extra comma")
                return False
            if text:
                more = text.endswith(",")
                server.keys.append(text.removesuffix(","))
            if not self.next():
                if more:
                    raise self.error("Unexpected EOF")
                return True
            if not more and self.starts_line:
                return False

    def _snippet(self, name: str) -> None:
        if name in self.snippets:
            raise self.error(f"redeclaration of previously declared snippet {name}")
        if self.value != "{":
            raise self.error(f"Syntax error: Unexpected token '{self.value}', expecting '{{'")
        depth, inside = 1, []
        while self.next():
            depth += (self.value == "{") - (self.value == "}")
            if not depth:
                break
            inside.append(self.tokens[self.at])
        if depth:
            raise self.error(f"Syntax error: Unexpected token '{self.value}', expecting '}}'")
        for index, (first, second) in enumerate(itertools.pairwise(inside)):
            begins = index == 0 or inside[index - 1].line != first.line
            if begins and first.text == "import" and self._expand(second.text) == name:
                raise self.error("maximum snippet import depth (10000) exceeded")
        self.snippets[name] = inside

    def _contents(self, server: Server) -> None:
        braces = self.value == "{"
        if not braces:
            self.at -= 1
        while self.next():
            if self.value == "}":
                break
            if self.value == "import":
                self._import()
                self.at -= 1
                continue
            self._directive(server)
        if braces and self.value != "}":
            raise self.error(f"Syntax error: Unexpected token '{self.value}', expecting '}}'")

    def _directive(self, server: Server) -> None:
        name = self._expand(self.value)
        if self.plugins is not None and name not in self.plugins:
            raise self.error(f"Unknown directive '{name}'")
        taken = server.plugins.setdefault(name, [])
        taken.append(self.tokens[self.at])
        nesting = 0
        while self.next():
            if self.value == "{":
                nesting += 1
            elif self.starts_line and not nesting:
                self.at -= 1
                break
            elif self.value == "}":
                if not nesting:
                    raise self.error("Unexpected '}' because no matching opening brace")
                nesting -= 1
            elif self.value == "import" and self.starts_line:
                self._import()
                self.at -= 1
                continue
            token = self.tokens[self.at]
            taken.append(Token(self._expand(token.text), token.line))
        if nesting:
            raise self.error("Unexpected EOF")

    def _import(self) -> None:
        """Puts what is imported in the place of the import."""
        if not self.next_argument():
            raise self.argument_error()
        name = self._expand(self.value)
        if not name:
            raise self.error("Import requires a non-empty filepath")
        if self.next_argument():
            raise self.error("Import takes only one argument (glob pattern or file)")
        self.imports += 1
        if self.imports > _MOST_IMPORTS:
            raise self.error("maximum snippet import depth (10000) exceeded")
        taken = self.snippets[name] if name in self.snippets else self._file(name)
        self.tokens[self.at - 1 : self.at + 1] = [Token(token.text, token.line) for token in taken]
        self.at -= 1

    def _file(self, name: str) -> list[Token]:
        """The words of files beside the Corefile. What stands in other folders is not known, and taken as empty."""
        own = name.removeprefix(FOLDER).removeprefix("./")
        if "/" in own or self.beside is None:
            return []
        found = [text for key, text in self.beside.items() if fnmatchcase(key, own)]
        if not found and not set(own) & set("*?[]"):
            raise self.error(f"File to import not found: {name}")
        # Lines of another file: they must not seem to stand on the line of the import.
        return [Token(token.text, -token.line) for text in found for token in tokens(text)]
