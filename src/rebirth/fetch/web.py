"""Requests over HTTP: repeated with patience, and downloads that go on where they were broken off."""

from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

import httpx2 as httpx

from rebirth.errors import Broken, NoAnswer, NotYet
from rebirth.fetch.patience import PATIENCE, Patience, Progress, require_lasting

_TIMEOUT = httpx.Timeout(30.0, connect=10.0)
_LARGEST = 200 << 20  # bytes of an answer that is kept in memory: an index of charts, a manifest

Count = Callable[[int], None]  # is told of bytes as they come; fewer than none where they begin anew


def _nobody(_: int) -> None:
    """Nobody counts."""


class Web:
    """One client for everything that is fetched. `verify` is False in no case: who is not trusted is not asked."""

    def __init__(
        self,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
        limit: float = PATIENCE,
        tell: Callable[[str], None] = lambda _: None,
    ) -> None:
        """`transport` carries the requests instead of a connection; `limit`: seconds that a request is repeated for."""
        self._client = httpx.AsyncClient(
            timeout=_TIMEOUT, follow_redirects=True, transport=transport, headers={"User-Agent": "rebirth"}
        )
        self._patience: defaultdict[str, Patience] = defaultdict(lambda: Patience(limit, tell))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.aclose()

    def patience(self, host: str) -> Patience:
        """With that host, whoever asks it."""
        return self._patience[host]

    async def ask(
        self,
        url: str,
        *,
        operation: str,
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
        data: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        """The whole answer, of whatever status. Raises Broken where none comes that lasts."""

        async def look() -> httpx.Response:
            async with self._stream(method, url, headers or {}, data) as response:
                body = bytearray()
                async for piece in response.aiter_bytes():
                    body += piece
                    if len(body) > _LARGEST:
                        raise Broken("the answer is too large", system=host_of(url), operation=operation)
                return httpx.Response(
                    response.status_code,
                    headers=_plain(response.headers),
                    content=bytes(body),
                    request=response.request,
                )

        return await self._patience[host_of(url)].asked(look, system=host_of(url), operation=operation)

    async def download(
        self,
        url: str,
        target: Path,
        *,
        operation: str,
        headers: Mapping[str, str] | None = None,
        count: Count = _nobody,
    ) -> httpx.Response:
        """Writes what is at `url` into `target`; what is there already is taken as its beginning, and not asked for again.

        Returns the answer without its body: where that is not 200 or 206, `target` is as it was. Raises Broken.
        """

        async def look() -> httpx.Response:
            have = target.stat().st_size if target.exists() else 0
            resume = {"Range": f"bytes={have}-"} if have else {}
            came = 0
            try:
                async with self._stream(
                    "GET", url, {**(headers or {}), "Accept-Encoding": "identity", **resume}
                ) as got:
                    if got.status_code == 416 and have:  # it is whole, or longer than what is there now
                        return httpx.Response(206, request=got.request)
                    if got.status_code not in {200, 206}:
                        return httpx.Response(got.status_code, headers=got.headers, request=got.request)
                    follows = got.status_code == 206 and _begins_at(got, have)
                    if got.status_code == 206 and not follows:
                        raise Broken(
                            "answers with another part than asked for", system=host_of(url), operation=operation
                        )
                    if have and not follows:
                        count(-have)
                    with target.open("ab" if follows else "wb") as file:
                        async for piece in got.aiter_raw():
                            file.write(piece)
                            came += len(piece)
                            count(len(piece))
                    return httpx.Response(got.status_code, request=got.request)
            except NotYet as error:
                if came:
                    raise Progress(str(error)) from None
                raise

        return await self._patience[host_of(url)].asked(look, system=host_of(url), operation=operation)

    @asynccontextmanager
    async def _stream(
        self, method: str, url: str, headers: Mapping[str, str], data: Mapping[str, str] | None = None
    ) -> AsyncIterator[httpx.Response]:
        """Raises NotYet where there is no answer, or one that says to ask again."""
        try:
            async with self._client.stream(method, url, headers=headers, data=data) as response:
                require_lasting(response)
                yield response
        except (httpx.UnsupportedProtocol, httpx.InvalidURL) as error:
            raise Broken(f"{url}: {error}", operation="fetch") from None
        except httpx.TooManyRedirects:
            raise Broken("redirects without end", system=host_of(url), operation="fetch") from None
        except httpx.HTTPError as error:
            raise _failure(error, host_of(url)) from None


def _failure(error: httpx.HTTPError, host: str) -> NoAnswer | Broken:
    """What no repetition changes is Broken: a name that does not exist, a certificate that is not trusted."""
    words = str(error) or type(error).__name__
    if "CERTIFICATE_VERIFY_FAILED" in words:
        hint = "Is there a proxy of your own in between? SSL_CERT_FILE names the authorities that are trusted."
        return Broken("its certificate is not trusted", system=host, operation="connect", hint=hint)
    if any(said in words for said in ("Name or service not known", "nodename nor servname", "No address associated")):
        return Broken("no such host", system=host, operation="connect")
    return NoAnswer(f"no answer: {words}")


def _plain(headers: httpx.Headers) -> dict[str, str]:
    """Those that still hold for a body that is unpacked."""
    return {name: value for name, value in headers.items() if name not in {"content-encoding", "content-length"}}


def _begins_at(response: httpx.Response, start: int) -> bool:
    return response.headers.get("content-range", "").startswith(f"bytes {start}-")


def host_of(url: str) -> str:
    return urlsplit(url).netloc.rpartition("@")[2]
