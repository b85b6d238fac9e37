"""`logwatch rules` as a person or a script sees it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from logwatch.cli import rules
from logwatch.offenders.language import FILE_MOST, default_rules, tree

GOOD = "rule a\n    when distinct ports >= 15 within 1m\n    ban 1h\n"
WARNED = "rule a\n    when distinct ports >= 15 within 1m\n    where port is 22\n    ban 1h\n"
WRONG = "rule a\n    when ports >= 15 within 1m\n    ban 1h\n"


def logwatch(*arguments: str, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "logwatch", "rules", *arguments],
        input=given,
        capture_output=True,
        timeout=60,
        check=False,
    )


def files(directory: Path, **texts: str) -> list[str]:
    paths = []
    for name, text in texts.items():
        path = directory / f"{name}.rules"
        path.write_text(text)
        paths.append(str(path))
    return paths


@pytest.mark.parametrize(
    ("texts", "code"),
    [
        ({"good": GOOD}, 0),
        ({"warned": WARNED}, 0),
        ({"wrong": WRONG}, 3),
        ({"wrong": WRONG, "good": GOOD}, 3),
        ({"empty": ""}, 0),
    ],
)
def test_errors_make_a_check_exit_with_3_and_warnings_are_shown(
    tmp_path: Path, texts: dict[str, str], code: int
) -> None:
    done = logwatch("check", *files(tmp_path, **texts))
    assert (code, b"") == (done.returncode, done.stderr)
    told = done.stdout.decode()
    assert all(f"{name}.rules: " in told for name in texts)
    assert ("warning: " in told) == ("warned" in texts or "empty" in texts)
    assert ("error: " in told) == ("wrong" in texts)


def test_what_a_check_finds_as_json(tmp_path: Path) -> None:
    wrong, good = files(tmp_path, wrong=WRONG, good=GOOD)
    done = logwatch("check", wrong, good, "-", "--format", "json", given=WARNED.encode())
    assert (3, b"") == (done.returncode, done.stderr)
    error = {
        "file": wrong,
        "line": 2,
        "column": 10,
        "level": "error",
        "what": "'ports' can't stand here",
        "remedy": "expected `packets`, `bytes` or `distinct`; did you mean distinct ports?",
    }
    warning = {
        "file": "<stdin>",
        "line": 1,
        "column": 6,
        "level": "warning",
        "what": "the rule a can never fire: it counts at most 1 distinct port",
        "remedy": "write a lower number, or let the rule count more",
    }
    assert {"schema": 1, "problems": [error, warning]} == json.loads(done.stdout)


def test_a_check_counts_what_it_found(tmp_path: Path) -> None:
    [path] = files(tmp_path, both=f"{WARNED}{GOOD.replace('rule a', 'rule b')}{WRONG}{WRONG}")
    *_, last = logwatch("check", path).stdout.decode().splitlines()
    assert f"{path}: 2 good rules, 2 errors, 1 warning" == last
    *_, last = logwatch("check", "-", given=GOOD.encode()).stdout.decode().splitlines()
    assert "<stdin>: 1 good rule, no problem" == last


def test_the_default_rules_are_explained() -> None:
    done = logwatch("explain")
    assert (0, b"") == (done.returncode, done.stderr)
    told = done.stdout.decode()
    for rule in default_rules():
        assert f"\n{rule.name} (default.rules:{rule.place.line})\n  A source is banned" in told
    as_json = json.loads(logwatch("explain", "--format", "json").stdout)
    assert {"schema": 1, "rules": [tree(rule) for rule in default_rules()]} == as_json


def test_the_comment_above_a_rule_is_part_of_its_explanation() -> None:
    """The default rules have their reasons there; nothing in one acts on a terminal."""
    told = logwatch("explain").stdout.decode()
    assert "\n  # A scan of ports. CrowdSec's scenario iptables-scan-multi_ports" in told
    text = f"\ufeff# why\x1b[2J\n#\n  # and how\n{GOOD}\n# of none\n\n{GOOD.replace('a', 'b', 1)}"
    told = logwatch("explain", "-", given=text.encode()).stdout.decode()
    assert ["  # why\ufffd[2J and how"] == [line for line in told.splitlines() if "#" in line]


def test_rules_with_an_error_are_not_explained(tmp_path: Path) -> None:
    wrong, warned = files(tmp_path, wrong=WRONG, warned=WARNED)
    done = logwatch("explain", wrong)
    assert (3, b"") == (done.returncode, done.stdout)
    assert b"did you mean distinct ports?" in done.stderr
    done = logwatch("explain", warned)
    assert 0 == done.returncode
    assert b"can never fire" in done.stderr
    assert b"go to port 22" in done.stdout
    assert b"no rules\n" == logwatch("explain", "-").stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["check"], ["FILE", "rules check --help"]),
        (["chek"], ["chek", "check", "explain"]),
        (["check", "/nowhere.rules"], ["/nowhere.rules", "No such file"]),
        (["check", "/tmp"], ["/tmp", "directory"]),
        (["explain", "/nowhere.rules"], ["/nowhere.rules", "No such file"]),
        (["check", "-", "--format", "xml"], ["xml", "json"]),
        (["explain", "a", "b"], ["b", "rules explain --help"]),
    ],
)
def test_wrong_usage_is_one_clear_message(arguments: list[str], words: list[str]) -> None:
    done = logwatch(*arguments)
    text = done.stderr.decode()
    assert (2, b"", 1) == (done.returncode, done.stdout, len(text.splitlines()))
    for word in words:
        assert word in text


def test_help() -> None:
    for arguments in (["--help"], ["check", "--help"], ["explain", "--help"]):
        done = logwatch(*arguments)
        assert (0, b"") == (done.returncode, done.stderr)
        assert done.stdout.startswith(b"Usage: logwatch rules ")
    assert (2, logwatch("--help").stdout) == (logwatch().returncode, logwatch().stdout)


def test_a_file_of_any_name_is_told(tmp_path: Path) -> None:
    path = tmp_path / "a\udcff"
    path.write_text(WRONG)
    done = logwatch("check", str(path))
    assert 3 == done.returncode
    assert b"/a\\udcff:2:10: error: " in done.stdout
    assert 3 == logwatch("check", str(path), "--format", "json").returncode


def test_no_more_of_a_file_is_read_than_rules_may_have() -> None:
    assert FILE_MOST == rules._MOST
    done = logwatch("check", "/dev/zero")
    assert 3 == done.returncode
    assert b"larger than 1 MiB" in done.stdout


@pytest.mark.parametrize("arguments", [["--help"], ["rules", "--help"], ["rules", "check", "-h"]])
def test_help_imports_no_parser(arguments: list[str]) -> None:
    show = "import sys; from logwatch.cli import main\ntry: main()\nfinally: print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", show, *arguments], capture_output=True, timeout=60, check=True
    )
    imported = set(done.stdout.decode().split())
    assert "logwatch.cli.arguments.parser" in imported
    assert set() == imported & {"pyparsing", "logwatch.offenders", "logwatch.cli.rules", "json"}
