"""The values of the configuration, and what types can't say of them."""

import ipaddress
import os
import re
from collections.abc import Callable, Container
from itertools import combinations
from pathlib import Path
from typing import Literal

import msgspec

from logwatch.config.cluster import Cluster, Part
from logwatch.config.cluster import problems_of as cluster_problems
from logwatch.config.web import Web
from logwatch.config.web import problems_of as web_problems
from logwatch.errors import UsageError

InputKind = Literal["file", "kmsg"]
Mode = Literal["observe", "propose", "enforce"]
Shape = Literal["policy", "sets"]
Verdict = Literal["denied", "logged"]
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

# Calico's own pattern for logPrefix, with the dot that names put in by %n may hold.
_PREFIX = re.compile(r"[a-zA-Z0-9%: /_.-]+")
_SPECIFIER = re.compile("%[tknp]")
_SPECIFIERS_MOST = 4
"""In one prefix, what the scanner tells apart: one of each says everything."""
_PORT_MOST = 65_535
_KERNEL_LOGS = frozenset({"syslog", "kern.log", "messages"})
"""Each holds all lines of the kernel that netfilter writes, by Debian's and Ubuntu's rules."""
_ROTATED = re.compile(r"[.-][0-9][0-9.-]*")
"""What rotation appends to a name; such files are followed with the file itself."""
_PREFIXES_MOST = 64
"""What the scanner tells apart."""
BANS_MOST = {"policy": 2_048, "sets": 50_000}
"""What a policy file takes, by its shape."""
_SERIES_MOST = 10_000
"""A scrape stays below 200 ms."""
_TRACKED = (100, 1_000_000)
"""About 1 KiB each in a storm: 1 GiB at the most."""
_BRAKES = {
    "bans_per_minute": (1, 10_000),
    "share_percent": (1, 100),
    "freeze_factor": (2, 100),
}
"""Least and most of each but `bans`: none is taken off by a number that is never reached."""


class ConfigError(UsageError):
    """The configuration can't be used; the message names the key, the value and the line."""


