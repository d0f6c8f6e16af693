"""Hosts that a container's command line and variables name: only where a host stands, for every other word (a database, a user, a
namespace, what is printed) may be the name of a Service, too.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from rebirth.proof.reading.manifest import texts

_NAME = r"[a-z](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9-]+)*\.?"
_HOST = re.compile(rf"({_NAME})(?::\d+)?(?:/\S*)?")
_WITH_PORT = re.compile(rf"({_NAME}):\d+(?:/\S*)?")
_URL = re.compile(r"\w+://(?:[^/\s@]*@)?([^/\s?#]+)")
_BASH = re.compile(rf"/dev/(?:tcp|udp)/({_NAME})/")
_OPTION = re.compile(r"(?:-h|-H|--host|--hostname|--server|--addr(?:ess)?|--endpoint)(?:=(\S+))?")
_VARIABLE = re.compile(r"\$(?:\(|\{)?(\w+)[)}]?")
_CONNECTS = re.compile(r"HOST|URL|URI|DSN|ADDR|SERVER|ENDPOINT|CONNECTION")
_PARTS = re.compile(r"[;&|\n(){}`]|(?<!\S)(?:do|then|else|until|while|if|!)(?!\S)")  # of a line of shell
_PRINTING = frozenset({"echo", "printf", "[", "[[", "test"})
_SETTING = re.compile(r"set-[a-z-]+-ur[li]")  # a command that is told an address for later
_NAMING = frozenset({"nslookup", "getent", "dig", "host"})  # asks for an address, and does not connect
# The first word behind these that may be one is a host.
_CONNECTING = frozenset({
    "nc", "ncat", "netcat", "telnet", "ping", "wait-for", "wait_for", "wait-for-it", "wait-for.sh", "wait-for-it.sh", "wait4x", "dockerize",
    "curl", "wget",
})  # fmt: skip
_WITH_OPTION = frozenset({
    "pg_isready", "psql", "mysql", "mysqladmin", "mariadb", "mariadb-admin", "redis-cli", "valkey-cli", "mongosh", "mongo",
})  # fmt: skip
_FETCHING = frozenset({"curl", "wget"})
_DATABASES = frozenset({"hosts", "ahosts", "ahostsv4", "ahostsv6"})  # of getent


class Asked(NamedTuple):
    host: str
    by_name: bool = False  # only its address is asked for


def waited_for(container: Mapping[str, Any]) -> list[Asked]:
    """What an init container asks for until it answers; nothing where it does not seem to wait."""
    variables = _variables(container)
    text = " ".join(texts([container.get("command"), container.get("args")]))
    known = _VARIABLE.sub(lambda found: variables.get(found[1], found[0]), text)
    asked = list(_in_shell(known))
    if not asked and ("wait" in str(container.get("name")) or _programs(known)):
        asked += map(Asked, _in_variables(variables))
    return list({one.host: one for one in reversed(asked)}.values())[::-1]


def talked_to(container: Mapping[str, Any]) -> list[str]:
    """Hosts that a container connects to, as far as its variables, URLs and well-known options say so."""
    variables = _variables(container)
    text = " ".join(texts([container.get("command"), container.get("args")]))
    known = _VARIABLE.sub(lambda found: variables.get(found[1], found[0]), text)
    found = [*_in_variables(variables), *(one.host for one in _in_shell(known) if not one.by_name)]
    found += [host for word, after in _pairs(known.split()) for host in _of_option(word, after)]
    return list(dict.fromkeys(found))


def _variables(container: Mapping[str, Any]) -> dict[str, str]:
    listed = container.get("env")
    return {
        str(entry.get("name")): str(entry["value"])
        for entry in (listed if isinstance(listed, list) else ())
        if isinstance(entry, Mapping) and entry.get("value") is not None
    }


def _in_variables(variables: Mapping[str, str]) -> Iterator[str]:
    """Hosts in what is named as one, and in URLs and names with a port wherever they are."""
    for name, value in variables.items():
        for word in re.split(r"[\s,]+", value):
            if "://" in word:
                yield from _of_url(word)
            elif found := (_HOST if _CONNECTS.search(name) else _WITH_PORT).fullmatch(word):
                yield found[1].rstrip(".")


def _programs(text: str) -> list[str]:
    words = [word.rpartition("/")[2] for word in re.split(r"[\s;&|(){}`'\"]+", text)]
    return [word for word in words if word in _NAMING | _CONNECTING | _WITH_OPTION]


def _in_shell(text: str) -> Iterator[Asked]:
    for part in _PARTS.split(re.sub(r"[\"']", " ", text)):
        words = part.split()
        if not words or words[0] in _PRINTING or any(map(_SETTING.fullmatch, words)):
            continue
        by_name = False
        for at, word in enumerate(words):
            program = word.rpartition("/")[2]
            if program in _NAMING | _CONNECTING:
                by_name = program in _NAMING
                yield from (Asked(host, by_name) for host in _of_program(program, words[at + 1 :]))
                break
            if program in _WITH_OPTION:
                yield from (Asked(h) for one, after in _pairs(words[at + 1 :]) for h in _of_option(one, after))
                break
        for word in words:
            yield from (Asked(host) for host in (*_of_url(word), *_BASH.findall(word)))
            if (found := _WITH_PORT.fullmatch(word)) and not by_name:
                yield Asked(found[1].rstrip("."))


def _of_program(program: str, words: list[str]) -> Iterator[str]:
    """The host among what stands behind a program's name."""
    for word in words:
        found = _HOST.fullmatch(word)
        if found is None or word in _DATABASES:
            continue
        if program in _FETCHING and not set(word) & set(".:/"):
            continue  # the value of an option
        yield found[1].rstrip(".")
        return


def _pairs(words: list[str]) -> Iterator[tuple[str, str]]:
    """Each word with the one behind it."""
    return zip(words, [*words[1:], ""], strict=False)


def _of_option(word: str, after: str) -> Iterator[str]:
    if (option := _OPTION.fullmatch(word)) and (found := _HOST.fullmatch(option[1] or after)):
        yield found[1].rstrip(".")


def _of_url(word: str) -> Iterator[str]:
    """The hosts of URLs in a word; a URL of a database may name several."""
    for match in _URL.finditer(word):
        yield from (found[1].rstrip(".") for one in match[1].split(",") if (found := _HOST.fullmatch(one)))
