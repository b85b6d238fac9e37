"""TLS over real sockets: what is shown to clients, what is renewed, and what is refused."""

import errno
import os
import re
import ssl
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import httpx
import msgspec
import pytest
import trustme
from cryptography.hazmat.primitives import serialization
from export.serving import EXPIRED, Files, connected, new_server, serving, shown_certificate

from logwatch.config import Web
from logwatch.errors import LogwatchError
from logwatch.export import WebError
from logwatch.export.tls import Tls
from logwatch.export.validity import validity

IS_ROOT = os.geteuid() == 0


def test_a_scrape_is_encrypted_and_the_certificate_verified(files: Files) -> None:
    with serving(files.web) as server, files.client(server) as client:
        assert "https" == server.scheme
        assert 200 == client.get("/metrics").status_code
        with httpx.Client(trust_env=False) as stranger, pytest.raises(httpx.ConnectError):
            stranger.get(f"https://127.0.0.1:{server.address[1]}/metrics")


def test_one_file_may_hold_certificate_and_key(files: Files, tmp_path: Path) -> None:
    both = tmp_path / "both.pem"
    both.write_bytes(
        Path(files.path("tls.key")).read_bytes() + Path(files.path("tls.crt")).read_bytes()
    )
    with serving(Web(certificate_file=str(both))) as server, files.client(server) as client:
        assert 200 == client.get("/metrics").status_code


def test_the_files_that_the_document_makes_are_taken(tmp_path: Path) -> None:
    text = (Path(__file__).parents[2] / "docs" / "configuration.md").read_text()
    [commands] = re.findall(r"```sh\n(openssl .*?)```", text, re.DOTALL)
    subprocess.run(["sh", "-euc", commands], cwd=tmp_path, check=True, capture_output=True)
    web = Web(*(str(tmp_path / name) for name in ("tls.crt", "tls.key")))
    web = msgspec.structs.replace(web, token_file=str(tmp_path / "token"))
    with serving(web) as server:
        assert server.refresh() is None
        context = ssl.create_default_context(cafile=tmp_path / "tls.crt")
        headers = {"Authorization": f"Bearer {(tmp_path / 'token').read_text().strip()}"}
        address = f"https://127.0.0.1:{server.address[1]}/metrics"
        answer = httpx.get(address, verify=context, headers=headers, trust_env=False)
        assert 200 == answer.status_code


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_versions_that_are_safe_are_spoken(files: Files, version: ssl.TLSVersion) -> None:
    context = files.trusting()
    context.minimum_version = context.maximum_version = version
    with serving(files.web) as server, files.client(server, context) as client:
        assert 200 == client.get("/metrics").status_code


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1_1 is deprecated:DeprecationWarning")
def test_an_old_version_is_refused_and_counted(files: Files) -> None:
    context = files.trusting()
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    with serving(files.web) as server:
        with files.client(server, context) as client, pytest.raises(httpx.ConnectError):
            client.get("/metrics")
        with files.client(server) as client:
            assert 200 == client.get("/metrics").status_code
        assert 1 == server.refusals["handshake"]


def test_plain_http_is_no_handshake(files: Files) -> None:
    """It is closed without an answer, and others are served."""
    with serving(files.web) as server, connected(server) as plain:
        plain.sendall(b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n")
        assert b"HTTP" not in plain.recv(1000)
        with files.client(server) as client:
            assert 200 == client.get("/metrics").status_code


def test_a_renewed_certificate_is_shown_to_new_connections(files: Files) -> None:
    """By the switch of a link, as Kubernetes renews a Secret; connections that are open stay."""
    with serving(files.web) as server, files.client(server) as client:
        assert 200 == client.get("/metrics").status_code
        renewed = files.issue(ends=datetime(2090, 1, 1, tzinfo=UTC))
        assert server.refresh() is None
        assert renewed == shown_certificate(server)
        assert datetime(2090, 1, 1, tzinfo=UTC).timestamp() == server.certificate_ends
        assert 200 == client.get("/metrics").status_code


def test_a_file_written_over_is_read_too(files: Files, tmp_path: Path) -> None:
    """Certificate and key one after the other: what does not match between is no end."""
    path, key = tmp_path / "own.crt", tmp_path / "own.key"
    path.write_bytes(Path(files.path("tls.crt")).read_bytes())
    key.write_bytes(Path(files.path("tls.key")).read_bytes())
    with serving(Web(certificate_file=str(path), key_file=str(key))) as server:
        renewed = files.issue()
        path.write_text(renewed)
        problem = server.refresh()
        assert problem is not None
        assert "does not belong" in problem
        key.write_bytes(Path(files.path("tls.key")).read_bytes())
        assert server.refresh() is None
        assert renewed == shown_certificate(server)


def gone(files: Files) -> None:
    (files.directory / "tls.crt").unlink()


def cut(files: Files) -> None:
    old = (files.directory / "tls.crt").read_bytes()
    files.write({"tls.crt": old[: len(old) // 4], "tls.key": b""})


def of_another(files: Files) -> None:
    key = (files.directory / "tls.key").read_bytes()
    files.issue()
    files.write({"tls.crt": (files.directory / "tls.crt").read_bytes(), "tls.key": key})


def without_key(files: Files) -> None:
    files.write({"tls.crt": (files.directory / "tls.crt").read_bytes(), "tls.key": b"\0no key"})


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (gone, r"tls\.crt can't be read \(No such file or directory\): name a file that is there"),
        (cut, r"tls\.crt holds no certificate in PEM"),
        (of_another, r"tls\.key does not belong to the certificate .*tls\.crt: give both of one"),
        (without_key, r"tls\.key and the certificate .*tls\.crt can't be used \(.+\): give both"),
    ],
)
def test_what_is_broken_is_refused_at_the_start_and_later_the_old_one_stays(
    files: Files, spoil: Callable[[Files], None], reason: str
) -> None:
    """With a sentence that names the file, the reason and the remedy, until it is mended."""
    with serving(files.web) as server:
        before = shown_certificate(server)
        spoil(files)
        for _ in range(2):
            problem = server.refresh()
            assert problem is not None
            assert problem.endswith(" The certificate read before stays in use.")
            with pytest.raises(WebError, match=reason) as caught:
                new_server(files.web).start()
            assert problem.startswith(str(caught.value))
        assert before == shown_certificate(server)
        (files.directory / "tls.crt").unlink(missing_ok=True)
        renewed = files.issue()
        assert server.refresh() is None
        assert renewed == shown_certificate(server)


def test_a_key_with_a_passphrase_is_refused_without_asking_for_it(files: Files) -> None:
    key = serialization.load_pem_private_key((files.directory / "tls.key").read_bytes(), None)
    encrypted = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"secret"),
    )
    certificate = (files.directory / "tls.crt").read_bytes()
    files.write({"tls.crt": certificate, "tls.key": encrypted})
    with pytest.raises(WebError, match=r"tls\.key is encrypted: give one without a passphrase"):
        new_server(files.web).start()


