"""What a daemon logs, and how: lines for a person on a terminal, JSON otherwise."""

import logging
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import structlog

WATCHDOG_STOPS = "called when the thread is inactive"
"""watchdog logs an error when it is stopped while it reads: nothing is wrong."""


def set_up_logging() -> "structlog.typing.FilteringBoundLogger":
    """Set up the whole process, with what libraries log; give the daemon's own log.

    Comes before anything imports structlog: where that finds Rich it draws tracebacks with it. A
    daemon needs it for nothing else, and it takes 4 MiB, a fifteenth of an agent's memory.
    """
    # None is Python's own mark of a module that must not be imported; its stubs don't know it.
    sys.modules.setdefault("rich", None)  # type: ignore[arg-type]
    import structlog

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
    log: structlog.typing.FilteringBoundLogger = structlog.get_logger("logwatch")
    return log
