"""The commands as a person or a script sees them: output, messages, exit codes."""

import fcntl
import gzip
import json
import os
import re
import signal
import socket
import subprocess
import sys
import termios
import time
from pathlib import Path

import pytest
from command import logwatch, logwatch_on_a_terminal
from conftest import FIXTURES

from logwatch.cli.prefixes import prefix_texts
from logwatch.config import Prefix

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

SCAN = FIXTURES / "scan" / "lines.log"
RULES = Path(__file__).parents[1] / "offenders" / "language" / "golden" / "short.rules"
LINE = SCAN.read_bytes().splitlines()[0]


def test_a_report_is_json_on_standard_output_and_nothing_else() -> None:
    done = logwatch("report", str(SCAN), "--format", "json")
    assert (0, b"") == (done.returncode, done.stderr)
    assert 144 == json.loads(done.stdout)["totals"]["packets"]


def test_a_report_reads_standard_input_whatever_its_packing() -> None:
    done = logwatch("report", "-", "--format", "csv", "--top", "1", given=SCAN.read_bytes())
    assert 0 == done.returncode
    assert 2 == len(done.stdout.splitlines())


def test_a_report_can_be_written_to_a_file(tmp_path: Path) -> None:
    for output_format in ("table", "json", "csv"):
        path = tmp_path / output_format
        done = logwatch("report", str(SCAN), "--format", output_format, "--output", str(path))
        assert (0, b"", b"") == (done.returncode, done.stdout, done.stderr)
        assert b"203.0.113.66" in path.read_bytes()
    done = logwatch("report", str(SCAN), "--output", str(tmp_path))
    assert 1 == done.returncode
    assert str(tmp_path).encode() in done.stderr


def test_a_person_sees_a_bar_while_a_long_report_is_read(tmp_path: Path) -> None:
    """On a terminal stderr shows progress, and stdout stays the result alone."""
    large = tmp_path / "syslog"
    large.write_bytes(SCAN.read_bytes() * 2_000)
    output, shown = logwatch_on_a_terminal("report", str(large), "--format", "json")
    assert 288_000 == json.loads(output)["totals"]["packets"]
    assert large.name.encode() in shown
    assert b"B/s" in shown


def test_bars_of_many_files_come_one_after_the_other_and_fit_80_columns(tmp_path: Path) -> None:
    """Also where a path is long, or would be taken for colours."""
    names = ("[red]a", "\x1b[31mb", "c" * 200)
    paths = [str(tmp_path / name) for name in names]
    for path in paths:
        Path(path).write_bytes(SCAN.read_bytes() * 200)
    _, shown = logwatch_on_a_terminal("report", *paths, "--format", "json", columns=80)
    for name in (b"[red]a", b"\\x1b[31mb", b"c" * 31):
        assert name in shown
    assert shown.count(b"\x1b[1A") <= 1, "a second bar below the first one"
    text = re.sub(rb"\x1b\[[0-9;?]*[A-Za-z]", b"", shown).decode()
    assert 80 >= max(len(line) for line in re.split(r"[\r\n]", text))


def test_a_report_in_little_memory_counts_all_packets(tmp_path: Path) -> None:
    lines = [LINE.replace(b"203.0.113.66", b"10.%d.%d.9" % divmod(n, 256)) for n in range(30_000)]
    log = tmp_path / "log"
    log.write_bytes(b"\n".join(lines))
    report = json.loads(logwatch("report", str(log), "--format", "json", "--memory", "1").stdout)
    assert 30_000 == report["totals"]["packets"]
    assert 30_000 == sum(flow["packets"] for flow in report["flows"])
    assert 12_288 == sum(1 for flow in report["flows"] if flow["source"])  # of 16,384 places


def test_explain_gives_an_object_for_each_line_to_a_program() -> None:
    done = logwatch("explain", "--format", "json", given=LINE + b"\n\xff\n")
    assert 0 == done.returncode
    kinds = [json.loads(line)["kind"] for line in done.stdout.splitlines()]
    assert ["packet", "other"] == kinds