def test_what_may_not_be_read_is_told_with_the_remedy(
    files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert issubclass(WebError, LogwatchError)
    if IS_ROOT:  # root reads all: the kernel's answer to another user is put in its place
        opened = Path.open

        def refuse(path: Path, mode: str = "r") -> object:
            if path.name == "tls.key":
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
            return opened(path, mode)

        monkeypatch.setattr(Path, "open", refuse)
    else:
        (files.directory / "tls.key").chmod(0)
    expected = rf"key {files.path('tls.key')} can't be read \(Permission denied\): let the user of"
    with pytest.raises(WebError, match=expected):
        new_server(files.web).start()


def test_an_expired_certificate_is_served_and_told(files: Files) -> None:
    """Whoever does not verify still gets the metrics; time alone makes it expire."""
    files.issue(begins=datetime(2019, 1, 1, tzinfo=UTC), ends=EXPIRED)
    with serving(files.web) as server:
        expected = (
            f"The certificate {files.path('tls.crt')} expired at 2020-01-02T03:04:05Z: clients "
            "refuse it. Renew it, or set the clock; it is read without a restart."
        )
        assert expected == server.refresh()
        assert EXPIRED.timestamp() == server.certificate_ends
        with files.client(server, ssl._create_unverified_context()) as careless:
            assert 200 == careless.get("/metrics").status_code
        files.issue()
        assert server.refresh() is None


def test_a_certificate_tells_when_it_begins(files: Files) -> None:
    files.issue(begins=datetime(2040, 1, 1, tzinfo=UTC), ends=datetime(2050, 1, 1, tzinfo=UTC))
    now = 2.0e9
    tls = Tls(files.web, lambda: now)
    problem = tls.refresh()
    assert problem is not None
    assert "begins at 2040-01-01T00:00:00Z" in problem
    now = 2.3e9
    assert tls.refresh() is None
    now = 2.6e9
    problem = tls.refresh()
    assert problem is not None
    assert "expired at 2050-01-01T00:00:00Z" in problem


@pytest.mark.parametrize("year", [1950, 1999, 2000, 2049, 2050, 9998])
def test_the_dates_of_a_certificate_are_read_as_openssl_reads_them(
    authority: trustme.CA, year: int
) -> None:
    """In both of the forms in which they are written, by their year."""
    begins = datetime(year, 1, 2, 3, 4, 5, tzinfo=UTC)
    ends = datetime(year + 1, 12, 31, 23, 59, 59, tzinfo=UTC)
    leaf = authority.issue_cert("a", not_before=begins, not_after=ends)
    pem = leaf.cert_chain_pems[0].bytes()
    assert (begins.timestamp(), ends.timestamp()) == validity(f"first\n{pem.decode()}")
    told = subprocess.run(
        ["openssl", "x509", "-noout", "-enddate"], input=pem, capture_output=True, check=True
    )
    assert ends.strftime("notAfter=%b %d %H:%M:%S %Y GMT\n") == told.stdout.decode()


def test_a_certificate_that_was_cut_anywhere_is_no_certificate(authority: trustme.CA) -> None:
    pem = authority.issue_cert("a").cert_chain_pems[0].bytes().decode()
    der = ssl.PEM_cert_to_DER_cert(pem)
    for length in range(len(der)):
        with pytest.raises(ValueError, match=r".*"):
            validity(ssl.DER_cert_to_PEM_cert(der[:length]))
