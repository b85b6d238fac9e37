"""The real Prometheus and Alertmanager of Debian, as child processes on 127.0.0.1."""

import json
import threading
import urllib.parse
import urllib.request
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import MappingProxyType
from typing import Any, Self

from lab.namespace import require
from lab.process import Server, free_port

INTERVAL = "250ms"
"""Of scrapes and evaluations: what a minute does elsewhere takes a second here."""

Result = list[dict[str, Any]]


class _Listening:
    """A server of 127.0.0.1 with its files in a directory; a context manager."""

    def __init__(self, directory: Path, name: str, ready: str) -> None:
        require(name)
        directory.mkdir(parents=True)
        self.directory = directory
        self.address = f"127.0.0.1:{free_port()}"
        self._name = name
        self._ready = ready
        self._stack = ExitStack()

    def options(self) -> Sequence[str]:
        """Write the configuration, and give the command line that names it."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        server = Server([self._name, *self.options()], self.directory / "log")
        self._stack.callback(server.kill)
        server.start(self._answers)
        return self

    def __exit__(self, *_exception: object) -> None:
        self._stack.close()

    def get(self, path: str) -> bytes:
        """Give what it answers; OSError when it does not."""
        with urllib.request.urlopen(f"http://{self.address}{path}", timeout=10) as answer:
            return answer.read()

    def _answers(self) -> bool:
        try:
            self.get(self._ready)
        except OSError:
            return False
        return True


class Prometheus(_Listening):
    """Scrapes jobs of addresses, evaluates rules, and sends alerts to one Alertmanager."""

    def __init__(
        self,
        directory: Path,
        jobs: Mapping[str, Sequence[str]],
        *,
        rules: Path,
        alertmanager: "Alertmanager",
        scrape: Mapping[str, object] = MappingProxyType({}),
    ) -> None:
        """`scrape` are settings of every job."""
        super().__init__(directory, "prometheus", "/-/ready")
        self._jobs = jobs
        self._rules = rules
        self._alertmanager = alertmanager
        self._scrape = scrape

    def options(self) -> Sequence[str]:
        """Write the configuration (JSON is YAML)."""
        told = [{"static_configs": [{"targets": [self._alertmanager.address]}]}]
        configuration = {
            "global": {"scrape_interval": INTERVAL, "evaluation_interval": INTERVAL}
            | {"scrape_timeout": INTERVAL},
            "rule_files": [str(self._rules)],
            "alerting": {"alertmanagers": told},
            "scrape_configs": [
                {
                    **self._scrape,
                    "job_name": job,
                    "static_configs": [{"targets": list(addresses)}],
                }
                for job, addresses in self._jobs.items()
            ],
        }
        path = self.directory / "prometheus.json"
        path.write_text(json.dumps(configuration))
        return [
            f"--config.file={path}",
            f"--storage.tsdb.path={self.directory / 'data'}",
            f"--web.listen-address={self.address}",
            "--log.level=warn",
        ]

    def query(self, expression: str) -> Result:
        """Give what an expression is now: a vector; AssertionError when it is none."""
        query = urllib.parse.urlencode({"query": expression})
        answer = json.loads(self.get(f"/api/v1/query?{query}"))["data"]
        assert answer["resultType"] == "vector", expression
        return answer["result"]

    def values(self, expression: str) -> dict[tuple[str, ...], float]:
        """Give the values by label values in the order of labels' names."""
        return {
            tuple(value for _, value in sorted(each["metric"].items())): float(each["value"][1])
            for each in self.query(expression)
        }


class Alertmanager(_Listening):
    """Sends each alert to a receiver at once; `received` are its messages."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory, "prometheus-alertmanager", "/-/ready")
        self.received: list[dict[str, Any]] = []

    def options(self) -> Sequence[str]:
        """Start the receiver, and write the configuration that names it."""
        hook = f"http://127.0.0.1:{self._receive()}/"
        configuration = {
            "route": {"receiver": "test", "group_by": ["..."], "group_wait": "0s"},
            "receivers": [{"name": "test", "webhook_configs": [{"url": hook}]}],
        }
        path = self.directory / "alertmanager.json"
        path.write_text(json.dumps(configuration))
        return [
            f"--config.file={path}",
            f"--storage.path={self.directory / 'data'}",
            f"--web.listen-address={self.address}",
            "--cluster.listen-address=",
            "--log.level=warn",
        ]

    def alerts(self, name: str) -> list[dict[str, Any]]:
        """Give the alerts of a name that the receiver got."""
        sent = [alert for message in self.received for alert in message["alerts"]]
        return [alert for alert in sent if alert["labels"]["alertname"] == name]

    def _receive(self) -> int:
        received = self.received

        class Receiver(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers["Content-Length"])
                received.append(json.loads(self.rfile.read(length)))
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_arguments: object) -> None:
                """Say nothing."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        self._stack.callback(thread.join)
        self._stack.callback(server.server_close)
        self._stack.callback(server.shutdown)
        return server.server_address[1]
