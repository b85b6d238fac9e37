"""`logwatch agent`: the daemon on one node."""

import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from logwatch.cli.configuration import configured
from logwatch.cli.logs import set_up_logging

SWITCH_SECONDS = 0.001
"""How long a thread may keep the interpreter while another waits. The reader gives it up whenever
the core works, and would wait Python's usual 5 ms each time to have it back from a scrape that is
rendered."""


def run(path: Path | None, options: Mapping[str, Any]) -> None:
    """Run until SIGTERM or SIGINT; options that are given stand above the configuration file."""
    config = configured(path, options, "agent")
    log = set_up_logging()
    from logwatch.agent import Agent, boot_id

    sys.setswitchinterval(SWITCH_SECONDS)
    agent = Agent(config, boot_id=boot_id(), log=log)
    for number in (signal.SIGTERM, signal.SIGINT):
        # A handler runs between any two steps, also inside a lock of the loop: it only sets.
        signal.signal(number, lambda *_: setattr(agent, "is_stopping", True))
    agent.run()
