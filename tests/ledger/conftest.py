"""A ledger on a real SQLite file."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from ledger.state import open_ledger

from logwatch.ledger import Ledger


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "state"


@pytest.fixture
def ledger(directory: Path) -> Iterator[Ledger]:
    ledger = open_ledger(directory)
    yield ledger
    ledger.close()
