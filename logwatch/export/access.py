"""Who is answered: whoever knows the token, or has a certificate, or both, as is asked for.

The probes /healthz and /readyz are open: the kubelet has neither. A browser can't send a bearer
token, so the page takes it as a password too, of any user.
"""

import base64
import binascii
import hmac
from collections.abc import Callable
from pathlib import Path

from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from logwatch.export.errors import WebError
from logwatch.export.tls import read

PROBES = frozenset({"/healthz", "/readyz"})


class Token:
    """A secret in a file, as it is there now."""

    def __init__(self, path: Path) -> None:
        """Raise WebError when there is none."""
        self._path = path
        self.read()

    def read(self) -> bytes:
        """Raise WebError."""
        token = read(self._path, "token").strip()
        if not token:
            raise WebError(f"The token {self._path} is empty: write one line into it.")
        if not token.isascii() or not token.decode().isprintable() or b" " in token:
            raise WebError(
                f"The token {self._path} can't be sent in a header: write one line of ASCII "
                "without spaces into it, such as `openssl rand -hex 32` prints."
            )
        return token


class Access:
    """Stands in front of an application."""

    def __init__(
        self,
        application: ASGIApp,
        *,
        token: Token | None,
        needs_certificate: bool,
        count: Callable[[str], None],
    ) -> None:
        """`count` is told `token` or `certificate` for each request that is refused."""
        self._application = application
        self._token = token
        self._needs_certificate = needs_certificate
        self._count = count

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or have it answered."""
        refusal = None if scope["path"] in PROBES else self._refusal(scope)
        await (refusal or self._application)(scope, receive, send)

    def _refusal(self, scope: Scope) -> Response | None:
        if self._needs_certificate and not scope["state"].get("has_certificate"):
            self._count("certificate")
            text = "A client certificate is needed (web.client_ca_file).\n"
            return PlainTextResponse(text, 403)
        if self._token is None:
            return None
        try:
            token = self._token.read()
        except WebError:  # told by `Server.refresh`
            self._count("token")
            return PlainTextResponse("The token can't be read: see /readyz.\n", 503)
        if hmac.compare_digest(_given(scope), token):
            return None
        self._count("token")
        response = PlainTextResponse("A token is needed (web.token_file).\n", 401)
        response.headers.append("WWW-Authenticate", "Bearer")
        response.headers.append("WWW-Authenticate", 'Basic realm="logwatch", charset="UTF-8"')
        return response


def _given(scope: Scope) -> bytes:
    """Give the token of a request; empty, which none is, where there is none."""
    given = [value for name, value in scope["headers"] if name == b"authorization"]
    if len(given) != 1:
        return b""
    scheme, _, value = given[0].partition(b" ")
    if scheme.lower() == b"bearer":
        return bytes(value.strip())
    if scheme.lower() == b"basic":
        try:
            return base64.b64decode(value, validate=True).partition(b":")[2]
        except binascii.Error:
            return b""
    return b""
