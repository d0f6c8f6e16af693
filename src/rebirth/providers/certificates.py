"""Why a server's certificate was not believed, out of what the client libraries make of it."""

import ssl
from collections.abc import Iterator

from rebirth.errors import Broken

# OpenSSL's codes of why a certificate is not believed.
_NOT_YET, _EXPIRED, _OTHER_NAMES = 9, 10, {62, 64}


def mistrusted(error: BaseException, *, system: str, operation: str, address: str, ca: str = "") -> Broken | None:
    """What there is to say where a request failed on the server's certificate; None where it failed on something else.

    `address` and `ca` are the settings of castle.yaml that name the server and its authority.
    """
    found = next((one for one in _chain(error) if isinstance(one, ssl.SSLCertVerificationError)), None)
    if found is None:
        return None
    words = "its certificate is not trusted"
    hint = f"Name the CA that signed it with {ca}." if ca else f"Is {address} right? Something else may be answering."
    if found.verify_code == _EXPIRED:
        words, hint = "its certificate has expired", "Renew it; or is the clock of this machine wrong?"
    elif found.verify_code == _NOT_YET:
        words, hint = "its certificate is not valid yet", "Is the clock of this machine right, and the one over there?"
    elif found.verify_code in _OTHER_NAMES:
        words, hint = "its certificate is for another name", f"Is {address} the name that its certificate has?"
    return Broken(words, system=system, operation=operation, hint=hint)


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error and all that it came of, however the libraries in between pass it on. It ends even where they go in a circle."""
    pending, seen = [error], set[int]()
    while pending:
        one = pending.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        inner = (one.__cause__, one.__context__, getattr(one, "reason", None), *one.args)
        pending += [each for each in inner if isinstance(each, BaseException)]
