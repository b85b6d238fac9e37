"""Shows everything on one machine, without a cluster: real traffic, agent, Prometheus, alerts.

Recorded packets are played as fast as they came, into a log that a real agent follows. It bans who
scans by writing a policy file, and Prometheus scrapes it and evaluates the rules that come with
logwatch. All files are in run/demo, and are made anew each time. Ctrl-C ends all of it.
"""

import fcntl
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from html import escape
from pathlib import Path
from types import FrameType
from typing import NoReturn
from urllib.parse import urlencode

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]

LOCAL = "127.0.0.1"
START_SECONDS = 60.0
STOP_SECONDS = 10.0
LOOK_SECONDS = 0.1

ENDING_WITH_US = ("setpriv", "--pdeathsig", "TERM", "--")
"""When we are killed the kernel ends what we started; the command is of Debian's util-linux."""

SCRAPE = "2s"
"""What takes a minute elsewhere is seen at once: a rate needs two of them."""

GRAPHS = (
    "sum by (policy) (rate(logwatch_denied_packets_total[1m]))",
    'topk (10, rate(logwatch_denied_packets_by_source_total{source!="other"}[1m]))',
    "sum by (state) (logwatch_blacklist_networks)",
)
"""What Prometheus draws in the page that is opened."""

ALERTS = ("/alerts", "/classic/alerts")
"""Where Prometheus lists them: in its own pages, and in the older ones that Debian builds."""


class DemoError(Exception):
    """It can't go on, in a sentence for people."""


class Address:
    """Where a program listens, by a variable of the environment."""

    def __init__(self, name: str, port: int) -> None:
        self.name = name
        text = os.environ.get(name) or f"{LOCAL}:{port}"
        host, _, number = text.rpartition(":")
        if not host or not number.isdecimal():
            raise DemoError(f"{name}={text} is no ADDRESS:PORT, such as {LOCAL}:{port}")
        self.text = text
        self._address = (host.strip("[]"), int(number))

    @property
    def url(self) -> str:
        """Where a browser finds it."""
        return f"http://{self.text}"

    def check(self, who: str) -> None:
        """Find out whether it is free. Raises DemoError."""
        family = socket.AF_INET6 if ":" in self._address[0] else socket.AF_INET
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(self._address)
            except OSError as error:
                raise DemoError(
                    f"{who} can't listen on {self.text}: {error.strerror}. End what listens there,"
                    f" or choose another port: {self.name}={LOCAL}:PORT make demo"
                ) from None


