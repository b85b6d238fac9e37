"""What a replay shows, whole: a night with a scanner that comes back, a sweep, and a near miss.

LOGWATCH_UPDATE_GOLDEN=1 writes the golden files anew.
"""

import os
from pathlib import Path

import pytest
from command import logwatch

HERE = Path(__file__).parent
AGAINST = ("replay", "night.log", "--against", "strict.rules")


@pytest.mark.parametrize(
    ("golden", "arguments"),
    [
        ("table.txt", AGAINST),
        ("outcome.json", (*AGAINST, "--format", "json")),
        (
            "limited.txt",
            ("replay", "night.log", "--rules", "strict.rules", "--config", "node.yaml", "--top=2"),
        ),
    ],
)
def test_the_whole_output_is_the_golden_one(
    monkeypatch: pytest.MonkeyPatch, golden: str, arguments: tuple[str, ...]
) -> None:
    monkeypatch.chdir(HERE)
    done = logwatch(*arguments)
    assert (0, b"") == (done.returncode, done.stderr)
    path = HERE / golden
    if os.environ.get("LOGWATCH_UPDATE_GOLDEN"):
        path.write_bytes(done.stdout)
    assert path.read_bytes() == done.stdout
    if golden.endswith(".txt"):
        assert max(map(len, done.stdout.decode().splitlines())) <= 80