def test_explain_says_what_a_line_counts_for() -> None:
    done = logwatch("explain", LINE.decode())
    assert 0 == done.returncode
    assert b"1 packet from 203.0.113.66 to port 1/tcp" in done.stdout
    assert b"agree" in done.stdout
    several = logwatch("explain", given=LINE + b"\n" + b"\xff\x00\n")
    assert 0 == several.returncode
    assert 2 == several.stdout.count(b"both readers agree")


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["report"], 2, ["PATH"]),
        (["report", "/nowhere/syslog"], 1, ["/nowhere/syslog", "does not exist"]),
        (["report", "/tmp"], 1, ["/tmp", "directory"]),
        (["report", "-", "--format", "xml"], 2, ["xml", "table"]),
        (["report", "-", "--top", "-1"], 2, ["--top", "0"]),
        (["report", "-", "--jobs", "-1"], 2, ["--jobs", "0"]),
        (["report", "-", "--jobs", "two"], 2, ["--jobs", "two"]),
        (["report", "-", "--memory", "0"], 2, ["--memory", "MiB", "1"]),
        (["explain", "--format", "xml"], 2, ["xml", "json"]),
        (["report", "-", "--form", "csv"], 2, ["--form", "report --help"]),
        (["report", "--"], 2, ["PATH"]),
        (["--", "report"], 2, ["report"]),
        (["report", "-", "--prefix", ""], 2, ["prefix"]),
        (["report", "-", "--since", "2026-11-25", "--until", "2026-11-25"], 2, ["--until"]),
        (["agent", "--listen", "127.0.0.1:99999"], 2, ["99999", "65535"]),
        (["agent", "--mode", "kill"], 2, ["kill", "observe"]),
        (["agent", "--mode", "enforce"], 2, ["policy_file"]),
        (["agent", "--input", "dmesg"], 2, ["dmesg", "kmsg"]),
        (["agent", "--input", "kmsg", "--log", "/var/log/syslog"], 2, ["kmsg", "--log", "twice"]),
        (["agent", "--log", "/x/syslog", "--log", "/x/kern.log"], 2, ["/x/kern.log", "twice"]),
        (["agent", "--config", "/nowhere.yaml"], 2, ["/nowhere.yaml"]),
        (["agent", "--state", "/dev/null/state"], 1, ["/dev/null/state"]),
        (["frobnicate"], 2, ["frobnicate"]),
    ],
)
def test_wrong_usage_is_one_clear_message(
    arguments: list[str], code: int, words: list[str]
) -> None:
    done = logwatch(*arguments)
    text = done.stderr.decode()
    assert (code, b"") == (done.returncode, done.stdout)
    assert "Traceback" not in text
    for word in words:
        assert word in text


def test_a_port_in_use_is_told_with_the_remedy(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = logwatch(
            *("agent", "--log", str(tmp_path / "syslog")),
            *("--state", str(tmp_path / "state"), "--listen", f"127.0.0.1:{port}"),
        )
    assert 1 == done.returncode
    assert str(port) in done.stderr.decode()
    assert "Traceback" not in done.stderr.decode()


def test_a_broken_archive_is_reported_as_far_as_it_goes(tmp_path: Path) -> None:
    broken = tmp_path / "syslog.gz"
    broken.write_bytes(b"\x1f\x8b\x08\x00garbage that is no archive")
    done = logwatch("report", str(broken))
    assert 1 == done.returncode
    assert str(broken) in done.stderr.decode()


def test_a_reader_that_has_seen_enough_ends_it_quietly() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-m", "logwatch", "report", str(SCAN), "--format", "csv"],
        stdout=writing,
        stderr=subprocess.PIPE,
        timeout=60,
        check=False,
    )
    os.close(writing)
    assert (1, b"") == (done.returncode, done.stderr)


@pytest.mark.parametrize(
    "arguments",
    [
        f"report {SCAN}",
        f"replay {SCAN} --format json",
        "rules explain",
        f"rules check {RULES}",
        "policy list",
        "policy render deny-nodeports",
        "explain kernel:",
    ],
)
def test_output_that_can_not_be_written_is_one_sentence(arguments: str) -> None:
    """On a full disk, and where standard output is closed."""
    for target, words in ((">/dev/full", b"No space left"), (">&-", b"output is closed")):
        shell = f"exec {sys.executable} -m logwatch {arguments} {target}"
        done = subprocess.run(["sh", "-c", shell], capture_output=True, timeout=60, check=False)
        assert (1, 1) == (done.returncode, done.stderr.count(b"\n"))
        assert words in done.stderr


