"""References to secrets, resolved values, and the redaction that stands before every sink."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from pydantic import BaseModel, ConfigDict, field_validator

REDACTED = "[secret]"
VARIABLE = "REBIRTH_SECRET_"  # how the name of an environment variable begins that holds a secret
_SHORTEST = 4  # shorter values would blank out ordinary text


class SecretRef(BaseModel):
    """Names a secret without holding it: a file below the vault directory, or an environment variable of like name."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)

    secret: str

    @field_validator("secret")
    @classmethod
    def _stays_below_the_vault(cls, value: str) -> str:
        if not re.fullmatch(r"[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)*", value) or ".." in value.split("/"):
            raise ValueError("must be the name of a file below the vault directory, such as github-token")
        return value

    @property
    def variable(self) -> str:
        """The environment variable asked first: REBIRTH_SECRET_ and the name in capitals."""
        return VARIABLE + re.sub(r"[^A-Za-z0-9]", "_", self.secret).upper()


@dataclass(frozen=True, repr=False)
class Secret:
    """A resolved secret. Shows itself nowhere; `reveal()` is the only way to the value."""

    _value: str = field(repr=False)

    def reveal(self) -> str:
        return self._value

    def __repr__(self) -> str:
        return REDACTED

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return REDACTED

    def __reduce__(self) -> str:
        raise TypeError("a secret is not pickled")


class Redaction:
    """Knows every secret value of a run and takes it out of text before the text reaches a sink."""

    def __init__(self, secrets: Iterable[Secret] = ()) -> None:
        self._values: set[str] = set()
        self._pattern: re.Pattern[str] | None = None
        for secret in secrets:
            self.learn(secret)

    def learn(self, secret: Secret) -> None:
        """From now on `secret` is taken out; each line of a value of several lines (PEM) counts for itself."""
        value = secret.reveal()
        parts = (value, value.strip(), *(line for line in value.splitlines() if not line.startswith("-----")))
        self._values |= {part for part in parts if len(part.strip()) >= _SHORTEST}
        longest_first = sorted(self._values, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, longest_first))) if longest_first else None

    def redact(self, text: str) -> str:
        return self._pattern.sub(REDACTED, text) if self._pattern else text
