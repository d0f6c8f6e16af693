"""What lies in an archive is encrypted with age to the castle's own key, and its list bears a seal that only the key makes."""

import hashlib
import hmac
import re

from rebirth.errors import Broken
from rebirth.secrets import Secret

EXTRA = "pip install 'castle-rebirth[anchors]'"
_IDENTITY = re.compile(r"^AGE-SECRET-KEY-1[0-9A-Z]+", re.MULTILINE)
_SYSTEM = "archive"


class NotOursError(Exception):
    """It was not encrypted to this key, or is not what was encrypted."""


class Key:
    """The castle's age identity. Raises Broken where it is none of X25519, or age is not installed."""

    def __init__(self, text: Secret) -> None:
        try:
            from pyrage import IdentityError, x25519
        except ImportError:
            raise Broken("needs the Python package pyrage", system=_SYSTEM, operation="encrypt", hint=EXTRA) from None
        found = _IDENTITY.search(text.reveal())
        try:
            self._identity = x25519.Identity.from_str(found[0] if found else "")
        except IdentityError:
            hint = "Make one with age-keygen, and write it into the file of the vault directory."
            raise Broken(
                "anchors.age_key is not an X25519 identity", system=_SYSTEM, operation="encrypt", hint=hint
            ) from None

    @property
    def fingerprint(self) -> str:
        """By which castles of the same name are told apart: of the public half."""
        return hashlib.sha256(str(self._identity.to_public()).encode()).hexdigest()[:8]

    def encrypted(self, content: bytes) -> bytes:
        from pyrage import encrypt

        return encrypt(content, [self._identity.to_public()])  # type: ignore[no-any-return]

    def decrypted(self, content: bytes) -> bytes:
        """Raises NotOursError."""
        from pyrage import DecryptError, decrypt

        try:
            return decrypt(content, [self._identity])  # type: ignore[no-any-return]
        except DecryptError:
            raise NotOursError from None

    def seal(self, content: bytes) -> str:
        """Who has only the archive can encrypt to the castle, and cannot make this."""
        key = hashlib.sha256(b"rebirth: seal of a generation\n" + str(self._identity).encode()).digest()
        return hmac.new(key, content, hashlib.sha256).hexdigest()