@pytest.mark.parametrize("arguments", ["rules check -", "policy check -", "explain", "report -"])
def test_input_that_is_closed_is_one_sentence(arguments: str) -> None:
    shell = f"exec {sys.executable} -m logwatch {arguments} <&-"
    done = subprocess.run(["sh", "-c", shell], capture_output=True, timeout=60, check=False)
    assert (b"", 1) == (done.stdout, done.stderr.count(b"\n"))
    assert b"standard input" in done.stderr


def test_a_report_never_replaces_the_log_that_it_is_made_of(tmp_path: Path) -> None:
    log = tmp_path / "syslog"
    log.write_bytes(SCAN.read_bytes())
    refused = logwatch("report", str(log), "--output", str(tmp_path / "." / "syslog"))
    assert 2 == refused.returncode
    assert SCAN.read_bytes() == log.read_bytes()


def test_arguments_may_be_any_bytes(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "logwatch"]
    line = LINE.replace(b"worker-1", b"w\xff")
    done = subprocess.run([*command, "explain", line], capture_output=True, check=False)
    assert 0 == done.returncode
    assert b"1 packet from 203.0.113.66" in done.stdout
    odd = os.fsencode(tmp_path) + b"/log\xff"
    Path(os.fsdecode(odd)).write_bytes(SCAN.read_bytes())
    done = subprocess.run(
        [*command, "report", odd, "--format", "json"], capture_output=True, check=False
    )
    assert 0 == done.returncode
    assert 144 == json.loads(done.stdout)["totals"]["packets"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "prefix calico-packet was found; see --prefix."),
        (["--prefix", "cp %n"], "prefix cp %n was found; see --prefix."),
        (["--since", "2030-01-01"], "was found in this part of the time; see --since, --until"),
    ],
)
@pytest.mark.parametrize("output_format", ["table", "html"])
def test_a_report_without_a_packet_says_what_was_looked_for(
    output_format: str, arguments: list[str], said: str
) -> None:
    """And shows no tables of nothing."""
    done = logwatch("report", "-", "--format", output_format, *arguments, given=b"of no interest\n")
    text = done.stdout.decode()
    assert said in text
    assert "destinations" not in text


def test_help_names_every_command() -> None:
    text = logwatch("--help").stdout.decode()
    for command in ("agent", "report", "replay", "explain", "rules"):
        assert command in text


@pytest.mark.parametrize("command", ["agent", "report", "replay", "explain", "rules"])
def test_each_command_has_help(command: str) -> None:
    done = logwatch(command, "--help")
    assert (0, b"") == (done.returncode, done.stderr)
    assert f"Usage: logwatch {command} [OPTIONS]" in done.stdout.decode()


def test_without_a_command_the_help_is_shown() -> None:
    done = logwatch()
    assert (2, logwatch("--help").stdout) == (done.returncode, done.stdout)


def test_files_and_options_of_a_report_stand_in_any_order(tmp_path: Path) -> None:
    """After -- everything is a file."""
    odd = tmp_path / "--top"
    odd.write_bytes(SCAN.read_bytes())
    for arguments in (
        [SCAN, SCAN, "--format", "json"],
        ["--format", "json", SCAN, SCAN],
        [SCAN, "--format=json", SCAN],
        ["--format", "json", "--", "--top", SCAN],
        [SCAN, "--format", "json", "--", "--top"],
    ):
        done = subprocess.run(
            [sys.executable, "-m", "logwatch", "report", *arguments],
            cwd=tmp_path,
            capture_output=True,
            timeout=60,
            check=True,
        )
        assert 288 == json.loads(done.stdout)["totals"]["packets"]


def test_a_report_imports_only_what_it_needs() -> None:
    """Start-up is most of the time that a short log takes."""
    show = "import sys; from logwatch.cli import main; main(); print(*sys.modules, file=sys.stderr)"
    done = subprocess.run(
        [sys.executable, "-c", show, "report", SCAN, "--format", "json"],
        capture_output=True,
        timeout=60,
        check=True,
    )
    imported = set(done.stderr.decode().split())
    assert "logwatch.report" in imported
    needless = (
        "backports.zstd isal logwatch.config logwatch.tail msgspec pathlib rich shutil threading"
    )
    assert set() == imported & set(needless.split())


def test_the_prefix_of_a_report_is_the_one_of_the_configuration() -> None:
    assert [Prefix().text] == prefix_texts(None)


