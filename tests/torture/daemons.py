"""A stage whose log is written by the real rsyslogd and rotated by the real logrotate.

The lines come through rsyslog's socket as the kernel's. logrotate compresses all but the latest
rotated file, so a rotation waits until the program was at work since the one before.
"""

import time
from dataclasses import dataclass
from pathlib import Path

from lab.rsyslog import Rsyslog, eventually
from torture.stage import MAXIMUM_SECONDS, Stage

CALM_SECONDS = 1.0
"""Shortest time between two rotations: logrotate is not called at once again."""

SETTLED_LOOKS = 20
"""Looks in a row, 5 ms apart, that find the log as it was: rsyslogd has written everything."""


@dataclass
class RsyslogStage(Stage):
    """Rotation leaves the log to logrotate, and HUP goes to rsyslogd."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self._rsyslog = Rsyslog(self.directory, source="none")
        self._rotated_at = self._reopened_at = 0.0

    def __exit__(self, *exception: object) -> None:
        super().__exit__(*exception)
        self._rsyslog.stop()

    def begin(self) -> None:
        self._rsyslog.__enter__()
        super().begin()

    def rename(self) -> None:
        self._rotate(copytruncate=False)
        self.did("rotations")

    def reopen(self) -> None:
        self._rsyslog.hup()
        self._wait_for_log()
        self._reopened_at = time.monotonic()

    def copy_and_truncate(self) -> None:
        self._rotate(copytruncate=True)
        self.keep(self.rotated(1))
        self.did("copies")

    def _target(self) -> Path:
        return self.directory / "rsyslog" / "log.sock"

    def _rotate(self, *, copytruncate: bool) -> None:
        time.sleep(max(0.0, self._rotated_at + CALM_SECONDS - time.monotonic()))
        self.wait_for_program(self._reopened_at)
        self._wait_for_log()
        self._rsyslog.rotate(copytruncate=copytruncate, hup=False, rotate=1000)
        self._rotated_at = self._reopened_at = time.monotonic()

    def _end_writing(self) -> int:
        written = super()._end_writing()
        looks: list[int] = []

        def is_settled() -> bool:
            looks.append(self.log.stat().st_size)
            return len(looks) > SETTLED_LOOKS and len(set(looks[-SETTLED_LOOKS:])) == 1

        if not eventually(is_settled, MAXIMUM_SECONDS):
            raise AssertionError("rsyslogd goes on writing")
        return written
