"""Scenarios in which inotify does not tell of changes: polling finds them all the same."""

from contextlib import ExitStack
from pathlib import Path

from torture.programs import Logwatch
from torture.renames import rename
from torture.stage import Stage

WITHOUT_INOTIFY = (
    *("unshare", "--user", "--map-root-user", "sh", "-c"),
    'echo 0 >/proc/sys/user/max_inotify_instances && exec "$@"',
    "sh",
)
"""Runs a command where the kernel refuses every inotify instance, as on a node that has used up
its 128: in a user namespace of its own, so that nobody else is refused."""


def rename_without_inotify(stage: Stage) -> None:
    """No instance is left: the agent says that it polls, and counts all the same."""
    assert isinstance(stage.program, Logwatch)
    stage.program.agent.wait_for(lambda: _is_polling(stage.program), "word of polling")
    stage.did("refused watches")
    rename(stage)


def _is_polling(program: object) -> bool:
    assert isinstance(program, Logwatch)
    return any(
        event["event"] == "degraded" and "looking in turns instead" in str(event["problem"])
        for event in program.agent.events
    )


def overflow(stage: Stage) -> None:
    """More events than the kernel keeps, among them those of a rotation."""
    queue = int(Path("/proc/sys/fs/inotify/max_queued_events").read_text())
    others = [stage.log.with_name(f"other-{number}") for number in range(2)]
    with ExitStack() as stack:
        files = [stack.enter_context(other.open("wb", buffering=0)) for other in others]
        while not stage.is_over or not stage.facts.get("overflows"):
            stage.program.pause()
            for _ in range(queue):  # twice what the queue holds: some may be read before the stop
                for file in files:  # two by turns, since events that are alike become one
                    file.write(b".")
            stage.rename()
            stage.reopen()
            stage.program.resume()
            _note_overflows(stage)
            stage.wait(0.1, 0.5)


def _note_overflows(stage: Stage) -> None:
    """Wait until the agent has told of one, and note how many.

    There may be no more of them: while the log grows all the time nothing is watched.
    """
    assert isinstance(stage.program, Logwatch)
    agent = stage.program.agent

    def told() -> int:
        return sum("overflow" in str(event["event"]) for event in agent.events)

    agent.wait_for(told, "word of an overflow")
    stage.facts["overflows"] = told()
