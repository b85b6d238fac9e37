"""The server's certificate, and that of whoever may ask; read again when a file changes.

New connections get what was read last. What is renewed but can't be used is told, and the one
before stays: a server that refuses everybody helps nobody.
"""

import errno
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from logwatch.config import Web
from logwatch.export.errors import WebError
from logwatch.export.validity import validity

Stamp = tuple[int, ...]
"""What changes when a file does: also when a symbolic link on the way leads elsewhere, as when
Kubernetes renews a Secret."""

REMEDIES = {
    errno.ENOENT: "name a file that is there",
    errno.EACCES: "let the user of this process read it",
    errno.EISDIR: "name the file in this directory",
}


@dataclass(frozen=True, slots=True)
class _Loaded:
    context: ssl.SSLContext
    begins: float
    ends: float


class Tls:
    """What connections are encrypted with; one thread may refresh, any may use the context."""

    def __init__(self, web: Web, clock: Callable[[], float] = time.time) -> None:
        """Read the files of `web`, which names a certificate; raises WebError."""
        self._certificate = Path(web.certificate_file or "")
        self._key = Path(web.key_file) if web.key_file else self._certificate
        self._clients = Path(web.client_ca_file) if web.client_ca_file else None
        self._clock = clock
        self._stamps = self._look()
        self._loaded = self._load()
        self._problem: str | None = None

    @property
    def context(self) -> ssl.SSLContext:
        """For a new connection."""
        return self._loaded.context

    @property
    def ends(self) -> float:
        """Unix seconds at which the certificate in use expires."""
        return self._loaded.ends

    def refresh(self) -> str | None:
        """Read the files again if one changed; give what is wrong now."""
        stamps = self._look()
        if stamps != self._stamps:
            self._stamps = stamps  # of before the reading: what changes meanwhile is read again
            try:
                self._loaded = self._load()
            except WebError as error:
                self._problem = f"{error} The certificate read before stays in use."
            else:
                self._problem = None
        return self._problem or self._out_of_time()

    def _out_of_time(self) -> str | None:
        now, loaded = self._clock(), self._loaded
        if loaded.begins <= now < loaded.ends:
            return None
        moment, word = (
            (loaded.ends, "expired at") if now >= loaded.ends else (loaded.begins, "begins at")
        )
        told = datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        return (
            f"The certificate {self._certificate} {word} {told}: clients refuse it. Renew it, or "
            "set the clock; it is read without a restart."
        )

    def _look(self) -> tuple[Stamp, ...]:
        paths = {self._certificate, self._key, self._clients or self._key}
        return tuple(_stamp(path) for path in sorted(paths))

    def _load(self) -> _Loaded:
        pem = read(self._certificate, "certificate").decode("latin-1")
        try:
            begins, ends = validity(pem)
        except ValueError as error:
            raise WebError(
                f"The file {self._certificate} holds no certificate in PEM ({error}): put the "
                "server's own first, then those that lead to the authority."
            ) from None
        read(self._key, "key")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.options |= ssl.OP_NO_RENEGOTIATION
        context.set_alpn_protocols(["http/1.1"])
        self._load_key(context)
        if self._clients is not None:
            self._load_clients(context, self._clients)
        return _Loaded(context, begins, ends)

    def _load_key(self, context: ssl.SSLContext) -> None:
        is_encrypted = False

        def ask() -> str:
            nonlocal is_encrypted
            is_encrypted = True
            return ""

        try:
            context.load_cert_chain(self._certificate, self._key, ask)
        except (OSError, ValueError) as error:
            reason = getattr(error, "reason", None) or str(error)
            if is_encrypted:
                told = "is encrypted: give one without a passphrase, which nobody could enter here"
            elif reason == "KEY_VALUES_MISMATCH":
                told = f"does not belong to the certificate {self._certificate}: give both of one"
            else:
                told = (
                    f"and the certificate {self._certificate} can't be used ({reason}): give both "
                    "in PEM, of at least 2048 bits or on an elliptic curve"
                )
            raise WebError(f"The key {self._key} {told}.") from None

    def _load_clients(self, context: ssl.SSLContext, clients: Path) -> None:
        pem = read(clients, "certificate of clients' authorities").decode("latin-1")
        try:
            context.load_verify_locations(cadata=pem)
        except (OSError, ValueError) as error:
            reason = getattr(error, "reason", None) or str(error)
            raise WebError(
                f"The file {clients} holds no certificate of an authority in PEM ({reason}): put "
                "those there by which clients' certificates are signed."
            ) from None
        # A probe of the kubelet has none; who needs one is `Access`'s to know.
        context.verify_mode = ssl.CERT_OPTIONAL


def read(path: Path, what: str) -> bytes:
    """Read a small file; raises WebError, with a remedy."""
    try:
        with path.open("rb") as file:
            return file.read(_MOST_BYTES)
    except OSError as error:
        remedy = REMEDIES.get(error.errno or 0, "see that it can be read")
        raise WebError(f"The {what} {path} can't be read ({error.strerror}): {remedy}.") from None


_MOST_BYTES = 1 << 20


def _stamp(path: Path) -> Stamp:
    try:
        seen = path.stat()
    except OSError as error:
        return (error.errno or 0,)
    return seen.st_dev, seen.st_ino, seen.st_size, seen.st_mtime_ns, seen.st_ctime_ns
