"""Who is answered: a token, client certificates, and the probes that need neither."""

import ssl
from pathlib import Path

import httpx
import pytest
import trustme
from export.serving import SECONDS, Files, new_server, serving

from logwatch.config import Web
from logwatch.export import Server, WebError

TOKEN = "a-secret-of-some-length"
CLOSED = ("/", "/metrics", "/nothing", "/healthz/", "/readyz/../metrics", "//healthz")


@pytest.fixture
def token(tmp_path: Path) -> Path:
    path = tmp_path / "token"
    path.write_text(f"{TOKEN}\n")
    return path


def plain(server: Server, **options: object) -> httpx.Client:
    address = f"http://127.0.0.1:{server.address[1]}"
    return httpx.Client(base_url=address, trust_env=False, timeout=SECONDS, **options)


def bearing(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def test_without_the_token_only_probes_are_answered(token: Path) -> None:
    """The kubelet has none. Every other path says the same, whether it is there or not."""
    with serving(Web(token_file=str(token))) as server, plain(server) as client:
        for path in CLOSED:
            answer = client.get(path)
            assert (401, "A token is needed (web.token_file).\n") == (
                answer.status_code,
                answer.text,
            )
            assert "Bearer, Basic" in answer.headers["www-authenticate"]
        assert len(CLOSED) == server.refusals["token"]
        for path in ("/healthz", "/readyz"):
            assert 200 == client.get(path).status_code
        assert 200 == client.get("/metrics", headers=bearing(TOKEN)).status_code
        assert 200 == client.get("/", auth=("anybody", TOKEN)).status_code
        assert len(CLOSED) == server.refusals["token"]


@pytest.mark.parametrize(
    "headers",
    [
        [("Authorization", "")],
        [("Authorization", "Bearer")],
        [("Authorization", f"Bearer {TOKEN}x")],
        [("Authorization", f"Bearer {TOKEN[:-1]}")],
        [("Authorization", f"Bearer {TOKEN.upper()}")],
        [("Authorization", TOKEN)],
        [("Authorization", f"Digest {TOKEN}")],
        [("Authorization", "Basic !")],
        [("Authorization", "Basic YQ==")],
        [("Authorization", f"Basic {TOKEN}")],
        [("Authorization", f"Bearer {TOKEN}"), ("Authorization", "Bearer x")],
        [("X-Token", TOKEN)],
    ],
)
def test_what_is_not_the_token_is_refused(token: Path, headers: list[tuple[str, str]]) -> None:
    with serving(Web(token_file=str(token))) as server, plain(server) as client:
        assert 401 == client.get("/metrics", headers=headers).status_code


def test_a_changed_token_holds_at_once(token: Path) -> None:
    """On connections that are open too; the one before is worth nothing any more."""
    with serving(Web(token_file=str(token))) as server, plain(server) as client:
        assert 200 == client.get("/metrics", headers=bearing(TOKEN)).status_code
        token.write_text("another")
        assert 401 == client.get("/metrics", headers=bearing(TOKEN)).status_code
        assert 200 == client.get("/metrics", headers=bearing("another")).status_code


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", r"The token .*token is empty: write one line into it\."),
        (b" \n\n", "is empty"),
        (b"two words", r"can't be sent in a header: write one line of ASCII without spaces"),
        (b"two\nlines", "can't be sent in a header"),
        ("schlüssel".encode(), "can't be sent in a header"),
        (b"\x00", "can't be sent in a header"),
        (None, r"The token .*token can't be read \(No such file or directory\): name a file"),
    ],
)
def test_what_is_no_token_lets_nobody_in(token: Path, content: bytes | None, sentence: str) -> None:
    """It is refused at the start; later nobody but a probe is answered until it is mended."""
    web = Web(token_file=str(token))
    with serving(web) as server, plain(server) as client:
        token.unlink()
        if content is not None:
            token.write_bytes(content)
        with pytest.raises(WebError, match=sentence) as caught:
            new_server(web).start()
        problem = server.refresh()
        assert problem is not None
        assert problem.startswith(f"{caught.value} Nobody is answered but probes.")
        for headers in (bearing(TOKEN), {"Authorization": "Bearer"}, {}):
            answer = client.get("/metrics", headers=headers)
            assert (503, "The token can't be read: see /readyz.\n") == (
                answer.status_code,
                answer.text,
            )
        assert 200 == client.get("/healthz").status_code
        token.write_text(TOKEN)
        assert 200 == client.get("/metrics", headers=bearing(TOKEN)).status_code


