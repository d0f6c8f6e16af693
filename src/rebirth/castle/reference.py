"""How castle.yaml names a secret."""

import re

from pydantic import BaseModel, ConfigDict, field_validator

from rebirth.secrets import VARIABLE


class SecretRef(BaseModel):
    """Names a secret without holding it: a file below the vault directory, or an environment variable of like name."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, hide_input_in_errors=True, use_attribute_docstrings=True
    )

    secret: str
    """The name of a file below the vault directory, such as github-token."""

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
