"""A real OCI registry with token authentication: distribution's, and the token server that it trusts."""

import asyncio
import base64
import json
import secrets
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import yaml
from joserfc import jwt
from joserfc.jwk import ECKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from rebirth.errors import Broken

SERVICE, ISSUER = "lab-registry", "lab"
TOKEN_HOST = "auth.docker.io"  # noqa: S105 - a host name


def configuration(*, storage: Path, address: str, certificate: Path, key: Path, keys: Path) -> str:
    """The configuration file of distribution's registry."""
    token = {
        "realm": f"https://{TOKEN_HOST}/token",
        "service": SERVICE,
        "issuer": ISSUER,
        "jwks": str(keys),
        "signingalgorithms": ["ES256"],
    }
    return yaml.safe_dump(
        {
            "version": "0.1",
            "log": {"level": "warn", "accesslog": {"disabled": True}},
            "storage": {
                "filesystem": {"rootdirectory": str(storage)},
                "maintenance": {"uploadpurging": {"enabled": False}},
            },
            "http": {"addr": f"{address}:443", "tls": {"certificate": str(certificate), "key": str(key)}},
            "auth": {"token": token},
        }
    )


class TokenServer:
    """Issues the tokens that the registry takes, by the Docker registry token specification.

    Everybody may pull public images; what lies below a private prefix needs one of the passwords. Nobody may push.
    """

    def __init__(self, passwords: Iterable[str], private: Iterable[str]) -> None:
        self._passwords = tuple(passwords)
        self._private = tuple(private)  # such as tazlab/
        self._key = ECKey.generate_key("P-256", {"kid": "lab", "use": "sig", "alg": "ES256"})

    def write_keys(self, file: Path) -> None:
        """The public key, where the registry reads it."""
        file.write_text(json.dumps({"keys": [self._key.as_dict(private=False)]}))

    def _known(self, request: Request) -> bool | None:
        """Whether the request's password is right; None where it carries none."""
        given = request.headers.get("authorization", "")
        if not given.startswith("Basic "):
            return None
        try:
            password = base64.b64decode(given[6:]).decode().partition(":")[2]
        except ValueError:
            return False
        return any(secrets.compare_digest(password.encode(), known.encode()) for known in self._passwords)

    async def token(self, request: Request) -> Response:
        known = self._known(request)
        if known is False:
            return JSONResponse({"errors": [{"code": "UNAUTHORIZED", "message": "authentication required"}]}, 401)
        access: list[dict[str, object]] = []
        for scope in request.query_params.getlist("scope"):
            kind, _, rest = scope.partition(":")
            name, _, actions = rest.rpartition(":")
            if kind == "repository" and "pull" in actions.split(",") and (known or not name.startswith(self._private)):
                access.append({"type": kind, "name": name, "actions": ["pull"]})
        return JSONResponse({"token": self._sign(access), "expires_in": 300})

    def _sign(self, access: list[dict[str, object]]) -> str:
        now = int(time.time())
        claims = {
            "iss": ISSUER,
            "sub": "lab",
            "aud": SERVICE,
            "exp": now + 300,
            "nbf": now - 10,
            "iat": now,
            "jti": secrets.token_hex(8),
        }
        return jwt.encode({"alg": "ES256", "kid": "lab", "typ": "JWT"}, {**claims, "access": access}, self._key)


async def answering(address: str) -> None:
    """Returns once something listens there. Raises Broken."""
    for _ in range(300):
        try:
            _, writer = await asyncio.open_connection(address, 443)
        except OSError:
            await asyncio.sleep(0.05)
        else:
            writer.close()
            return
    raise Broken("does not answer", system="registry", operation="lab up", hint="Its log is registry.log.")


def token_app(server: TokenServer) -> Starlette:
    handler: Callable[[Request], object] = server.token
    return Starlette(routes=[Route("/token", handler, methods=["GET"])])
