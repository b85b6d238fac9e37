"""`logwatch replay` as a person or a script sees it."""

import gzip
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from command import logwatch, logwatch_on_a_terminal
from report.replay.lines import line

from logwatch.offenders import own_addresses

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

NIGHT = Path(__file__).parents[1] / "report" / "replay" / "night.log"
COMMAND = [sys.executable, "-m", "logwatch", "replay"]
ONE_PACKET = "rule one\n    when packets >= 1 within 1m\n    ban 1h\n    even if forged\n"


def bans(output: bytes) -> list[tuple[str, str]]:
    return [(ban["cidr"], ban["at"]) for ban in json.loads(output)["bans"]]


def test_standard_input_and_packed_files_give_the_same_as_the_file(tmp_path: Path) -> None:
    night = NIGHT.read_bytes()
    (tmp_path / "night.gz").write_bytes(gzip.compress(night))
    (tmp_path / "night.zst").write_bytes(zstd.compress(night))
    plain = logwatch("replay", str(NIGHT), "--format", "json")
    assert (0, b"") == (plain.returncode, plain.stderr)
    assert ("203.0.113.66/32", "2026-11-24T01:00:14Z") == bans(plain.stdout)[0]
    for path in ("-", str(tmp_path / "night.gz"), str(tmp_path / "night.zst")):
        done = logwatch("replay", "--format", "json", path, given=night)
        assert (0, b"") == (done.returncode, done.stderr)
        assert bans(plain.stdout) == bans(done.stdout)


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        ([], 2, ["PATH", "-"]),
        (["/nowhere/syslog"], 1, ["/nowhere/syslog", "does not exist"]),
        (["/tmp"], 1, ["/tmp", "directory"]),
        (["-", "--format", "csv"], 2, ["csv", "table"]),
        (["-", "--top", "-1"], 2, ["--top", "0"]),
        (["-", "--rules", "/nowhere.rules"], 2, ["/nowhere.rules", "No such file"]),
        (["-", "--against", "/nowhere.rules"], 2, ["/nowhere.rules", "No such file"]),
        (["-", "--config", "/nowhere.yaml"], 2, ["/nowhere.yaml", "No such file"]),
        (["-", "--prefix", "ä"], 2, ["--prefix", "Calico"]),
        ([str(NIGHT), str(NIGHT)], 2, [str(NIGHT), "count twice"]),
    ],
)
def test_wrong_usage_is_one_clear_message(
    arguments: list[str], code: int, words: list[str]
) -> None:
    done = logwatch("replay", *arguments)
    text = done.stderr.decode()
    assert (code, b"", 1) == (done.returncode, done.stdout, text.count("\n"))
    for word in words:
        assert word in text