class Program:
    """One of the programs that run; its output is in a file."""

    def __init__(self, name: str, directory: Path, command: list[str]) -> None:
        self.name = name
        self.log = directory / f"{name}.log"
        with self.log.open("wb") as output:
            # In a session of its own: Ctrl-C is for us, who end the others in order.
            self._process = subprocess.Popen(
                [*ENDING_WITH_US, *command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    def check(self) -> None:
        """Raise DemoError when it has ended by itself."""
        if (code := self._process.poll()) is not None:
            last = "\n".join(self.log.read_text(errors="replace").splitlines()[-5:])
            raise DemoError(f"{self.name} ended with {code}; {self.log} ends with\n{last}")

    def wait(self, url: str, with_text: bytes = b"") -> None:
        """Wait until it answers, with a text in it. Raises DemoError."""
        end = time.monotonic() + START_SECONDS
        while not _answers(url, with_text):
            self.check()
            if time.monotonic() > end:
                raise DemoError(f"{self.name} does not answer at {url}; see {self.log}")
            time.sleep(LOOK_SECONDS)

    def stop(self) -> None:
        """End it."""
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def _answers(url: str, with_text: bytes = b"") -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            return with_text in answer.read()
    except OSError:
        return False


def run(directory: Path) -> None:
    """Start everything, say where it is, and go on until something ends."""
    page = Address("LISTEN", 9137)
    prometheus = Address("PROMETHEUS", 9090)
    alertmanager = Address("ALERTMANAGER", 9093)
    page.check("the agent")
    prometheus.check("Prometheus")
    alertmanager.check("Alertmanager")
    log, policy = directory / "syslog", directory / "blacklist.yaml"
    with ExitStack() as stack:
        stack.enter_context(_alone(directory))
        _begin_anew(directory)

        def start(name: str, *command: object) -> Program:
            program = Program(name, directory, [str(part) for part in command])
            stack.callback(program.stop)
            programs.append(program)
            return program

        programs: list[Program] = []
        start("recordings", sys.executable, HERE / "recordings.py", log)
        agent = start(
            *("agent", sys.executable, "-m", "logwatch", "agent"),
            *("--config", HERE / "agent.yaml", "--rules", HERE / "demo.rules"),
            *("--log", log, "--from", "start", "--state", directory / "state"),
            *("--listen", page.text, "--mode", "enforce", "--policy-file", policy),
        )
        alerts = start("alertmanager", *_alertmanager(directory, alertmanager))
        watcher = start("prometheus", *_prometheus(directory, prometheus, page, alertmanager))
        agent.wait(f"{page.url}/readyz")
        alerts.wait(f"{alertmanager.url}/-/ready")
        # A page that is opened is not to say that there is no data.
        drawn = urlencode({"query": GRAPHS[0]})
        watcher.wait(f"{prometheus.url}/api/v1/query?{drawn}", b'"value"')
        graphs = f"{prometheus.url}/user/graphs.html"
        lists = [f"{prometheus.url}{path}" for path in ALERTS]
        _tell(
            {
                "page": f"{page.url}/",
                "in a terminal": f".venv/bin/logwatch top --url {page.url}",
                "graphs": graphs,
                "alerts": next(filter(_answers, lists), lists[0]),
                # Debian's package comes without the web page of Alertmanager.
                "sent on": f"amtool alert --alertmanager.url {alertmanager.url}",
                "blacklist": str(policy),
                "logs": f"{directory}/*.log",
                "stop": "Ctrl-C",
            }
        )
        _open([f"{page.url}/", graphs])
        while True:
            for program in programs:
                program.check()
            time.sleep(1)


@contextmanager
def _alone(directory: Path) -> Iterator[None]:
    """Keep other demos out of the directory. Raises DemoError."""
    directory.mkdir(parents=True, exist_ok=True)
    with (directory / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise DemoError(f"another demo runs in {directory}: end it first") from None
        yield


def _begin_anew(directory: Path) -> None:
    """Remove what the last demo left: its own files and no others."""
    for name in ("state", "prometheus", "alertmanager", "assets"):
        shutil.rmtree(directory / name, ignore_errors=True)
    for name in ("syslog", "syslog.1", "blacklist.yaml"):
        (directory / name).unlink(missing_ok=True)


def _alertmanager(directory: Path, address: Address) -> list[str]:
    configuration = {"route": {"receiver": "nobody"}, "receivers": [{"name": "nobody"}]}
    path = directory / "alertmanager.json"
    path.write_text(json.dumps(configuration))
    return [
        "prometheus-alertmanager",
        f"--config.file={path}",
        f"--storage.path={directory / 'alertmanager'}",
        f"--web.listen-address={address.text}",
        "--cluster.listen-address=",
    ]


def _prometheus(directory: Path, own: Address, page: Address, alerts: Address) -> list[str]:
    """Write the configuration (JSON is YAML) and the page of graphs, and give the command."""
    configuration = {
        "global": {"scrape_interval": SCRAPE, "evaluation_interval": SCRAPE},
        "rule_files": [str(ROOT / "deploy" / "prometheus" / "rules.yaml")],
        "alerting": {"alertmanagers": [{"static_configs": [{"targets": [alerts.text]}]}]},
        "scrape_configs": [
            {"job_name": "logwatch-agent", "static_configs": [{"targets": [page.text]}]}
        ],
    }
    path = directory / "prometheus.json"
    path.write_text(json.dumps(configuration, indent=1))
    assets = directory / "assets"
    assets.mkdir()
    (assets / "graphs.html").write_text(_forward(f"/graph?{_graphs()}"))
    return [
        "prometheus",
        f"--config.file={path}",
        f"--storage.tsdb.path={directory / 'prometheus'}",
        f"--web.listen-address={own.text}",
        f"--web.user-assets={assets}",
    ]


def _forward(address: str) -> str:
    """Make a page that leads to another one: its address is too long to be printed."""
    return f'<!DOCTYPE html><meta http-equiv="refresh" content="0; url={escape(address)}">\n'


def _graphs() -> str:
    shown: dict[str, str] = {}
    for place, expression in enumerate(GRAPHS):
        shown |= {
            f"g{place}.expr": expression,
            f"g{place}.tab": "0",
            f"g{place}.range_input": "10m",
        }
    return urlencode(shown)


def _tell(places: dict[str, str]) -> None:
    sys.stdout.write("\n" + "".join(f"  {name:<14}{place}\n" for name, place in places.items()))
    sys.stdout.write("\n")
    sys.stdout.flush()


def _open(urls: list[str]) -> None:
    """Open pages where there is a desktop."""
    opener = shutil.which("xdg-open")
    has_desktop = os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    if opener is None or not has_desktop:
        return
    for url in urls:
        subprocess.Popen(
            [opener, url],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )


def _interrupt(_number: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


def main() -> None:
    """Run it in the directory that is named, else in run/demo."""
    directory = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "run" / "demo"
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    try:
        run(directory.resolve())
    except KeyboardInterrupt:
        sys.stdout.write("\nstopped\n")
    except DemoError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(1)


if __name__ == "__main__":
    main()
