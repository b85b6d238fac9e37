"""Scenarios with `kill -9` at any instant, from the start of the process on."""

import time

from torture.stage import Stage

LIFE_SECONDS = 1.5
"""Longest life: the program starts within the first half of it."""


def kill_and_rename(stage: Stage) -> None:
    """Killed while the log is renamed again and again."""

    def rotate() -> None:
        stage.wait(0.1, 0.8)
        stage.rename()
        stage.wait(0, 0.2)
        stage.reopen()

    with stage.meanwhile(rotate):
        kill(stage)


def kill_and_copytruncate(stage: Stage) -> None:
    """Killed while the log is copied and cut again and again."""

    def rotate() -> None:
        stage.wait(0.1, 0.8)
        stage.copy_and_truncate()

    with stage.meanwhile(rotate):
        kill(stage)


def kill(stage: Stage) -> None:
    """Kill the program and start it at once, until time and number are reached."""
    while not stage.is_over or stage.facts.get("kills", 0) < stage.effort.kills:
        if stage.effort.spare_starts:
            stage.wait_for_program(time.monotonic())
        stage.wait(0, LIFE_SECONDS)
        stage.program.kill()
        stage.did("kills")
        stage.program.start()
