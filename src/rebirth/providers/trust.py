"""An authority of the castle's own, for client libraries that speak through requests: without a file that could be left."""

import ssl
from typing import Any

from requests import Session
from requests.adapters import HTTPAdapter


def trust_only(session: Session, authority: str) -> None:
    """From now on `session` trusts servers that `authority` (PEM) signed, and no others, whatever the environment says."""
    session.mount("https://", _Adapter(ssl.create_default_context(cadata=authority)))


class _Adapter(HTTPAdapter):
    """requests knows authorities as files only; urllib3 below it takes a context."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self._context = context
        super().__init__()

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        super().init_poolmanager(*arguments, **options, ssl_context=self._context)

    def proxy_manager_for(self, proxy: Any, **options: Any) -> Any:
        return super().proxy_manager_for(proxy, **options, ssl_context=self._context)

    def build_connection_pool_key_attributes(self, request: Any, verify: Any, cert: Any = None) -> Any:
        return super().build_connection_pool_key_attributes(request, True, cert)

    def cert_verify(self, conn: Any, url: Any, verify: Any, cert: Any) -> None:
        """Would add the files that `verify` or the environment names to what the context trusts."""
