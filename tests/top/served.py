"""A server that answers as agents do, with what a test says; and such answers."""

import json
import threading
from collections import Counter
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, unquote, urlsplit

NOW = 1_790_000_000.0

Json = dict[str, Any]


class Served:
    """`summary` and `sources` are what it answers; a context manager.

    It keeps its port when it is stopped and started again.
    """

    def __init__(self, summary: Mapping[str, Any]) -> None:
        self.summary = summary
        self.sources: dict[str, Json] = {}
        self.token: str | None = None
        self.asked: list[dict[str, str]] = []
        """The parameters of each question for the summary."""
        self._port = 0
        self._server: ThreadingHTTPServer | None = None
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self.stop()

    def start(self) -> None:
        """Listen."""
        served = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                code, body = served._answer(self.path, self.headers.get("Authorization"))
                self.send_response(code)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_arguments: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", self._port), Handler)
        self._port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    def stop(self) -> None:
        """Be away."""
        if self._server is not None and self._thread is not None:
            self._server.shutdown()
            self._thread.join()
            self._server.server_close()
            self._server = None

    def _answer(self, path: str, authorization: str | None) -> tuple[int, bytes]:
        if self.token is not None and authorization != f"Bearer {self.token}":
            return 401, b"who are you?"
        parts = urlsplit(path)
        if parts.path == "/api/summary":
            asked = {key: value[0] for key, value in parse_qs(parts.query).items()}
            self.asked.append(asked)
            return 200, json.dumps(self.summary).encode()
        source = unquote(parts.path).removeprefix("/api/sources/")
        if source in self.sources:
            return 200, json.dumps(self.sources[source]).encode()
        return 404, f"nothing is known of {source}".encode()


def summary(**parts: object) -> Json:
    """Give an answer of an agent to which nothing happened, but for what is given."""
    return {
        "schema": 1,
        "role": "agent",
        "name": "worker-1",
        "version": "0.1.0",
        "started": NOW - 7200.0,
        "now": NOW,
        "mode": "enforce",
        "health": {"level": "ok", "findings": []},
        "inputs": [
            {
                "path": "/var/log/syslog",
                "readable": True,
                "behind_bytes": 0,
                "behind_seconds": 0.0,
                "last_packet": NOW - 3.0,
                "rotations": 0,
                "truncations": 0,
            }
        ],
        "lost": [],
        "lines": {"packet": 0, "repeated": 0, "odd": 0, "forged": 0, "other": 0},
        "totals": {"packets": 0, "bytes": 0, "logged": 0, "sources": 0},
        "history": history(),
        "interfaces": [],
        "sources": [],
        "other_sources": {"packets": 0},
        "ports": [],
        "offenders": [],
        "blacklist": [],
        "networks": {"decided": 0, "enforced": 0},
        "frozen": None,
        "held": 0,
        "refused": [],
        "nodes": [],
        "node_states": {},
        **parts,
    }


def history(**policies: list[int | None]) -> Json:
    """Give an hour of denied packets by policy; each list is of its end."""
    start = NOW - 3600.0 + 4.0  # 6 s of the last step are over
    series = [
        {"policy": policy, "action": "denied", "packets": [0] * (360 - len(packets)) + packets}
        for policy, packets in policies.items()
    ]
    return {"start": start, "step": 10.0, "series": series}


def source(address: str, packets: int, **parts: object) -> Json:
    """Give one line of the sources."""
    last = {"last": NOW - 1.0, "phase": None, "rule": None}
    recent = [0] * 58 + [packets, 0]
    return {"source": address, "packets": packets, "bytes": 40, "recent": recent, **last, **parts}


def port(number: int | None, protocol: str, packets: int, service: str | None = None) -> Json:
    """Give one line of the ports."""
    recent = [0] * 59 + [packets]
    known = {"service": service, "recent": recent}
    return {"protocol": protocol, "port": number, "packets": packets, **known}


def offender(address: str, has: int, needs: int) -> Json:
    """Give one line of those who come near to a rule."""
    rule = {"rule": "many-ports", "measure": "distinct ports", "window": 60}
    return {"source": address, "has": has, "needs": needs, "share": has / needs, **rule}


def ban(cidr: str, **parts: object) -> Json:
    """Give one line of the blacklist."""
    return {
        "cidr": cidr,
        "phase": "enforce",
        "rule": "many-ports",
        "by": "rule",
        "reason": "15 distinct ports within 1m",
        "since": NOW - 60.0,
        "expires": NOW + 3540.0,
        "offence": 1,
        "enforced": True,
        "undo": f"logwatch blacklist remove {cidr}",
        **parts,
    }


def escalator(**states: str) -> Json:
    """Give an answer of an escalator to which these nodes have reported, by state."""
    age = {"reporting": 7.0, "silent": 1500.0, "gone": 90_000.0}
    nodes = [
        {"node": node, "reported": NOW, "sources": 3, "cut": 0, "age": age[state], "state": state}
        for node, state in states.items()
    ]
    counted = dict(Counter(states.values()))
    return summary(role="escalator", inputs=[], nodes=nodes, node_states=counted)
