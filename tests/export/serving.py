"""A server that shows a fixed page, and who may read it."""

import socket
import ssl
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import httpx
import trustme
from export.views import counted_view

from logwatch.config import Web
from logwatch.export import Asked, Metrics, Server

SECONDS = 30.0
"""For an answer, so that a machine at work fails no test."""


class NoPage:
    """For who does not look at it."""

    def summary(self, asked: Asked) -> bytes:
        raise NotImplementedError

    def source(self, address: str) -> bytes | None:
        raise NotImplementedError


def new_server(web: Web, notes: list[str] | None = None) -> Server:
    return Server(
        ("127.0.0.1", 0),
        metrics=Metrics(counted_view, version="1.2.3"),
        page=NoPage(),
        commit=lambda: None,
        health=list,
        ready=list,
        notes=lambda: notes or [],
        web=web,
    )


@contextmanager
def serving(web: Web) -> Iterator[Server]:
    server = new_server(web)
    server.start()
    try:
        yield server
    finally:
        server.stop()


@dataclass
class Files:
    """Certificates of one authority, in a directory as Kubernetes mounts a Secret."""

    directory: Path
    authority: trustme.CA
    names: tuple[str, ...] = ("127.0.0.1", "localhost")

    @property
    def web(self) -> Web:
        return Web(certificate_file=self.path("tls.crt"), key_file=self.path("tls.key"))

    def path(self, name: str) -> str:
        return str(self.directory / name)

    def issue(self, *, ends: datetime | None = None, begins: datetime | None = None) -> str:
        """Write a certificate and its key anew; give the certificate."""
        leaf = self.authority.issue_cert(*self.names, not_after=ends, not_before=begins)
        chain = b"".join(blob.bytes() for blob in leaf.cert_chain_pems)
        self.write({"tls.crt": chain, "tls.key": leaf.private_key_pem.bytes()})
        return leaf.cert_chain_pems[0].bytes().decode()

    def write(self, files: dict[str, bytes]) -> None:
        """Put files in place of all, by one switch of a symbolic link."""
        self.directory.mkdir(exist_ok=True)
        version = Path(tempfile.mkdtemp(prefix="..", dir=self.directory))
        for name, content in files.items():
            (version / name).write_bytes(content)
            if not (self.directory / name).is_symlink():
                (self.directory / name).symlink_to(Path("..data", name))
        switch = self.directory / "..data_tmp"
        switch.symlink_to(version.name)
        switch.rename(self.directory / "..data")

    def trusting(self) -> ssl.SSLContext:
        """Give what a client of this authority connects with."""
        context = ssl.create_default_context()
        self.authority.configure_trust(context)
        return context

    def client(self, server: Server, context: ssl.SSLContext | None = None) -> httpx.Client:
        address = f"https://127.0.0.1:{server.address[1]}"
        verify = context or self.trusting()
        return httpx.Client(base_url=address, verify=verify, trust_env=False, timeout=SECONDS)


def shown_certificate(server: Server) -> str:
    """Give the certificate that a new connection gets."""
    return ssl.get_server_certificate(server.address, timeout=SECONDS)


def connected(server: Server) -> socket.socket:
    return socket.create_connection(server.address, timeout=SECONDS)


EXPIRED = datetime(2020, 1, 2, 3, 4, 5, tzinfo=UTC)
