"""The agent as a process, following tmp_path/syslog, where the lab's rsyslogd writes as well."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from lab.agent import RunningAgent


@pytest.fixture
def start_agent(tmp_path: Path) -> Iterator[Callable[..., RunningAgent]]:
    """Give a function that starts an agent with options and settings of RunningAgent.

    All of them end with the test.
    """
    with ExitStack() as stack:
        yield lambda *options, **settings: stack.enter_context(
            RunningAgent(tmp_path / "agent", *options, **{"log": tmp_path / "syslog"} | settings)
        )
