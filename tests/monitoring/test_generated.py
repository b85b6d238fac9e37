"""What programs make is what is committed; `make generated` writes it anew."""

import subprocess
import sys
from pathlib import Path

import pytest

DEPLOY = Path(__file__).parents[2] / "deploy"


@pytest.mark.parametrize(
    ("made", "program"), [("prometheus/prometheus-rule.yaml", "prometheus/wrap.py")]
)
def test_what_is_made_is_what_is_committed(made: str, program: str) -> None:
    command = [sys.executable, str(DEPLOY / program)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == (DEPLOY / made).read_text()
