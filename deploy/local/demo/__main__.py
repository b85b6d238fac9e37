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
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from html import escape
from pathlib import Path
from types import FrameType
from typing import NoReturn
from urllib.parse import urlencode

from program import Address, DemoError, Program, answers

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]

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
                "alerts": next(filter(answers, lists), lists[0]),
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
