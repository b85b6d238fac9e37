"""What the agent tells on its live page."""

import time
from collections.abc import Callable, Mapping

from logwatch import __version__
from logwatch.agent.decisions import Decisions
from logwatch.config import Config
from logwatch.export import Asked, View
from logwatch.ledger import Snapshot
from logwatch.live import (
    History,
    Host,
    Questions,
    commands_of,
    findings_of,
    source_page,
    summary_page,
    target_of,
)

LATE = "the reading loop does not come round: look at /healthz and the log"


class AgentPage:
    """Shows what was committed last, and what is decided now. `turn` and `close` are the loop's."""

    def __init__(  # noqa: PLR0913, PLR0917 - what it shows
        self,
        config: Config,
        decisions: Decisions,
        snapshot: Snapshot,
        view: Callable[[], View],
        problems: Callable[[], Mapping[str, str]],
        notes: Callable[[], Mapping[str, str]],
        wake: Callable[[], object],
    ) -> None:
        """`problems` and `notes` are sentences by part; any thread may ask for them."""
        node = config.cluster.node
        self._host = Host("agent", __version__, time.time(), **({"name": node} if node else {}))
        self._decisions = decisions
        self._history = History(snapshot, time.monotonic())
        self._view = view
        self._problems = problems
        self._notes = notes
        self._questions = Questions(wake, LATE)

    def turn(self, snapshot: Snapshot) -> None:
        """Note what was counted, and answer what was asked; called at least once a second."""
        self._history.see(snapshot, time.monotonic())
        self._questions.answer()

    def close(self) -> None:
        """Answer no more."""
        self._questions.close()

    def summary(self, asked: Asked) -> bytes:
        """Give the summary; nothing is committed for it, so that looking writes nothing."""
        view = self._view()
        return summary_page(
            self._host,
            view,
            self._history,
            asked,
            decide=lambda sources: self._questions.ask(
                lambda: self._decisions.decided(asked, sources, time.time())
            ),
            findings=findings_of(view, self._history, self._problems(), self._notes()),
            undo=lambda ban: commands_of(ban.network, is_banned=True).undo or "",
        )

    def source(self, address: str) -> bytes | None:
        """Give what is known of one source."""
        network = target_of(address)
        known = self._questions.ask(lambda: self._decisions.known(network, time.time()))
        ban = known.ban
        commands = commands_of(
            known.explained.cidr if ban is None else ban.network, is_banned=ban is not None
        )
        return source_page(address, self._view(), self._history, known, commands)