class Prefix(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A log prefix, as in FelixConfiguration's logPrefix, and what it stands for."""

    text: str = "calico-packet"
    policy: str = ""
    """Name shown in metrics and reports; the text where empty."""
    verdict: Verdict = "denied"
    """Whether the rule behind the Log denies, or only logs. Only denied packets are evidence."""

    @property
    def name(self) -> str:
        """The policy's name."""
        return self.policy or self.text


class Series(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How many series each bounded family may have, without `other`."""

    policies: int = 500
    sources: int = 200
    ports: int = 200
    flows: int = 500


class Blacklist(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How bans are written."""

    shape: Shape = "policy"
    """Into rules of the policy itself, or into global network sets that it denies."""


class Brakes(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What stops rules from banning too many, whatever they find. Bans by hand are not held."""

    bans_per_minute: int = 30
    """Bans that rules may decide within any minute."""
    bans: int = 256
    """Bans that may hold at a time."""
    share_percent: int = 50
    """Of the distinct sources of the last 5 minutes, how many may be banned in these 5 minutes;
    100 leaves that open."""
    freeze_factor: int = 10
    """So many times `bans_per_minute` offenders within a minute, and rules decide nothing more."""


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything that an agent is told."""

    input: InputKind = "file"
    """`kmsg` reads /dev/kmsg in the place of `logs`."""
    logs: tuple[str, ...] = ("/var/log/syslog",)
    state: str = "/var/lib/logwatch"
    listen: str = "0.0.0.0:9137"
    mode: Mode = "observe"
    policy_file: str | None = None
    start: Literal["start", "end"] = "end"
    prefixes: tuple[Prefix, ...] = (Prefix(),)
    rules: str | None = None
    """A file in the language of rules; None takes those that come with logwatch."""
    tracked_sources: int = 10_000
    """Sources whose evidence is kept at a time."""
    never_ban: tuple[str, ...] = ()
    brakes: Brakes = Brakes()
    blacklist: Blacklist = Blacklist()
    series: Series = Series()
    cluster: Cluster = Cluster()
    web: Web = Web()
    audit: str | None = None
    """A JSON line for each decision; None is audit.jsonl in `state`, "off" is none."""

    @property
    def audit_path(self) -> Path | None:
        """Where the audit log is; None where there is none."""
        if self.audit == "off":
            return None
        return Path(self.state, "audit.jsonl") if self.audit is None else Path(self.audit)

    @property
    def listen_address(self) -> tuple[str, int]:
        """Host and port of `listen`."""
        return split_address(self.listen, "listen")

    @property
    def never_ban_networks(self) -> tuple[Network, ...]:
        """The operator's list; a bare address is a network of one."""
        return tuple(ipaddress.ip_network(text, strict=False) for text in self.never_ban)


def split_address(text: str, key: str) -> tuple[str, int]:
    """Split "host:port", "[v6]:port" or ":port".

    Raises ConfigError naming `key`.
    """
    host, colon, port = text.rpartition(":")
    if not colon or not port.isascii() or not port.isdigit() or int(port) > _PORT_MOST:
        raise ConfigError(f"{key}: {text!r} is not ADDRESS:PORT with a port from 0 to 65535")
    host = host.removeprefix("[").removesuffix("]")
    try:
        return str(ipaddress.ip_address(host or "0.0.0.0")), int(port)  # noqa: S104 - as Config.listen
    except ValueError:
        raise ConfigError(f"{key}: {host!r} is not an IP address to listen on") from None


Wrong = Callable[[tuple[str | int, ...], str], ConfigError]
"""Makes the error of a key from what is wrong with it."""


def wrong_option(keys: tuple[str | int, ...], problem: str) -> ConfigError:
    """The error of a key that stands in no file, so that it alone is named."""
    return ConfigError(f"{'.'.join(str(key) for key in keys)}: {problem}")


def check(
    config: Config,
    wrong: Wrong = wrong_option,
    *,
    named: Container[str] = (),
    part: Part | None = None,
) -> Config:
    """Check what types can't say; return the configuration. Raises what `wrong` makes.

    `named` are the keys that somebody gave, whatever their values. `part` is who is to run by it.
    """
    if config.input == "kmsg" and "logs" in named:
        raise wrong(
            ("logs",),
            "with input kmsg (--input kmsg) no file is read, since its lines would count twice:"
            " leave out logs (--log)",
        )
    _check_paths(config, wrong)
    try:
        split_address(config.listen, "listen")
    except ConfigError as error:
        raise wrong(("listen",), str(error).removeprefix("listen: ")) from None
    _check_sections(config, wrong, part)
    if config.mode != "observe" and not config.policy_file and not config.cluster.enabled:
        raise wrong(("mode",), f"{config.mode} needs policy_file (--policy-file) to write to")
    _check_prefixes(config, wrong)
    for index, text in enumerate(config.never_ban):
        try:
            # A zone such as %eth0 belongs to one host, a policy to all of them.
            ipaddress.ip_network(text.replace("%", "is no network"), strict=False)
        except ValueError:
            pass
        else:
            continue
        raise wrong(
            ("never_ban", index), f"{text!r} is not an address or a network such as 10.0.0.0/8"
        )
    _check_numbers(config, wrong)
    return config


def _check_sections(config: Config, wrong: Wrong, part: Part | None) -> None:
    for problem in web_problems(config.web):
        raise wrong(*problem)
    for problem in cluster_problems(config.cluster, config.mode, config.policy_file, part):
        raise wrong(*problem)


def _check_paths(config: Config, wrong: Wrong) -> None:
    if not config.logs:
        raise wrong(("logs",), "name at least one file, such as /var/log/syslog")
    paths = [(("logs", index), path) for index, path in enumerate(config.logs)]
    named = (("state", config.state), ("policy_file", config.policy_file), ("audit", config.audit))
    for keys, path in [*paths, *(((key,), path) for key, path in named)]:
        if path is not None and (not path or "\0" in path):
            raise wrong(keys, f"{path!r} is not a path")
    for (_, first), (index, path) in combinations(enumerate(config.logs), 2):
        same = _same_lines(Path(first), Path(path))
        if same is not None:
            raise wrong(("logs", index), f"{path} {same} {first}: its packets would count twice")


def _same_lines(first: Path, second: Path) -> str | None:
    """What the second is to the first, if it holds lines of it."""
    real, other = Path(os.path.realpath(first)), Path(os.path.realpath(second))
    if real == other or _inode(real) == _inode(other) is not None:
        return "is the same file as"
    if real.parent != other.parent:
        return None
    if {real.name, other.name} <= _KERNEL_LOGS:
        return "holds the same lines of the kernel as"
    if _is_rotated(other.name, real.name) or _is_rotated(real.name, other.name):
        return "is read already with"
    return None


def _inode(path: Path) -> tuple[int, int] | None:
    try:
        seen = path.stat()
    except OSError:
        return None  # not there yet, or not to be seen: told when it is read
    return (seen.st_dev, seen.st_ino)


def _is_rotated(name: str, of: str) -> bool:
    return name.startswith(of) and _ROTATED.fullmatch(name, len(of)) is not None


def _check_prefixes(config: Config, wrong: Wrong) -> None:
    if not 1 <= len(config.prefixes) <= _PREFIXES_MOST:
        raise wrong(("prefixes",), f"name 1 to {_PREFIXES_MOST}, such as `- text: calico-packet`")
    for index, prefix in enumerate(config.prefixes):
        if not _PREFIX.fullmatch(prefix.text):
            raise wrong(
                ("prefixes", index, "text"),
                f"{prefix.text!r} is not a prefix that Calico takes"
                " (letters, digits, space and % : / _ . -)",
            )
        if len(_SPECIFIER.findall(prefix.text)) > _SPECIFIERS_MOST:
            raise wrong(
                ("prefixes", index, "text"),
                f"{prefix.text!r} has more than {_SPECIFIERS_MOST} of %t, %k, %n and %p",
            )
        if not prefix.policy.isprintable():
            raise wrong(
                ("prefixes", index, "policy"),
                f"{prefix.policy!r} holds a character that metrics can't show",
            )
        if prefix.text in [other.text for other in config.prefixes[:index]]:
            raise wrong(("prefixes", index, "text"), f"{prefix.text!r} is listed twice")


def _check_numbers(config: Config, wrong: Wrong) -> None:
    least, most = _TRACKED
    if not least <= config.tracked_sources <= most:
        raise wrong(
            ("tracked_sources",), f"{config.tracked_sources} is not between {least} and {most}"
        )
    shape = config.blacklist.shape
    if not 1 <= config.brakes.bans <= BANS_MOST[shape]:
        raise wrong(
            ("brakes", "bans"),
            f"{config.brakes.bans} is not between 1 and {BANS_MOST[shape]}, the most that"
            f" blacklist.shape {shape} takes",
        )
    for name, (least, most) in _BRAKES.items():
        number = getattr(config.brakes, name)
        if not least <= number <= most:
            raise wrong(("brakes", name), f"{number} is not between {least} and {most}")
    for name in Series.__struct_fields__:
        if not 1 <= getattr(config.series, name) <= _SERIES_MOST:
            number = getattr(config.series, name)
            raise wrong(("series", name), f"{number} is not between 1 and {_SERIES_MOST}")