def test_a_report_is_the_same_whatever_the_number_of_jobs(tmp_path: Path) -> None:
    """Plain, packed, damaged, and what can't be read: 0 jobs are as many as there are cores."""
    text = SCAN.read_bytes()
    packed = gzip.compress(text)
    (tmp_path / "a.gz").write_bytes(packed)
    (tmp_path / "b.zst").write_bytes(zstd.compress(text))
    (tmp_path / "cut.gz").write_bytes(packed[: len(packed) // 2])
    names = ("a.gz", "cut.gz", "nothing", "b.zst")
    paths = [str(SCAN), "-", *(str(tmp_path / name) for name in names), "-"]
    one, two, all_cores = (
        logwatch("report", *paths, "--format", "json", "--jobs", jobs, given=text)
        for jobs in ("1", "2", "0")
    )
    assert (1, one.stdout, one.stderr) == (two.returncode, two.stdout, two.stderr)
    assert (1, one.stdout, one.stderr) == (all_cores.returncode, all_cores.stdout, all_cores.stderr)
    inputs = json.loads(one.stdout)["inputs"]
    assert [*paths] == [entry["path"] for entry in inputs]
    assert [False, False, False, True, True, False, False] == [
        entry["problem"] is not None for entry in inputs
    ]
    assert 4 * 144 < json.loads(one.stdout)["totals"]["packets"] < 5 * 144


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_an_interrupt_ends_a_report(tmp_path: Path, jobs: str) -> None:
    """Even where it waits for a pipe that never ends; it says what it did not read."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with subprocess.Popen(
        [sys.executable, "-m", "logwatch", "report", pipe, SCAN, "--jobs", jobs],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        with pipe.open("wb"):  # waits for who reads
            process.send_signal(signal.SIGINT)
            _, said = process.communicate(timeout=20)
        assert 130 == process.returncode
    lines = said.decode().splitlines()
    assert f"logwatch: interrupted before {pipe} was read." in lines
    assert all(line.startswith("logwatch: interrupted ") for line in lines)


@pytest.mark.parametrize("output_format", ["table", "json", "csv", "html"])
def test_a_reader_that_has_seen_enough_is_no_error(tmp_path: Path, output_format: str) -> None:
    """As `head` is: the report is larger than a pipe."""
    path = tmp_path / "log"
    path.write_bytes(
        b"".join(
            LINE.replace(b"203.0.113.66", b"10.0.%d.%d" % divmod(number, 256)) + b"\n"
            for number in range(3_000)
        )
    )
    # Unbuffered, Python does not try again to write what a pipe has not taken.
    environment = {name: os.environ[name] for name in os.environ if name != "PYTHONUNBUFFERED"}
    arguments = ("report", path, "--format", output_format, "--top", "0")
    with subprocess.Popen(
        [sys.executable, "-m", "logwatch", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment,
    ) as process:
        assert process.stdout
        assert process.stderr
        process.stdout.readline()
        process.stdout.close()
        assert (b"", 1) == (process.stderr.read(), process.wait(20))


def wait_for_more(pid: int, pipe: int) -> None:
    """Until a process has read all that is in a pipe, and sleeps."""
    until = time.monotonic() + 20
    while time.monotonic() < until:
        left = int.from_bytes(fcntl.ioctl(pipe, termios.FIONREAD, bytes(4)), sys.byteorder)
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        if (left, state) == (0, "S"):
            return
    raise AssertionError


def test_an_interrupted_report_tells_what_was_read_so_far(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with subprocess.Popen(
        [sys.executable, "-m", "logwatch", "report", SCAN, pipe, SCAN, "--format", "json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        with pipe.open("wb") as file:
            file.write(SCAN.read_bytes()[:-10])  # 143 whole lines
            file.flush()
            wait_for_more(process.pid, file.fileno())
            process.send_signal(signal.SIGINT)
            result, said = process.communicate(timeout=20)
        assert 130 == process.returncode
    report = json.loads(result)
    assert 144 + 143 == report["totals"]["packets"]
    assert f"logwatch: interrupted after 36,946 bytes of {pipe}.\n".encode() == said
    assert [None, f"interrupted after 36,946 bytes of {pipe}."] == [
        entry["problem"] for entry in report["inputs"]
    ]
