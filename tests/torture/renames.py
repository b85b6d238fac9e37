"""Scenarios in which the log is renamed, removed or its symbolic link switched: nothing is lost."""

import time

from torture.stage import Stage


def steady(stage: Stage) -> None:
    """Nothing happens to the log: what is not counted here could not be read fast enough."""
    while not stage.is_over:
        stage.wait(0.2, 0.2)
        stage.did("looks")


def rename(stage: Stage) -> None:
    """Logrotate's way: renamed, written on for a while, then opened anew."""
    while not stage.is_over:
        stage.wait(0.05, 0.8)
        stage.rename()
        stage.wait(0, 0.3)
        stage.reopen()


def rename_and_create(stage: Stage) -> None:
    """With logrotate's `create`: the new file is there before the writer is told of it."""
    while not stage.is_over:
        stage.wait(0.05, 0.8)
        stage.rename()
        stage.log.touch()
        stage.wait(0.1, 0.5)
        stage.reopen()


def rename_while_behind(stage: Stage) -> None:
    """Rotated two or three times while the program can't run."""
    while not stage.is_over:
        stage.wait(0.1, 0.6)
        stage.make_room(3)
        stage.program.pause()
        for _ in range(stage.chance.randint(2, 3)):
            stage.wait(0, 0.15)
            stage.rename()
            stage.wait(0, 0.05)
            stage.reopen()
        stage.program.resume()


def rename_during_restart(stage: Stage) -> None:
    """Stopped, rotated, started: the rest of the old file is read from syslog.1."""
    while not stage.is_over:
        stage.wait(0.2, 1.0)
        stage.program.stop()
        stage.did("restarts")
        if stage.chance.random() < 0.8:
            stage.rename()
            stage.wait(0, 0.1)
            stage.reopen()
        stage.program.start()
        stage.wait_for_program(time.monotonic())


def remove(stage: Stage) -> None:
    """Removed while it is written to, and made anew later."""
    while not stage.is_over:
        stage.wait(0.3, 0.8)  # one that came and went unseen could not be found again
        stage.log.unlink()
        stage.did("removals")
        stage.wait(0, 0.2)
        stage.reopen()


def switch_link(stage: Stage) -> None:
    """The path is a symbolic link that leads to another file each time."""
    number = 0
    while not stage.is_over:
        stage.wait(0.3, 0.8)  # one that came and went unseen could not be found again
        number += 1
        new = stage.log.with_name("new")
        new.symlink_to(stage.log.with_name(f"log-of-round-{number}"))
        new.replace(stage.log)
        stage.did("switches")
        stage.wait(0, 0.2)
        stage.reopen()
