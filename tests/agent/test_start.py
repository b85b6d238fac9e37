"""The moment in which an agent says that it has started."""

import threading
from pathlib import Path

import structlog
from lab.scanning import scan
from structlog.typing import EventDict, WrappedLogger

from logwatch.agent import Agent
from logwatch.config import Config


def test_what_is_written_once_it_has_started_is_not_taken_for_what_was_there(
    tmp_path: Path,
) -> None:
    """A log that was never read before is read from its end."""
    log = tmp_path / "syslog"
    log.write_text(scan(1, range(30)))
    told: list[str] = []

    def hear(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        told.append(f"{event['event']} {event.get('network', '')}".strip())
        if "started" == told[-1]:
            with log.open("a") as file:
                file.write(scan(66, range(30)))
        if told[-1].startswith("would be banned"):
            agent.is_stopping = True
        raise structlog.DropEvent

    config = Config(logs=(str(log),), state=str(tmp_path / "state"), listen="127.0.0.1:0")
    logger = structlog.wrap_logger(
        None, processors=[hear], wrapper_class=structlog.make_filtering_bound_logger(0)
    )
    agent = Agent(config, boot_id="boot", log=logger)

    def give_up() -> None:
        agent.is_stopping = True

    alarm = threading.Timer(20, give_up)
    alarm.start()
    agent.run()
    alarm.cancel()
    assert ["started", "would be banned 203.0.113.66/32", "stopped"] == told
