"""The real agent as a process of its own, as an operator runs it."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Self, TypeVar

from prometheus_client.parser import text_string_to_metric_families

START_SECONDS = 20.0

T = TypeVar("T")


class AgentError(Exception):
    """The agent did not do what was waited for."""


class RunningAgent:
    """`logwatch agent` with everything it writes in one directory; a context manager.

    Follows `log`, or reads the kernel's own log where that is None. Listens on a free port of
    127.0.0.1. `through` is a command that starts it. `events` are its own log lines, as they were
    read.
    """

    def __init__(
        self, directory: Path, *options: str, log: Path | str | None, through: Sequence[str] = ()
    ) -> None:
        self.directory = directory
        self.policy = directory / "blacklist.yaml"
        self._log_path = directory / "agent.log"
        self._command = [
            *through,
            *(sys.executable, "-m", "logwatch", "agent"),
            *(("--input", "kmsg") if log is None else ("--log", str(log))),
            *("--state", str(directory / "state"), "--listen", "127.0.0.1:0"),
            *options,
        ]
        self._process: subprocess.Popen[bytes] | None = None
        self.url = ""

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        if self._process is not None:
            self.kill()

    def start(self) -> None:
        """Start it, and return when it serves."""
        self.launch()
        started = self.wait_for(lambda: self._event("started"), "start")
        self.url = str(started["metrics"]).removesuffix("/metrics")

    def launch(self) -> None:
        """Start it, and return at once; `url` stays what it was."""
        self.directory.mkdir(exist_ok=True)
        with self._log_path.open("wb") as output:
            self._process = subprocess.Popen(self._command, stderr=output, stdout=output)

    @property
    def events(self) -> list[dict[str, object]]:
        """Its log since the last start."""
        lines = self._log_path.read_text().splitlines()
        return [json.loads(line) for line in lines if line.startswith("{")]

    def check(self) -> None:
        """Raise AgentError when it has ended by itself."""
        if self._process is not None and self._process.poll() is not None:
            raise AgentError(f"the agent has ended:\n{self._log_path.read_text()}")

    def _event(self, name: str) -> dict[str, object] | None:
        self.check()
        return next((event for event in self.events if event["event"] == name), None)

    def wait_for(self, look: Callable[[], T], what: str, seconds: float = START_SECONDS) -> T:
        """Look again and again until there is something; AgentError when there never is."""
        end = time.monotonic() + seconds
        while True:
            found = look()
            if found:
                return found
            if time.monotonic() > end:
                raise AgentError(f"no {what} in {seconds} s:\n{self._log_path.read_text()}")
            time.sleep(0.02)  # another process works meanwhile: nothing tells when it is done

    def get(self, path: str) -> str:
        """Give what it answers on a path, whatever the code."""
        try:
            with urllib.request.urlopen(self.url + path, timeout=10) as answer:
                return answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.read().decode()

    def metrics(self, family: str) -> dict[tuple[str, ...], float]:
        """Scrape, and give a family's non-zero samples by label values in the order of names."""
        samples = {}
        for metric in text_string_to_metric_families(self.get("/metrics")):
            for sample in metric.samples:
                if sample.name == family and sample.value:
                    labels = tuple(value for _, value in sorted(sample.labels.items()))
                    samples[labels] = sample.value
        return samples

    def total(self, family: str) -> float:
        """Scrape, and give the sum over a family's series."""
        return sum(self.metrics(family).values())

    @property
    def process_id(self) -> int:
        """The number of its process."""
        assert self._process is not None
        return self._process.pid

    def stop(self) -> int:
        """Ask it to end, and give its exit code."""
        assert self._process is not None
        self.send_signal(signal.SIGTERM)
        return self._process.wait(timeout=10)

    def send_signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        assert self._process is not None
        self._process.send_signal(number)

    def kill(self) -> None:
        """Take it off without a word."""
        if self._process is not None and self._process.poll() is None:
            os.kill(self._process.pid, signal.SIGKILL)
            self._process.wait()
