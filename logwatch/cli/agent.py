"""`logwatch agent`: the daemon on one node."""

import logging
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import structlog

from logwatch.agent import Agent, boot_id
from logwatch.config import Config, check

WATCHDOG_STOPS = "called when the thread is inactive"
"""watchdog logs an error when it is stopped while it reads: nothing is wrong."""

SWITCH_SECONDS = 0.001
"""How long a thread may keep the interpreter while another waits. The reader gives it up whenever
the core works, and would wait Python's usual 5 ms each time to have it back from a scrape that is
rendered."""


def run(path: Path | None, options: Mapping[str, Any]) -> None:
    """Run until SIGTERM or SIGINT; options that are given stand above the configuration file."""
    given = {key: value for key, value in options.items() if value is not None}
    if path is None:
        config = check(msgspec.structs.replace(Config(), **given), named=given)
    else:
        from logwatch.config.file import load

        config = load(path, given)
    _set_up_logging()
    sys.setswitchinterval(SWITCH_SECONDS)
    agent = Agent(config, boot_id=boot_id(), log=structlog.get_logger("logwatch"))
    for number in (signal.SIGTERM, signal.SIGINT):
        # A handler runs between any two steps, also inside a lock of the loop: it only sets.
        signal.signal(number, lambda *_: setattr(agent, "is_stopping", True))
    agent.run()


def _set_up_logging() -> None:
    """Lines for a person on a terminal, JSON otherwise; also what libraries log."""
    is_person = sys.stderr.isatty()
    shared: list[structlog.typing.Processor] = [
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    renderer: structlog.typing.Processor = (
        structlog.dev.ConsoleRenderer(pad_event_to=20)
        if is_person
        else structlog.processors.JSONRenderer()
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                # The console shows exceptions in its own way.
                *([] if is_person else [structlog.processors.format_exc_info]),
                renderer,
            ],
        )
    )
    handler.addFilter(lambda record: WATCHDOG_STOPS not in record.getMessage())
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.INFO)
    # Each request would be a line; what goes wrong still comes through.
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
