"""`logwatch blacklist` without an agent; tests/agent/test_by_hand.py has one."""

import json
import time
from pathlib import Path

import pytest
from command import logwatch

from logwatch.ledger import Ledger, SeriesLimits
from logwatch.offenders import BANS, Ban, Evidence


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("add", "203.0.113.7/24"), "bits set"),
        (("add", "0.0.0.0/0", "--force"), "wider"),
        (("add", "example.org"), "no address"),
        (("add", "203.0.113.7", "--for", "soon"), "90s, 10m, 1h or 7d"),
        (("add", "203.0.113.7", "--for", "400d"), "366d"),
        (("add", "203.0.113.7", "--reason", "\x1b[2Jgone"), "no text to be shown"),
        (("add", "203.0.113.7", "--reason", "x" * 100_000), "200 characters"),
        (("add",), "CIDR"),
        (("remove", "203.0.113.7/24"), "bits set"),
        (("why", "nobody"), "no address"),
        (("list", "--config", "/does/not/exist"), "/does/not/exist"),
        (("ban", "203.0.113.7"), "invalid choice"),
    ],
)
def test_wrong_usage_is_told_before_anybody_is_asked(
    tmp_path: Path, arguments: tuple[str, ...], words: str
) -> None:
    state = ("--state", str(tmp_path)) if "--config" not in arguments else ()
    done = logwatch("blacklist", *arguments, *state)
    assert (2, b"") == (done.returncode, done.stdout)
    assert words in done.stderr.decode()
    assert b"\x1b" not in done.stderr
    assert 1 == len(done.stderr.splitlines())


@pytest.mark.parametrize("arguments", [("list",), ("add", "203.0.113.7"), ("why", "203.0.113.7")])
def test_where_no_agent_ever_ran_that_is_told(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    for state in (tmp_path, tmp_path / "missing"):
        done = logwatch("blacklist", *arguments, "--state", str(state))
        assert (1, b"") == (done.returncode, done.stdout)
        assert f"logwatch agent --state {state}" in done.stderr.decode()
    assert [] == list(tmp_path.iterdir())


def test_a_damaged_state_is_told(tmp_path: Path) -> None:
    (tmp_path / "logwatch.sqlite").write_bytes(b"no database" * 1000)
    done = logwatch("blacklist", "list", "--state", str(tmp_path))
    assert (1, b"") == (done.returncode, done.stdout)
    assert "can't be read" in done.stderr.decode()


def test_the_configuration_names_the_state(tmp_path: Path) -> None:
    config = tmp_path / "logwatch.yaml"
    config.write_text(json.dumps({"state": str(tmp_path / "elsewhere")}))
    done = logwatch("blacklist", "list", "--config", str(config))
    assert 1 == done.returncode
    assert f"{tmp_path}/elsewhere" in done.stderr.decode()


def test_no_network_is_folded_in_80_columns(tmp_path: Path) -> None:
    """Beside the longest network, and the longest name of a rule."""
    now = time.time()
    networks = ("203.0.113.66/32", "2001:db8:1111:2222::/64", "2a02:1234:1111:2222::/64")
    bans = {
        network: Ban(
            network=network,
            rule="a" * 63,
            reason="",
            evidence=Evidence(0, (), now, now),
            since=now,
            expires=now + 3600,
            seconds=3600,
            offence=16,
            phase="propose",
            by="hand",
            forced=True,
        )
        for network in networks
    }
    ledger = Ledger.open(tmp_path, limits=SeriesLimits(), boot_id="boot")
    ledger.commit({}, {BANS: {network: ban.to_json() for network, ban in bans.items()}})
    ledger.close()
    shown = logwatch("blacklist", "list", "--state", str(tmp_path)).stdout.decode()
    assert all(f" {network} " in shown for network in networks)
    assert 80 >= max(map(len, shown.splitlines()))
