"""The agent behind TLS and a token, as an operator sets it up."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
import trustme
from command import logwatch
from export.serving import SECONDS, Files
from lab.agent import RunningAgent
from prometheus_client.parser import text_string_to_metric_families

TOKEN = "a-secret-of-some-length"


@pytest.fixture
def files(tmp_path: Path) -> Files:
    files = Files(tmp_path / "tls", trustme.CA())
    files.issue()
    return files


@pytest.fixture
def configuration(tmp_path: Path, files: Files) -> Path:
    """Give a configuration with TLS and a token."""
    (tmp_path / "token").write_text(TOKEN)
    web = {
        "certificate_file": files.path("tls.crt"),
        "key_file": files.path("tls.key"),
        "token_file": str(tmp_path / "token"),
    }
    path = tmp_path / "agent.yaml"
    path.write_text(json.dumps({"web": web}))
    return path


def expiry(page: str) -> float:
    """Give what the metrics tell of the certificate."""
    [family] = [
        each
        for each in text_string_to_metric_families(page)
        if each.name == "logwatch_certificate_expires_timestamp_seconds"
    ]
    return family.samples[0].value


def test_a_certificate_is_renewed_while_the_agent_runs(
    start_agent: Callable[..., RunningAgent], configuration: Path, files: Files, tmp_path: Path
) -> None:
    """A broken one is told in the log and in the notes of /readyz, and harms nobody."""
    (tmp_path / "syslog").touch()
    agent = start_agent("--config", str(configuration))
    assert agent.url.startswith("https://127.0.0.1:")

    def get(path: str, **headers: str) -> httpx.Response:
        return httpx.get(
            agent.url + path,
            headers=headers,
            verify=files.trusting(),
            trust_env=False,
            timeout=SECONDS,
        )

    def scrape() -> str:
        return get("/metrics", Authorization=f"Bearer {TOKEN}").text

    assert (401, 401) == (get("/metrics").status_code, get("/").status_code)
    assert (200, "ok\n") == (get("/readyz").status_code, get("/readyz").text)
    assert 'logwatch_http_refusals_total{reason="token"} 2.0' in scrape()
    files.write({"tls.crt": b"nothing", "tls.key": b""})
    agent.wait_for(lambda: "\nnote: The file " in get("/readyz").text, "note")
    assert 200 == get("/readyz").status_code
    assert "logwatch_ready 1.0" in scrape()
    renewed = datetime(2090, 1, 1, tzinfo=UTC)
    files.issue(ends=renewed)
    agent.wait_for(lambda: get("/readyz").text == "ok\n", "renewal")
    assert renewed.timestamp() == expiry(scrape())
    told = [event for event in agent.events if event.get("part") == "web"]
    assert ["degraded", "web works again"] == [event["event"] for event in told]
    assert "tls.crt holds no certificate in PEM" in str(told[0]["problem"])
    assert TOKEN not in json.dumps(agent.events)


def test_what_can_not_be_served_ends_the_start_with_a_sentence(
    configuration: Path, files: Files, tmp_path: Path
) -> None:
    (files.directory / "tls.key").unlink()
    (tmp_path / "syslog").touch()
    done = logwatch(
        *("agent", "--config", str(configuration), "--log", str(tmp_path / "syslog")),
        *("--state", str(tmp_path / "state"), "--listen", "127.0.0.1:0"),
    )
    expected = (
        f"logwatch: The key {files.path('tls.key')} can't be read (No such file or directory): name"
        " a file that is there.\n"
    )
    assert (1, expected) == (done.returncode, done.stderr.decode())
