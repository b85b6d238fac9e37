"""Network namespaces of the lab: made, entered and removed; what a killed run left is removed too.

Needs root. A namespace's name carries the process that made it, so that no two runs collide.
"""

import contextlib
import ctypes
import itertools
import os
import shutil
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")
CLONE_NEWNET = 0x40000000  # linux/sched.h
PREFIX = "logwatch-lab-"
PROGRAMS = {  # program -> Debian package
    "ip": "iproute2",
    "iptables": "iptables",
    "ip6tables": "iptables",
    "ebtables-nft": "iptables",
    "nft": "nftables",
    "sysctl": "procps",
    "rsyslogd": "rsyslog",
    "logrotate": "logrotate",
    "tc": "iproute2",
    "nmap": "nmap",
    "hping3": "hping3",
    "haproxy": "haproxy",
    "curl": "curl",
    "prometheus": "prometheus",
    "promtool": "prometheus",
    "prometheus-alertmanager": "prometheus-alertmanager",
}
_numbers = itertools.count()
_libc = ctypes.CDLL(None, use_errno=True)


class LabError(RuntimeError):
    """The lab can't work here; the message says what is missing and how to get it."""


def require(*programs: str) -> None:
    """Fail unless this is root and the programs are installed."""
    if os.geteuid() != 0:
        raise LabError("the lab needs root: network namespaces, LOG rules and /dev/kmsg are root's")
    missing = sorted({PROGRAMS[name] for name in programs if shutil.which(name) is None})
    if missing:
        packages = " ".join(missing)
        raise LabError(f"Debian packages missing; run tests/lab/install.sh {packages}")


def run(*command: str, text: str | None = None) -> str:
    """Run a command to its end and return its output; what it complained of is in the error."""
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise LabError(f"{' '.join(command)}: {done.stderr.strip() or done.returncode}")
    return done.stdout


class Namespace:
    """One network namespace with its loopback up."""

    def __init__(self, role: str) -> None:
        require("ip")
        self.name = f"{PREFIX}{os.getpid()}-{started(os.getpid())}-{next(_numbers)}-{role}"
        run("ip", "netns", "add", self.name)
        self.ip("link set lo up")

    def ip(self, *lines: str) -> None:
        """Run lines of `ip` in one batch."""
        run("ip", "-n", self.name, "-batch", "-", text="\n".join(lines) + "\n")

    def run(self, *command: str, text: str | None = None) -> str:
        """Run a command inside to its end and return its output."""
        return run("ip", "netns", "exec", self.name, *command, text=text)

    def start(self, *command: str) -> subprocess.Popen[bytes]:
        """Start a command inside; the caller ends it."""
        return subprocess.Popen(["ip", "netns", "exec", self.name, *command])

    def sysctl(self, **values: object) -> None:
        """Set sysctls of this namespace; `__` in a name stands for a dot."""
        pairs = [f"{name.replace('__', '.')}={value}" for name, value in values.items()]
        self.run("sysctl", "-q", "-w", *pairs)

    def call(self, function: Callable[[], T]) -> T:
        """Call a function in a thread that is inside; sockets it opens stay inside."""
        results: list[T] = []
        errors: list[BaseException] = []

        def inside() -> None:
            try:
                _enter(self.name)
                results.append(function())
            except BaseException as error:  # noqa: BLE001  # handed to the calling thread
                errors.append(error)

        thread = threading.Thread(target=inside)
        thread.start()
        thread.join()
        if errors:
            raise errors[0]
        return results[0]

    def socket(self, family: int, kind: int, protocol: int = 0) -> socket.socket:
        """Return a socket that lives inside."""
        return self.call(lambda: socket.socket(family, kind, protocol))

    def remove(self) -> None:
        """Remove the namespace with all that is in it."""
        with contextlib.suppress(LabError):  # it may be gone already
            run("ip", "netns", "del", self.name)


def _enter(name: str) -> None:
    """Move the calling thread into a namespace."""
    with Path("/run/netns", name).open("rb") as namespace:
        if _libc.setns(namespace.fileno(), CLONE_NEWNET) != 0:
            raise LabError(f"setns {name}: {os.strerror(ctypes.get_errno())}")


def remove_stale() -> list[str]:
    """Remove the namespaces of runs that are gone, and return their names."""
    stale = list(_stale())
    for name in stale:
        run("ip", "netns", "del", name)
    return stale


def _stale() -> Iterator[str]:
    directory = Path("/run/netns")
    for path in sorted(directory.glob(f"{PREFIX}*")) if directory.is_dir() else []:
        process, start = path.name.removeprefix(PREFIX).split("-")[:2]
        if str(started(int(process))) != start:
            yield path.name


def started(process: int) -> int | None:
    """Return the start time of a process in clock ticks since boot, None when there is none."""
    try:
        status = Path("/proc", str(process), "stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return int(status.rpartition(")")[2].split()[19])
