from collections.abc import Iterator
from pathlib import Path

import pytest
from tail.recorder import Setting


@pytest.fixture
def log(tmp_path: Path) -> Path:
    directory = tmp_path / "log"
    directory.mkdir()
    return directory / "syslog"


@pytest.fixture
def setting(log: Path) -> Iterator[Setting]:
    """Make a follower that reads from the start."""
    setting = Setting(log)
    yield setting
    setting.follower.close()


@pytest.fixture
def ending(log: Path) -> Iterator[Setting]:
    """Make a follower that begins at the end."""
    setting = Setting(log, "end")
    yield setting
    setting.follower.close()
