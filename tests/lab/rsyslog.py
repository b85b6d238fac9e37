"""The real rsyslogd with a private configuration, and the real logrotate for its file.

Its imklog reads a FIFO that a relay feeds from /dev/kmsg, since /proc/kmsg gives each line to one
reader only: a second rsyslogd would take them away. `source="proc-kmsg"` reads /proc/kmsg itself,
`source="fifo"` what is written to `fifo`, in the form of /proc/kmsg.
"""

import array
import fcntl
import os
import signal
import socket
import subprocess
import sys
import termios
import time
from collections.abc import Callable
from pathlib import Path
from typing import Literal, Self

from lab.kernel_log import STATUS
from lab.namespace import LabError, require

Source = Literal["relay", "proc-kmsg", "fifo", "none"]
Syslog = tuple[int, int]  # facility, severity
DAEMON_INFO: Syslog = (3, 6)

# rsyslog's own templates by the header forms they write.
TEMPLATES = {
    "traditional": "RSYSLOG_TraditionalFileFormat",  # Ubuntu <= 22.04, Debian <= 11
    "file": "RSYSLOG_FileFormat",  # RFC 3339; Ubuntu 24.04, Debian 12
    "protocol23": "RSYSLOG_SyslogProtocol23Format",  # RFC 5424
}
CONFIGURATION = """\
global(workDirectory="{work}" localHostname="{hostname}" processInternalMessages="{internal}")
$RepeatedMsgReduction {repeated}
{inputs}
*.*;auth,authpriv.none action(type="omfile" file="{path}" template="{template}"
                              fileCreateMode="0640")
"""
# Debian's and Ubuntu's /etc/logrotate.d/rsyslog, with this rsyslogd in the place of the system's.
ROTATION = """\
{path}
{{
	rotate {rotate}
	weekly
	missingok
	notifempty
{method}	compress
	delaycompress
	sharedscripts
	postrotate
		{hup}
	endscript
}}
"""


