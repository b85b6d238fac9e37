"""Scenarios with copytruncate.

What is written between the copy and the cut is destroyed by definition. Everything that a copy
kept must be counted, and nothing twice.
"""

from torture.stage import Stage


def copytruncate(stage: Stage) -> None:
    """Copied and cut at any moment, also while there is something that was not read yet."""
    while not stage.is_over:
        stage.wait(0.01, 0.6)
        stage.copy_and_truncate()


def copytruncate_while_behind(stage: Stage) -> None:
    """Once or twice while the program can't run; then the log outgrows what it was."""
    while not stage.is_over:
        stage.wait(0.02, 0.4)
        stage.make_room(2)
        stage.program.pause()
        for _ in range(stage.chance.randint(1, 2)):
            stage.wait(0, 0.1)
            stage.copy_and_truncate()
        stage.wait(0, 1.0)
        stage.program.resume()


def copytruncate_with_holes(stage: Stage) -> None:
    """The writer does not append: after the cut the log begins with a hole of NUL bytes."""
    copytruncate(stage)
