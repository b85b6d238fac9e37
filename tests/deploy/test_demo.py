"""`make demo` shows everything on one machine: what it starts, and that all of it ends."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote

import pytest
from lab.process import free_port
from lab.rsyslog import eventually
from monitoring.test_live import dashboard

DEMO = Path(__file__).parents[2] / "deploy" / "local" / "demo"
SECONDS = 60.0

IN_A_CLUSTER = {
    "Leader",
    "Nodes that report",
    "Reports of nodes",
    "Cut from reports",
    "Requests to the API server",
    "Put right",
}
WELL = {"Agents without data"}
A_DAY = {("Denied packets", "B")}


class Demo:
    """The demo with its files in a directory; a context manager."""

    def __init__(self, directory: Path) -> None:
        names = ("LISTEN", "PROMETHEUS", "ALERTMANAGER")
        self.directory = directory
        self.addresses = {name: f"127.0.0.1:{free_port()}" for name in names}

    def start(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, str(DEMO), str(self.directory)],
            env={**os.environ, **self.addresses, "DISPLAY": "", "WAYLAND_DISPLAY": ""},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def told(self) -> str:
        """Read what it prints once everything runs."""
        assert self.process.stdout is not None
        lines = []
        for line in self.process.stdout:
            lines.append(line)
            if "Ctrl-C" in line:
                break
        return "".join(lines)

    def get(self, name: str, path: str) -> bytes:
        """Give what one of its programs answers."""
        url = f"http://{self.addresses[name]}{path}"
        with urllib.request.urlopen(url, timeout=10) as answer:
            return answer.read()

    def asked(self, path: str) -> Any:  # noqa: ANN401 - JSON
        """Give what Prometheus answers."""
        return json.loads(self.get("PROMETHEUS", f"/api/v1/{path}"))["data"]

    def query(self, expression: str) -> list[dict[str, Any]]:
        return self.asked(f"query?query={quote(expression)}")["result"]

    def value(self, expression: str) -> float:
        return sum(float(each["value"][1]) for each in self.query(expression))


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Demo]:
    """Give one whose processes end with the test, whatever happens in it."""
    made = Demo(tmp_path / "demo")
    made.start()
    try:
        yield made
    finally:
        if made.process.poll() is None:
            made.process.send_signal(signal.SIGTERM)
        made.process.communicate(timeout=SECONDS)


def is_free(address: str) -> bool:
    """Tell whether nobody listens there."""
    host, port = address.split(":")
    try:
        socket.create_connection((host, int(port))).close()
    except ConnectionRefusedError:
        return True
    return False


def until(demo: Demo, what: Callable[[], object]) -> None:
    end = time.monotonic() + SECONDS
    while True:
        try:
            if what():
                return
        except OSError:
            pass  # not there yet
        assert demo.process.poll() is None, demo.process.communicate()
        assert time.monotonic() < end
        time.sleep(0.1)  # what other processes do tells nobody


def test_all_of_it_is_seen_within_a_minute_and_ends(demo: Demo) -> None:
    told = demo.told()
    assert all(f"http://{address}" in told for address in demo.addresses.values())
    total = "sum (logwatch_denied_packets_total)"
    until(demo, lambda: demo.value(total) > 0)
    before = demo.value(total)
    until(demo, lambda: demo.value(total) > before)

    rules = [rule for group in demo.asked("rules")["groups"] for rule in group["rules"]]
    assert rules
    assert [] == [rule["name"] for rule in rules if rule.get("lastError")]
    policy = demo.directory / "blacklist.yaml"
    until(demo, lambda: "203.0.113.66/32" in policy.read_text())
    until(demo, lambda: demo.value('logwatch_blacklist_networks{state="enforced"}') > 0)

    panels = {(each.title, each.name): each.expression for each in dashboard()}
    known = {key for key in panels if key in A_DAY or key[0] in IN_A_CLUSTER | WELL}
    until(demo, lambda: known == {key for key in panels if not demo.query(panels[key])})

    second = Demo(demo.directory)
    second.start()
    assert "another demo runs in" in second.process.communicate(timeout=SECONDS)[1]

    demo.process.send_signal(signal.SIGINT)
    _, errors = demo.process.communicate(timeout=SECONDS)
    assert (0, "") == (demo.process.returncode, errors)
    assert all(is_free(address) for address in demo.addresses.values())


def test_all_that_it_tells_to_open_is_there(demo: Demo) -> None:
    """Also with Debian's Prometheus, which has its pages elsewhere; and graphs are not empty."""
    addresses = re.findall(r"http://\S+", demo.told())
    for address in addresses:
        with urllib.request.urlopen(address, timeout=10) as answer:
            assert 200 == answer.status
    [graphs] = [address for address in addresses if address.endswith("/graphs.html")]
    with urllib.request.urlopen(graphs, timeout=10) as answer:
        shown = unescape(answer.read().decode())
    drawn = parse_qs(shown.partition("?")[2])
    assert demo.query(drawn["g0.expr"][0])


def test_nothing_goes_on_when_it_is_killed(demo: Demo) -> None:
    demo.told()
    demo.process.kill()
    demo.process.wait(SECONDS)
    for address in demo.addresses.values():
        assert eventually(lambda address=address: is_free(address), SECONDS)


def test_a_port_in_use_is_told_before_anything_starts(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        demo = Demo(tmp_path / "demo")
        demo.addresses["PROMETHEUS"] = f"127.0.0.1:{taken.getsockname()[1]}"
        demo.start()
        _, errors = demo.process.communicate(timeout=SECONDS)
    assert 1 == demo.process.returncode
    assert demo.addresses["PROMETHEUS"] in errors
    assert "PROMETHEUS=127.0.0.1:PORT make demo" in errors
    assert not demo.directory.exists()