def test_a_token_in_the_clear_is_told(files: Files, token: Path) -> None:
    with serving(Web(token_file=str(token))) as server:
        assert (
            "The token of web.token_file is sent in the clear: give web.certificate_file as "
            "well." == server.refresh()
        )
    both = Web(files.path("tls.crt"), files.path("tls.key"), token_file=str(token))
    with serving(both) as server, files.client(server) as client:
        assert server.refresh() is None
        assert 401 == client.get("/metrics").status_code
        assert 200 == client.get("/metrics", headers=bearing(TOKEN)).status_code


@pytest.fixture
def clients(tmp_path: Path) -> trustme.CA:
    """Give the authority of clients, whose certificate is in clients.crt."""
    clients = trustme.CA()
    clients.cert_pem.write_to_path(tmp_path / "clients.crt")
    return clients


def shown_by(files: Files, authority: trustme.CA) -> ssl.SSLContext:
    """Give what a client connects with that shows a certificate of an authority."""
    context = files.trusting()
    authority.issue_cert("prometheus").configure_cert(context)
    return context


def mutual(files: Files, tmp_path: Path, token: Path | None = None) -> Web:
    return Web(
        files.path("tls.crt"),
        files.path("tls.key"),
        str(tmp_path / "clients.crt"),
        None if token is None else str(token),
    )


def test_without_a_client_certificate_only_probes_are_answered(
    files: Files, tmp_path: Path, clients: trustme.CA
) -> None:
    """The kubelet shows none; one of another authority ends the handshake."""
    with serving(mutual(files, tmp_path)) as server:
        with files.client(server) as client:
            for path in CLOSED:
                answer = client.get(path)
                assert (403, "A client certificate is needed (web.client_ca_file).\n") == (
                    answer.status_code,
                    answer.text,
                )
            assert len(CLOSED) == server.refusals["certificate"]
            for path in ("/healthz", "/readyz"):
                assert 200 == client.get(path).status_code
        stranger = files.client(server, shown_by(files, trustme.CA()))
        with stranger, pytest.raises(httpx.TransportError):
            stranger.get("/healthz")
        with files.client(server, shown_by(files, clients)) as client:
            assert 200 == client.get("/metrics").status_code
        assert 1 == server.refusals["handshake"]


def test_where_both_are_asked_for_both_are_needed(
    files: Files, tmp_path: Path, clients: trustme.CA, token: Path
) -> None:
    with serving(mutual(files, tmp_path, token)) as server:
        with files.client(server) as client:
            assert 403 == client.get("/metrics", headers=bearing(TOKEN)).status_code
        with files.client(server, shown_by(files, clients)) as client:
            assert 401 == client.get("/metrics").status_code
            assert 200 == client.get("/metrics", headers=bearing(TOKEN)).status_code


def test_a_renewed_authority_of_clients_holds_for_new_connections(
    files: Files, tmp_path: Path, clients: trustme.CA
) -> None:
    """A broken one changes nothing."""
    path = tmp_path / "clients.crt"
    with serving(mutual(files, tmp_path)) as server:
        path.write_text("nothing")
        problem = server.refresh()
        assert problem is not None
        assert f"{path} holds no certificate of an authority in PEM" in problem
        with files.client(server, shown_by(files, clients)) as client:
            assert 200 == client.get("/metrics").status_code
        others = trustme.CA()
        others.cert_pem.write_to_path(path)
        assert server.refresh() is None
        with files.client(server, shown_by(files, others)) as client:
            assert 200 == client.get("/metrics").status_code
        client = files.client(server, shown_by(files, clients))
        with client, pytest.raises(httpx.TransportError):
            client.get("/metrics")


def test_a_missing_authority_of_clients_is_refused_at_the_start(
    files: Files, tmp_path: Path
) -> None:
    with pytest.raises(WebError, match=r"clients\.crt can't be read \(No such file or directory\)"):
        new_server(mutual(files, tmp_path)).start()
