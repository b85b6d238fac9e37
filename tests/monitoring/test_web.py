"""A real Prometheus scrapes by TLS with a token, set up as the document says."""

from pathlib import Path

import pytest
import trustme
from export.serving import Files, serving
from lab.prometheus import Alertmanager, Prometheus
from lab.rsyslog import eventually
from monitoring.conftest import RULES, SECONDS
from ruamel.yaml import YAML

from logwatch.config import Web

DOCUMENT = Path(__file__).parents[2] / "docs" / "operations.md"


def settings(directory: Path) -> dict:
    """Give those of the document, with files of a directory."""
    text = DOCUMENT.read_text().partition("### By TLS, with a token")[2]
    block = text.split("```yaml\n")[1].split("```")[0]
    [job] = YAML(typ="safe").load(block)["scrape_configs"]
    job["tls_config"]["ca_file"] = str(directory / job["tls_config"]["ca_file"])
    place = job["authorization"]
    place["credentials_file"] = str(directory / place["credentials_file"])
    return job


@pytest.fixture
def files(tmp_path: Path) -> Files:
    """Give a certificate of the name in the document, and the authority as ca.crt."""
    files = Files(tmp_path / "tls", trustme.CA())
    files.names = (settings(tmp_path)["tls_config"]["server_name"],)
    files.issue()
    files.authority.cert_pem.write_to_path(tmp_path / "ca.crt")
    return files


def test_prometheus_scrapes_by_the_settings_of_the_document(tmp_path: Path, files: Files) -> None:
    """With a token that is not that of the server it does not; with a changed one it does again."""
    token, own = tmp_path / "token", tmp_path / "token-of-the-server"
    token.write_text("first")
    own.write_text("first")
    web = Web(files.path("tls.crt"), files.path("tls.key"), token_file=str(own))
    with serving(web) as server, Alertmanager(tmp_path / "alertmanager") as alertmanager:
        jobs = {"logwatch": [f"127.0.0.1:{server.address[1]}"]}
        scrape = settings(tmp_path)
        with Prometheus(
            *(tmp_path / "prometheus", jobs), rules=RULES, alertmanager=alertmanager, scrape=scrape
        ) as prometheus:

            def is_up(number: int) -> bool:
                return eventually(
                    lambda: list(prometheus.values("sum (up)").values()) == [number], SECONDS
                )

            assert is_up(1)
            assert prometheus.values("sum (logwatch_denied_packets_total)")
            own.write_text("second")
            assert is_up(0)
            token.write_text("second")
            assert is_up(1)
