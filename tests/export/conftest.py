"""Certificates for the server."""

from pathlib import Path

import pytest
import trustme
from export.serving import Files


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def files(tmp_path: Path, authority: trustme.CA) -> Files:
    files = Files(tmp_path / "tls", authority)
    files.issue()
    return files