def test_wrong_rules_are_told_before_any_log_is_read(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.rules"
    wrong.write_text("rule a\n    when ports >= 15 within 1m\n    ban 1h\n")
    done = logwatch("replay", "/nowhere/syslog", "--rules", str(wrong))
    assert (2, b"") == (done.returncode, done.stdout)
    assert b"did you mean distinct ports?" in done.stderr
    assert b"/nowhere/syslog" not in done.stderr


def test_warnings_of_rules_are_shown_and_do_not_matter(tmp_path: Path) -> None:
    warned = tmp_path / "warned.rules"
    warned.write_text(
        "rule a\n    when distinct ports >= 15 within 1m\n    where port is 22\n    ban 1h\n"
    )
    done = logwatch("replay", str(NIGHT), "--rules", str(warned))
    assert 0 == done.returncode
    assert b"warning: the rule a can never fire" in done.stderr
    assert b"Nobody would have been banned." in done.stdout


def test_what_is_no_log_is_told_as_that(tmp_path: Path) -> None:
    binary = tmp_path / "binary"
    binary.write_bytes(bytes(range(256)) * 1_000)
    done = logwatch("replay", str(binary))
    assert (0, b"") == (done.returncode, done.stderr)
    assert b"No kernel line with the prefix calico-packet was found; see --prefix." in done.stdout
    empty = logwatch("replay", "-")
    assert 0 == empty.returncode
    assert b"standard input is empty." in empty.stdout


def test_another_packing_is_refused_with_the_command_that_reads_it(tmp_path: Path) -> None:
    packed = tmp_path / "syslog.xz"
    packed.write_bytes(b"\xfd7zXZ\0 and so on")
    done = logwatch("replay", str(packed))
    assert 1 == done.returncode
    assert b"xz -dc FILE | logwatch replay -" in done.stderr


def test_a_cut_archive_is_judged_as_far_as_it_goes(tmp_path: Path) -> None:
    cut = tmp_path / "syslog.gz"
    cut.write_bytes(gzip.compress(NIGHT.read_bytes())[:-30])
    done = logwatch("replay", str(cut), "--format", "json")
    assert 1 == done.returncode
    assert b"is cut off" in done.stderr
    assert ("203.0.113.66/32", "2026-11-24T01:00:14Z") in bans(done.stdout)
    assert "is cut off" in json.loads(done.stdout)["inputs"][0]["problem"]


def test_this_hosts_addresses_are_protected_only_by_its_configuration(tmp_path: Path) -> None:
    """A log may be another host's: then its addresses mean nothing here."""
    own = next(
        network
        for network in own_addresses()
        if network.version == 4 and network.prefixlen == 32 and not network.is_loopback
    )
    rules, config, log = (tmp_path / name for name in ("one.rules", "node.yaml", "syslog"))
    rules.write_text(ONE_PACKET)
    config.write_text("never_ban: [192.0.2.0/24]\n")
    sources = (str(own.network_address), "192.0.2.7", "127.0.0.9")
    log.write_text("".join(line(second, source) for second, source in enumerate(sources)))
    arguments = ["replay", str(log), "--rules", str(rules), "--format", "json"]
    without = json.loads(logwatch(*arguments).stdout)
    assert [str(own), "192.0.2.7/32"] == [ban["cidr"] for ban in without["bans"]]
    assert ["loopback"] == [each["reason"] for each in without["refused"]]
    assert {"listed": [], "own": None} == without["never_banned"]
    given = json.loads(logwatch(*arguments, "--config", str(config)).stdout)
    assert [] == given["bans"]
    assert ["translated address", "operator", "loopback"] == [
        each["reason"] for each in given["refused"]
    ]
    assert ["192.0.2.0/24"] == given["never_banned"]["listed"]
    assert given["never_banned"]["own"]


def test_the_configuration_gives_rules_prefixes_and_limits(tmp_path: Path) -> None:
    rules, config, log = (tmp_path / name for name in ("one.rules", "node.yaml", "syslog"))
    rules.write_text(ONE_PACKET)
    config.write_text(f"rules: {rules}\nprefixes: [{{text: denied}}]\nbrakes: {{bans: 1}}\n")
    log.write_text(
        line(0, "192.0.2.1") + "".join(line(n, f"203.0.113.{n}", prefix="denied") for n in (1, 2))
    )
    told = json.loads(
        logwatch("replay", str(log), "--config", str(config), "--format", "json").stdout
    )
    assert (["203.0.113.1/32"], ["limit"]) == (
        [ban["cidr"] for ban in told["bans"]],
        [each["reason"] for each in told["refused"]],
    )
    other = logwatch(
        *("replay", str(log), "--config", str(config), "--prefix", "calico-packet"),
        *("--format", "json"),
    )
    assert ["192.0.2.1/32"] == [cidr for cidr, _ in bans(other.stdout)]


def test_an_interrupt_shows_what_was_read_so_far(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with subprocess.Popen(
        [*COMMAND, pipe, "--format", "json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        with pipe.open("wb", buffering=0) as writer:
            writer.write(NIGHT.read_bytes())
            # More than a pipe and a piece hold: when it is written, what came before is judged.
            writer.write(b"2026-11-24T05:00:00Z worker-1 app: nothing\n" * 30_000)
            process.send_signal(signal.SIGINT)
            output, errors = process.communicate(timeout=20)
        assert 130 == process.returncode
    told = json.loads(output)
    assert told["interrupted"] is True
    assert ("203.0.113.66/32", "2026-11-24T01:00:14Z") in bans(output)
    assert re.fullmatch(rb"logwatch: interrupted; \d+ lines with \d+ packets .*\n", errors)


def test_a_person_sees_a_bar_and_a_table_as_wide_as_the_terminal(tmp_path: Path) -> None:
    large = tmp_path / "syslog"
    large.write_bytes(NIGHT.read_bytes() * 500)
    output, shown = logwatch_on_a_terminal("replay", str(large), "--format", "json")
    assert 500 * 96 == json.loads(output)["totals"]["packets"]
    assert b"B/s" in shown


def test_a_replay_imports_no_more_than_it_needs() -> None:
    show = "import sys; from logwatch.cli import main; main(); print(*sys.modules, file=sys.stderr)"
    done = subprocess.run(
        [sys.executable, "-c", show, "replay", NIGHT, "--format", "json"],
        capture_output=True,
        timeout=60,
        check=True,
    )
    imported = set(done.stderr.decode().split())
    assert "logwatch.report.replay" in imported
    assert set() == imported & {"rich", "prometheus_client", "sqlite3", "watchdog"}
