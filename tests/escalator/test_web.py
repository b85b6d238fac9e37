"""The escalator behind TLS and a token; the API server is not there."""

from pathlib import Path

import httpx
import trustme
from export.serving import SECONDS, Files
from lab.escalator import RunningEscalator
from lab.identity import Identity

TOKEN = "a-secret-of-some-length"


def test_only_probes_are_answered_without_the_token(tmp_path: Path) -> None:
    """Whether it is ready or not; a broken certificate is told in a note."""
    files = Files(tmp_path / "tls", trustme.CA())
    files.issue()
    (tmp_path / "token").write_text(TOKEN)
    files.authority.cert_pem.write_to_path(tmp_path / "ca.crt")
    nowhere = Identity("https://127.0.0.1:1", tmp_path / "ca.crt", "nobody")
    web = {
        "certificate_file": files.path("tls.crt"),
        "key_file": files.path("tls.key"),
        "token_file": str(tmp_path / "token"),
    }
    with RunningEscalator(tmp_path / "escalator", nowhere, web=web) as escalator:

        def get(path: str, **headers: str) -> httpx.Response:
            return httpx.get(
                escalator.url + path,
                headers=headers,
                verify=files.trusting(),
                trust_env=False,
                timeout=SECONDS,
            )

        assert [200, 503] == [get(path).status_code for path in ("/healthz", "/readyz")]
        assert [401, 401] == [get(path).status_code for path in ("/metrics", "/")]
        page = get("/metrics", Authorization=f"Bearer {TOKEN}").text
        assert "logwatch_certificate_expires_timestamp_seconds" in page
        files.write({"tls.crt": b"nothing", "tls.key": b""})
        escalator.wait_for(lambda: "\nnote: The file " in get("/readyz").text, "note")
