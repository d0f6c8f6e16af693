"""A bucket as an archive's shelf."""

import asyncio
import ssl
from collections.abc import Callable
from functools import partial
from io import BytesIO
from typing import TypeVar
from urllib.parse import urlsplit

import urllib3
from urllib3.exceptions import HTTPError

from rebirth.errors import Broken, NoAnswer
from rebirth.providers.anchors.sealing import EXTRA
from rebirth.providers.certificates import mistrusted
from rebirth.run.waiting import asking
from rebirth.secrets import Secret

T = TypeVar("T")
_SYSTEM = "S3"
_SETTING = "anchors.archive.s3.endpoint"
_MISSING = {"NoSuchKey", "NoSuchObject"}  # codes of the S3 API
_NO_USER = "Is anchors.archive.s3.access_key the key of a user of that server?"
_HINTS = {
    "NoSuchBucket": "Make the bucket, or correct anchors.archive.s3.bucket.",
    "InvalidAccessKeyId": _NO_USER,
    "XAdminUserNotFound": _NO_USER,  # versitygw's word for it
    "SignatureDoesNotMatch": "Are anchors.archive.s3.secret_key and region right?",
    "AccessDenied": "The access key needs to list the bucket (ListBucket), and GetObject and PutObject below the prefix.",
    "RequestTimeTooSkewed": "Compare the clocks of this machine and of that server.",
}


class Bucket:
    """What begins with a prefix in a bucket."""

    def __init__(
        self,
        *,
        endpoint: str,
        region: str,
        bucket: str,
        prefix: str,
        access_key: Secret,
        secret_key: Secret,
        ca: Secret | None,
    ) -> None:
        try:
            from minio import Minio
        except ImportError:
            raise Broken("needs the Python package minio", system=_SYSTEM, operation="connect", hint=EXTRA) from None
        trust = ssl.create_default_context(cadata=ca.reveal() if ca else None)
        timeout = urllib3.Timeout(connect=10, read=120)
        # It would try again by itself, and count what the engine does not see.
        self._pool = urllib3.PoolManager(ssl_context=trust, timeout=timeout, retries=False)
        self._client = Minio(
            urlsplit(endpoint).netloc,
            access_key=access_key.reveal(),
            secret_key=secret_key.reveal(),
            region=region,
            http_client=self._pool,
        )
        self._bucket, self._prefix, self._endpoint = bucket, prefix and f"{prefix}/", endpoint

    async def close(self) -> None:
        self._pool.clear()

    @property
    def place(self) -> str:
        return f"{self._endpoint}/{self._bucket}/{self._prefix}".rstrip("/")

    async def read(self, name: str) -> bytes | None:
        return await self._ask("read", partial(self._read, name), absent=None)

    async def write(self, name: str, content: bytes) -> None:
        await self._ask("write", partial(self._write, name, content))

    async def names(self, folder: str) -> list[str]:
        return await self._ask("list", partial(self._names, folder))

    def _read(self, name: str) -> bytes:
        answer = self._client.get_object(bucket_name=self._bucket, object_name=self._prefix + name)
        try:
            return answer.read()
        finally:
            answer.close()
            answer.release_conn()

    def _write(self, name: str, content: bytes) -> None:
        self._client.put_object(
            bucket_name=self._bucket, object_name=self._prefix + name, data=BytesIO(content), length=len(content)
        )

    def _names(self, folder: str) -> list[str]:
        within = f"{self._prefix}{folder}/"
        found = self._client.list_objects(bucket_name=self._bucket, prefix=within, recursive=True)
        return sorted(str(one.object_name).removeprefix(self._prefix) for one in found)

    async def _ask(self, operation: str, call: Callable[[], T], **otherwise: T) -> T:
        """`absent`: what it is where there is no such object."""
        from minio.error import MinioException, S3Error, ServerError

        try:
            with asking(_SYSTEM, operation):
                return await asyncio.to_thread(call)
        except S3Error as error:
            code = error.code or "no code"
            if code in _MISSING and "absent" in otherwise:
                return otherwise["absent"]
            status = error.response.status if error.response is not None else 0
            if status >= 500 or status == 429:
                raise self._silent(operation, code) from None
            hint = _HINTS.get(code, f"Is {_SETTING} right?")
            raise Broken(
                f"bucket {self._bucket}: {code}", system=_SYSTEM, operation=operation, status=status, hint=hint
            ) from None
        except ServerError as error:
            raise self._silent(operation, f"HTTP {error.status_code}") from None
        except (HTTPError, OSError) as error:
            if refused := mistrusted(
                error, system=_SYSTEM, operation=operation, address=_SETTING, ca="anchors.archive.s3.ca"
            ):
                raise refused from None
            raise self._silent(operation, type(error).__name__) from None
        except (MinioException, AttributeError, LookupError, SyntaxError, TypeError, ValueError):
            # As minio says it of HTML, JSON, or XML of something else.
            hint = f"Is {_SETTING} the address of an S3 server? A proxy or another server may be answering there."
            raise NoAnswer(f"{_SYSTEM}: {operation}: the answer does not match the S3 API", hint=hint) from None

    def _silent(self, operation: str, what: str) -> NoAnswer:
        return NoAnswer(f"{_SYSTEM}: {operation}: {what}", hint=f"Is {_SETTING} right, and reachable from here?")
