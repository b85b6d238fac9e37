"""A running agent or escalator, asked over HTTP.

Directly, and of no other host than the one that is named: no proxy of the environment is asked and
no redirection is followed, since a token may be in the request.
"""

import ssl
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote, urlencode, urlsplit

import msgspec

from logwatch.errors import UsageError
from logwatch.top.origin import AwayError, UnknownError
from logwatch.top.summary import Details, Order, Summary

SECONDS = 5.0
"""What an answer may take; a server works two seconds at most for its newest counts."""

ANSWER_MOST = 64 << 20
"""Bytes of an answer: 1,000 sources take one MiB, 50,000 bans 20."""

SCHEMA = 1

Shape = TypeVar("Shape", Summary, Details)


class AddressError(UsageError):
    """No address to ask, or nothing to ask it with."""


class Server:
    """Answers what is denied now. One question at a time."""

    def __init__(
        self,
        url: str,
        *,
        token: Path | None = None,
        ca: Path | None = None,
        certificate: Path | None = None,
        key: Path | None = None,
    ) -> None:
        """Check what is given. Raises AddressError.

        `token` is a file with a bearer token, read anew for each question since it may be renewed;
        `ca` one with the certificates that are trusted, in the place of the system's. `certificate`
        is shown to a server that asks for one; its key may be in the same file.
        """
        self.url = url
        parts = urlsplit(url)
        try:
            self._port = parts.port
        except ValueError:
            self._port = -1
        if parts.scheme not in {"http", "https"} or not parts.hostname or self._port == -1:
            raise AddressError(f"--url {url} is no address; give one such as http://10.0.0.7:9137")
        self._host = parts.hostname
        self._base = parts.path.rstrip("/")
        is_secure = parts.scheme == "https"
        if not is_secure and (ca is not None or certificate is not None):
            raise AddressError(f"--ca and --certificate are for https, but --url is {url}")
        self._trust = _trust(ca, certificate, key) if is_secure else None
        self._token = token
        if token is not None:
            self._headers()

    def summary(self, *, top: int, order: Order, query: str) -> Summary:
        """Ask for all at once. Raises AwayError and AddressError."""
        asked = urlencode({"top": top, "sort": order, "query": query})
        return self._ask(f"/api/summary?{asked}", Summary)

    def details(self, source: str) -> Details:
        """Ask for one source. Raises UnknownError, AwayError and AddressError."""
        return self._ask(f"/api/sources/{quote(source, safe=':')}", Details)

    def close(self) -> None:
        """Nothing stays open between two questions."""

    def _headers(self) -> dict[str, str]:
        if self._token is None:
            return {}
        try:
            token = self._token.read_text().strip()
        except (OSError, UnicodeDecodeError) as error:
            raise AddressError(f"can't read --token-file {self._token}: {_why(error)}") from None
        if not (token.isascii() and token.isprintable()):
            raise AddressError(f"--token-file {self._token} does not hold one line of ASCII")
        return {"Authorization": f"Bearer {token}"}

    def _ask(self, path: str, shape: type[Shape]) -> Shape:
        code, body = self._get(self._base + path)
        if code == 404 and shape is Details:  # noqa: PLR2004 - HTTP's number
            raise UnknownError(body.decode(errors="replace").strip())
        if code != 200:  # noqa: PLR2004 - the same
            raise AwayError(f"{self.url} answers {code}{_REASONS.get(code, '')}")
        try:
            answer = msgspec.json.decode(body, type=shape)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise AwayError(f"{self.url} answers what is not logwatch's: {error}") from None
        if answer.schema != SCHEMA:
            raise AwayError(
                f"{self.url} answers in form {answer.schema}, and this logwatch reads {SCHEMA}:"
                " use the same version"
            )
        return answer

    def _get(self, path: str) -> tuple[int, bytes]:
        connection = (
            HTTPConnection(self._host, self._port, timeout=SECONDS)
            if self._trust is None
            else HTTPSConnection(self._host, self._port, timeout=SECONDS, context=self._trust)
        )
        try:
            connection.request("GET", path, headers=self._headers())
            with connection.getresponse() as answer:
                body = answer.read(ANSWER_MOST + 1)
        except (OSError, HTTPException) as error:
            raise AwayError(f"{self.url} does not answer: {_why(error)}") from None
        finally:
            connection.close()
        if len(body) > ANSWER_MOST:
            raise AwayError(f"{self.url} answers more than {ANSWER_MOST >> 20} MiB")
        return answer.status, body


_REASONS = {
    401: ": it wants a token; name its file with --token-file",
    403: ": it wants a certificate; name its file with --certificate",
    404: ": is it a logwatch, and as new as this one?",
}


def _trust(ca: Path | None, certificate: Path | None, key: Path | None) -> ssl.SSLContext:
    try:
        trust = ssl.create_default_context(cafile=ca)
    except OSError as error:
        raise AddressError(f"can't use --ca {ca}: {_why(error)}") from None
    if certificate is not None:
        try:
            # Without a word a passphrase would be asked for on the terminal.
            trust.load_cert_chain(certificate, key, password="")
        except OSError as error:
            raise AddressError(f"can't use --certificate {certificate}: {_why(error)}") from None
    return trust


_UNKNOWN_ISSUER = frozenset({18, 19, 20, 21})
"""OpenSSL's numbers for certificates that lead to nobody who is trusted."""


def _why(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        remedy = "; name its authority with --ca" if error.verify_code in _UNKNOWN_ISSUER else ""
        return f"{error.verify_message}{remedy}"
    if isinstance(error, TimeoutError):
        return "it takes too long"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    return str(error) or type(error).__name__