class Rsyslog:
    """A running rsyslogd that writes `DIRECTORY/syslog`; stopped at the end of the `with`.

    template      a key of TEMPLATES, or the name of any template of rsyslog's own
    repeated      $RepeatedMsgReduction, which Ubuntu switches on
    uptime        False: imklog strips `[uptime]`, which is what rsyslog >= 8.2312 does by default
    caller        text for the second bracket, as a kernel with CONFIG_PRINTK_CALLER prints
    user_records  what processes write to /dev/kmsg is taken too, as Ubuntu's configuration does
    limit         so many messages in so many seconds; what rsyslogd says about it is in its file,
                  not in the system's log
    """

    def __init__(
        self,
        directory: Path,
        *,
        template: str = "traditional",
        repeated: bool = False,
        hostname: str = "worker-1",
        source: Source = "relay",
        uptime: bool = True,
        caller: str | None = None,
        user_records: bool = False,
        limit: tuple[int, int] | None = None,
    ) -> None:
        self.path = directory / "syslog"
        self._work = directory / "rsyslog"
        self._template = TEMPLATES.get(template, template)
        self._repeated = repeated
        self._hostname = hostname
        self._source = source
        self._uptime = uptime
        self._relay_options = ["--caller", caller] if caller else []
        self._user_records = user_records
        self._limit = limit
        self._relay: subprocess.Popen[str] | None = None
        self._daemon: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        require("rsyslogd", "logrotate")
        self._work.mkdir(parents=True, exist_ok=True)
        self.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start the daemon; it is ready to take messages when this returns."""
        for name in ("pid", "log.sock"):
            (self._work / name).unlink(missing_ok=True)
        configuration = self._work / "rsyslog.conf"
        configuration.write_text(
            CONFIGURATION.format(
                work=self._work,
                hostname=self._hostname,
                repeated="on" if self._repeated else "off",
                internal="on" if self._limit else "off",
                inputs=self._inputs(),
                path=self.path,
                template=self._template,
            )
        )
        if self._source in {"relay", "fifo"}:
            self.fifo.unlink(missing_ok=True)
            os.mkfifo(self.fifo)
        if self._source == "relay":
            self._start_relay()
        if self._source == "proc-kmsg":
            _discard_proc_kmsg()
        with (self._work / "errors").open("wb") as errors:
            self._daemon = subprocess.Popen(
                ["rsyslogd", "-n", "-f", str(configuration), "-i", str(self._work / "pid")],
                stderr=errors,
            )
        ready = self._work / "log.sock"
        if not eventually(lambda: ready.exists() or self._daemon.poll() is not None, 10):  # type: ignore[union-attr]
            raise LabError(f"rsyslogd made no {ready} within 10 s: {self._complaint()}")
        if self._daemon.poll() is not None:
            raise LabError(f"rsyslogd ended with {self._daemon.returncode}: {self._complaint()}")

    def _complaint(self) -> str:
        return (self._work / "errors").read_text(errors="replace").strip() or "it says nothing"

    def _inputs(self) -> str:
        lines = [
            'module(load="imuxsock" SysSock.Use="off")',
            f'input(type="imuxsock" Socket="{self._work}/log.sock")',
        ]
        if self._source != "none":
            user = "on" if self._user_records else "off"
            # Before 8.2312 imklog strips the uptime only where it also takes the time from it.
            stripped = "off" if self._uptime else "on"
            path = "" if self._source == "proc-kmsg" else f' logPath="{self.fifo}"'
            burst, seconds = self._limit or (0, 0)  # 0 seconds: no limit, as by default
            lines.append(
                f'module(load="imklog" permitNonKernelFacility="{user}"'
                f' parseKernelTimestamp="{stripped}"{path}'
                f' ratelimitInterval="{seconds}" ratelimitBurst="{burst}")'
            )
        return "\n".join(lines)

    @property
    def fifo(self) -> Path:
        """Where imklog reads the kernel's lines, unless from /proc/kmsg."""
        return self._work / "kmsg"

    def _start_relay(self) -> None:
        self._status.write_bytes(STATUS % (0, 0))
        script = str(Path(__file__).with_name("kernel_log.py"))
        self._relay = subprocess.Popen(
            [sys.executable, script, str(self.fifo), str(self._status), *self._relay_options],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._relay.stdout is not None
        with self._relay.stdout as output:
            if output.readline() != "ready\n":
                raise LabError("the relay of /dev/kmsg did not start; its complaint is above")

    @property
    def _status(self) -> Path:
        return self._work / "relay"

    @property
    def relayed(self) -> int:
        """Kernel records handed to rsyslogd so far, of whoever logged them."""
        return int(self._status.read_text().split()[0])

    @property
    def lost(self) -> int:
        """Kernel records that the ring buffer overwrote before they could be handed on."""
        return int(self._status.read_text().split()[1])

    def log(
        self,
        text: str | bytes,
        *,
        tag: str = "sshd[4242]",
        facility: Syslog = DAEMON_INFO,
    ) -> None:
        """Say something as another program does: through the syslog socket."""
        stamp = time.strftime("%b %e %H:%M:%S").encode()
        body = text.encode() if isinstance(text, str) else text
        self.datagram(
            b"<%d>%b %b: %b" % (facility[0] << 3 | facility[1], stamp, tag.encode(), body)
        )

    def datagram(self, data: bytes) -> None:
        """Send bytes of one's own making to the syslog socket."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as output:
            output.sendto(data, str(self._work / "log.sock"))

    def lines(self) -> list[bytes]:
        """Return the whole lines of the file as it is now, without their LF."""
        try:
            data = self.path.read_bytes()
        except FileNotFoundError:
            return []
        return data.split(b"\n")[:-1]

    def wait_for(self, count: int, *, containing: bytes = b"", seconds: float = 10.0) -> bool:
        """Wait until the file has `count` lines with a text; False when the time is over."""
        return eventually(
            lambda: sum(containing in line for line in self.lines()) >= count, seconds
        )

    def hup(self) -> None:
        """Tell rsyslogd to open its file again."""
        assert self._daemon is not None
        self._daemon.send_signal(signal.SIGHUP)

    def rotate(self, *, copytruncate: bool = False, hup: bool = True, rotate: int = 4) -> None:
        """Rotate as logrotate does: rename and HUP, and compression a rotation later.

        Without `hup` rsyslogd goes on writing to the renamed file until `hup()` is called.
        With `copytruncate` the file is copied and cut, which loses what is written in between.
        """
        configuration = self._work / "logrotate.conf"
        signalling = hup and not copytruncate
        configuration.write_text(
            ROTATION.format(
                path=self.path,
                rotate=rotate,
                method="\tcopytruncate\n" if copytruncate else "",
                hup=f"kill -s HUP $(cat {self._work}/pid)" if signalling else "true",
            )
        )
        configuration.chmod(0o644)  # logrotate refuses one that others may write
        state = str(self._work / "logrotate.state")
        done = subprocess.run(
            ["logrotate", "--force", "--state", state, str(configuration)],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0 or "error:" in done.stderr:
            raise LabError(f"logrotate {configuration}: {done.stderr.strip()}")

    def stop(self) -> None:
        """Stop relay and daemon; everything that was handed over is in the file afterwards."""
        if self._relay is not None:
            self._relay.terminate()
            self._relay.wait(10)
            self._relay = None
            eventually(lambda: _unread(self.fifo) == 0, 10)
        if self._daemon is not None:
            self._daemon.terminate()
            self._daemon.wait(10)
            self._daemon = None

    def kill(self) -> None:
        """Kill the daemon as a crash would (SIGKILL), and its relay; `start()` goes on."""
        for process in (self._daemon, self._relay):
            if process is not None:
                process.kill()
                process.wait(10)
        self._daemon = self._relay = None


def _discard_proc_kmsg() -> None:
    """Take away what nobody has read from /proc/kmsg, so that imklog begins with what follows."""
    kmsg = os.open("/proc/kmsg", os.O_RDONLY | os.O_NONBLOCK)
    try:
        while os.read(kmsg, 65536):
            pass
    except BlockingIOError:
        pass
    finally:
        os.close(kmsg)


def _unread(fifo: Path) -> int:
    """Return 0 once nothing is left in the FIFO."""
    try:
        end = os.open(fifo, os.O_WRONLY | os.O_NONBLOCK)
    except OSError:  # nobody reads it any more
        return 0
    try:
        size = array.array("i", [0])
        fcntl.ioctl(end, termios.FIONREAD, size)
        return size[0]
    finally:
        os.close(end)


def eventually(condition: Callable[[], bool], seconds: float) -> bool:
    """Look until a condition holds; False when the time is over. For other processes' doings."""
    until = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > until:
            return False
        time.sleep(0.005)  # another process works meanwhile: nothing tells when it is done
    return True
