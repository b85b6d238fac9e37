"""A scraper as Prometheus is one, only twenty times a second: it never asks twice for a value."""

import http.client
import threading
import time
from dataclasses import dataclass, field

SECONDS = 0.05
PATIENCE = 5.0

Samples = dict[str, float]


@dataclass
class Scraper:
    """Scrapes 127.0.0.1 on a thread until `stop`; whoever does not answer is asked again."""

    port: int
    decreases: list[str] = field(default_factory=list)
    """What became less than it was, or vanished, however often the program was started."""
    answered_at: float = 0.0
    """When the last page that was got whole was asked for, on the monotonic clock."""

    def __post_init__(self) -> None:
        self._last: Samples = {}
        self._before: Samples = {}  # what lives that are over had counted
        self._is_over = threading.Event()
        self._looking = threading.Lock()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def look(self) -> bool:
        """Scrape once; False when there is no answer."""
        asked_at = time.monotonic()
        try:
            page = self._page()
        except (OSError, http.client.HTTPException):
            return False
        now = counters(page)
        with self._looking:
            for series, value in self._last.items():
                if now.get(series, -1.0) < value:
                    self.decreases.append(f"{series}: {value:g}, then {now.get(series)}")
            self._last = now
            self.answered_at = asked_at
        return True

    def begin_anew(self) -> None:
        """Add up from here: the program has ended, and forgets what it counted."""
        with self._looking:
            self._before = self.sums
            self._last = {}

    @property
    def sums(self) -> Samples:
        """Add what was counted in all lives, by the text of the series."""
        names = self._before.keys() | self._last.keys()
        return {name: self._before.get(name, 0.0) + self._last.get(name, 0.0) for name in names}

    def stop(self) -> None:
        """End the thread."""
        self._is_over.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._is_over.wait(SECONDS):
            self.look()

    def _page(self) -> str:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            connection.request("GET", "/metrics")
            answer = connection.getresponse()
            if answer.status != http.client.OK:  # while it ends
                raise http.client.HTTPException(answer.reason)
            return answer.read().decode()
        finally:
            connection.close()


def counters(page: str) -> Samples:
    """Give the samples of a page in Prometheus' text form that may never become less."""
    samples = {}
    is_counter = False
    for line in page.splitlines():
        if line.startswith("# TYPE "):
            is_counter = line.endswith((" counter", " histogram"))
        elif is_counter and not line.startswith(("#", "process_")):  # of one life by their nature
            end = line.find("}") + 1 or line.index(" ")
            samples[line[:end]] = float(line[end:].split()[0])
    return samples
