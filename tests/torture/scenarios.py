"""All scenarios by name, and how one of them is played."""

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from torture import copies, kills, renames, wakes
from torture.daemons import RsyslogStage
from torture.programs import Fail2ban, Logwatch, Mtail, Program
from torture.stage import Effort, Outcome, Stage

PROGRAMS = ("logwatch", "mtail", "fail2ban")


@dataclass(frozen=True)
class Scenario:
    """What is done, on which stage, and whom it can be done to."""

    play: Callable[[Stage], None]
    stage: Callable[..., Stage] = Stage
    through: Sequence[str] = ()
    is_for_peers: bool = True
    """Whether what is done there can be done to any program."""
    most_lines: int | None = None
    """Most lines a second that the writer is good for."""

    def fitted(self, effort: Effort) -> Effort:
        """Give as much of an effort as this scenario can bear."""
        return replace(effort, rate=min(effort.rate, self.most_lines or effort.rate))


_through_rsyslog = partial(Scenario, stage=RsyslogStage, most_lines=2_000)

SCENARIOS = {
    "steady": Scenario(renames.steady),
    "rename": Scenario(renames.rename),
    "rename and create": Scenario(renames.rename_and_create),
    "rename while behind": Scenario(renames.rename_while_behind),
    "rename during a restart": Scenario(renames.rename_during_restart),
    "remove": Scenario(renames.remove),
    "switch a link": Scenario(renames.switch_link),
    "copytruncate": Scenario(copies.copytruncate),
    "copytruncate while behind": Scenario(copies.copytruncate_while_behind),
    "copytruncate with holes": Scenario(
        copies.copytruncate_with_holes, stage=partial(Stage, mode="wb")
    ),
    "kill, rename": Scenario(kills.kill_and_rename),
    "kill, copytruncate": Scenario(kills.kill_and_copytruncate),
    "no inotify": Scenario(
        wakes.rename_without_inotify, through=wakes.WITHOUT_INOTIFY, is_for_peers=False
    ),
    "inotify overflow": Scenario(wakes.overflow, is_for_peers=False),
    "rsyslog: rename": _through_rsyslog(renames.rename),
    "rsyslog: copytruncate": _through_rsyslog(copies.copytruncate),
    "rsyslog: restart": _through_rsyslog(renames.rename_during_restart),
    "rsyslog: kill": _through_rsyslog(kills.kill_and_rename),
}


def play(scenario: Scenario, effort: Effort, program: str = "logwatch") -> Outcome:
    """Play a scenario once, in a directory of its own."""
    with tempfile.TemporaryDirectory(prefix="torture-") as name:
        directory = Path(name)
        log, own = directory / "syslog", directory / program
        programs: dict[str, Callable[[], Program]] = {
            "logwatch": lambda: Logwatch(own, log, scenario.through),
            "mtail": lambda: Mtail(own, log),
            "fail2ban": lambda: Fail2ban(own, log),
        }
        with scenario.stage(directory, effort, programs[program]()) as stage:
            stage.begin()
            scenario.play(stage)
            return stage.finish()
