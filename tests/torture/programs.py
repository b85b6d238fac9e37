"""The programs that are tried: logwatch, and two peers that count the same lines.

All are real processes. What they counted is asked from outside, as their users do.
"""

import random
import re
import signal
import socket
import subprocess
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Protocol

from lab.agent import RunningAgent
from lab.rsyslog import eventually
from torture.lines import PORTS, SOURCES, Counts
from torture.scraper import Samples, Scraper

CONFIGURATION = f"""\
series: {{sources: {2 * SOURCES}, ports: {2 * PORTS}}}  # a place for each from its first packet on
"""
PEERS = Path(__file__).parents[2] / "bench" / "peers"
START_SECONDS = 20.0
STARTED = "Jail 'calico' started"
"""What fail2ban logs when it follows."""

FAIL2BAN = """\
[Definition]
loglevel = INFO
logtarget = {directory}/fail2ban.log
syslogsocket = none
socket = {directory}/fail2ban.sock
pidfile = {directory}/fail2ban.pid
dbfile = {directory}/fail2ban.sqlite3
dbpurgeage = 1d
"""
JAIL = """\
[calico]
enabled = true
filter = calico
logpath = {log}
backend = polling
maxretry = 1000000000
findtime = 1d
ignoreself = false
"""


class Program(Protocol):
    """Follows one log from its beginning, through whatever is done to it."""

    name: str
    keeps_counts: bool
    """Whether it says that its counts live longer than its process."""

    def begin(self) -> None:
        """Start it for the first time, and return when it follows."""

    def start(self) -> None:
        """Start it again, and return at once."""

    def stop(self) -> None:
        """Ask it to end, and wait until it has."""

    def kill(self) -> None:
        """Take it off without a word."""

    def pause(self) -> None:
        """Keep it from running."""

    def resume(self) -> None:
        """Let it run again."""

    @property
    def served_at(self) -> float:
        """When it was last known to be at work, on the monotonic clock."""

    def counted(self) -> Counts:
        """Packets of all lives together."""

    def complaints(self) -> list[str]:
        """Say what it must not do, and did."""

    def end(self) -> None:
        """Take it off and clean up."""


class Logwatch:
    """`logwatch agent`, scraped over all its lives; what it shows must never become less."""

    name = "logwatch"
    keeps_counts = True

    def __init__(self, directory: Path, log: Path, through: Sequence[str] = ()) -> None:
        self._port = free_port()
        self._errors: list[str] = []
        directory.mkdir()
        configuration = directory / "configuration.yaml"
        configuration.write_text(CONFIGURATION)
        options = ("--config", str(configuration), "--listen", f"127.0.0.1:{self._port}")
        self.agent = RunningAgent(directory, "--from", "start", *options, log=log, through=through)
        self._scraper = Scraper(self._port)

    def begin(self) -> None:
        self.agent.start()

    def start(self) -> None:
        self.agent.launch()

    def stop(self) -> None:
        self.agent.check()
        self.agent.stop()
        self._errors += [str(event) for event in self.agent.events if event["level"] == "error"]

    def kill(self) -> None:
        self.agent.check()
        self.agent.kill()

    def pause(self) -> None:
        self.agent.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        self.agent.send_signal(signal.SIGCONT)

    @property
    def served_at(self) -> float:
        return self._scraper.answered_at

    def counted(self) -> Counts:
        self.agent.check()
        self._scraper.look()
        return counts_by(
            self._scraper.sums,
            source="logwatch_denied_packets_by_source_total",
            port="logwatch_denied_packets_by_port_total",
        )

    def total(self, family: str) -> float:
        """Sum up a family of counters as it was scraped last."""
        sums = self._scraper.sums
        return sum(value for name, value in sums.items() if name.partition("{")[0] == family)

    def complaints(self) -> list[str]:
        return self._scraper.decreases + self._errors

    def end(self) -> None:
        self._scraper.stop()
        self.agent.kill()


class _Peer:
    """A process of a peer."""

    keeps_counts = False

    def __init__(self, directory: Path, command: Sequence[str]) -> None:
        directory.mkdir(exist_ok=True)
        self._output = directory / "output"
        self._command = command
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self._output.open("ab") as output:
            self._process = subprocess.Popen(self._command, stdout=output, stderr=output)

    def stop(self) -> None:
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        self._end(signal.SIGKILL)

    def pause(self) -> None:
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        self._signal(signal.SIGCONT)

    def complaints(self) -> list[str]:
        return []

    def _signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def _end(self, number: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait(START_SECONDS)


class Mtail(_Peer):
    """It forgets its counts when it ends: what scrapes saw of each life is added up."""

    name = "mtail"

    def __init__(self, directory: Path, log: Path) -> None:
        port = free_port()
        command = [
            *("mtail", "--progs", str(PEERS / "calico.mtail"), "--logs", str(log)),
            *("--address", "127.0.0.1", "--port", str(port), "--logtostderr"),
        ]
        super().__init__(directory, command)
        self._scraper = Scraper(port)

    def begin(self) -> None:
        self.start()
        if not eventually(self._scraper.look, START_SECONDS):
            raise AssertionError(f"mtail does not answer:\n{self._output.read_text()}")

    def _end(self, number: signal.Signals) -> None:
        self._scraper.look()
        super()._end(number)
        self._scraper.begin_anew()

    @property
    def served_at(self) -> float:
        return self._scraper.answered_at

    def counted(self) -> Counts:
        self._scraper.look()
        return counts_by(self._scraper.sums, source="denied_packets", port="denied_packets")

    def end(self) -> None:
        self._scraper.stop()
        self.kill()


class Fail2ban(_Peer):
    """Its log has a line "Found" for each match, whichever life found it."""

    name = "fail2ban"

    def __init__(self, directory: Path, log: Path) -> None:
        (directory / "filter.d").mkdir(parents=True, exist_ok=True)
        (directory / "action.d").mkdir(exist_ok=True)
        (directory / "fail2ban.conf").write_text(FAIL2BAN.format(directory=directory))
        (directory / "jail.conf").write_text(JAIL.format(log=log))
        (directory / "filter.d" / "calico.conf").write_text((PEERS / "calico.conf").read_text())
        self._directory = directory
        self._found = directory / "fail2ban.log"
        self._known = 0  # characters of its log from earlier lives
        super().__init__(directory, ["fail2ban-server", "-xf", "-c", str(directory), "start"])

    def begin(self) -> None:
        self.start()
        if not eventually(lambda: STARTED in self._text(), START_SECONDS):
            raise AssertionError(f"fail2ban does not start:\n{self._output.read_text()}")

    def start(self) -> None:
        self._known = len(self._text())
        for name in ("fail2ban.sock", "fail2ban.pid"):  # left behind by a kill
            (self._directory / name).unlink(missing_ok=True)
        super().start()

    def _text(self) -> str:
        return self._found.read_text() if self._found.exists() else ""

    @property
    def served_at(self) -> float:
        is_started = STARTED in self._text()[self._known :]
        if not is_started and self._process is not None and self._process.poll() is not None:
            self.start()  # it has ended by itself
        return time.monotonic() if is_started else 0.0

    def counted(self) -> Counts:
        return Counts(Counter(re.findall(r"\[calico\] Found (\S+) ", self._text())))

    def end(self) -> None:
        self.kill()


def free_port() -> int:
    """Give a port that nobody listens on just now.

    None that the kernel gives to who connects: while the program is away, others could get it.
    """
    lowest = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    while True:
        with socket.socket() as listener:
            port = random.randrange(lowest // 2, lowest)
            try:
                listener.bind(("127.0.0.1", port))
            except OSError:
                continue  # somebody has it
            return port


def counts_by(samples: Samples, *, source: str, port: str) -> Counts:
    """Sum up two families by these labels; they may be the same family.

    A line that was cut for good counts by its source although its port is gone.
    """
    return Counts(
        Counter(dict(_sums(samples, source, "source"))),
        Counter(dict(_sums(samples, port, "port"))),
    )


def _sums(samples: Samples, family: str, label: str) -> Iterator[tuple[str, int]]:
    sums: Counter[str] = Counter()
    for series, value in samples.items():
        name, _, labels = series.partition("{")
        found = re.search(rf'\b{label}="([^"]*)"', labels)
        if name == family and found and found[1] and value:
            sums[found[1]] += round(value)
    yield from sums.items()
