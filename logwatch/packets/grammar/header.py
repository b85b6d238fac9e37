"""What syslog writes in front of the kernel's message: priority, time, host, tag, uptime.

All forms that rsyslog's templates print (RSYSLOG_TraditionalFileFormat, RSYSLOG_FileFormat,
RSYSLOG_SyslogProtocol23Format, imjournal), what journalctl prints as short, short-iso and with
-precise, and the wrapper of rsyslog's ratelimit.c for repetitions.
"""

from typing import Final

from pyparsing import Opt, ParserElement

from logwatch.packets.grammar.elements import beginning, choice, token

_MONTH: Final = "Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec"
_CLOCK: Final = "(?:[01][0-9]|2[0-3]):[0-5][0-9]:(?:[0-5][0-9]|60)"
_DATE: Final = "[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])"
_FRACTION: Final = r"(?:\.[0-9]{1,9})?"
_ZONE: Final = "Z|[+-](?:[01][0-9]|2[0-3]):?[0-5][0-9]"

PRIORITY = token("<", "[0-9]{1,3}", ">", name="priority").set_name("priority")
"""facility * 8 + severity, RFC 5424 section 6.2.1."""
VERSION = token("1", name="version").set_name("version")
"""RFC 5424 section 6.2.2."""
TRADITIONAL = token(
    "",
    f"(?:{_MONTH}) (?: [1-9]|[1-9]|0[1-9]|[12][0-9]|3[01]) {_CLOCK}{_FRACTION}",
    name="stamp",
)
"""RFC 3164 section 4.1.2. A day below 10 is padded; some clouds' tools drop the second blank.
journalctl's short-precise has a fraction."""
RFC_3339 = token("", rf"{_DATE}T{_CLOCK}{_FRACTION}(?:{_ZONE})", name="stamp")
"""The zone is without a colon in journalctl's short-iso before systemd 255."""
HOST = token("", "[^ ]{1,255}", name="host")
TAG = choice(token("kernel:", after="", name="tag"), token("kernel - - - ", after="", name="tag"))
"""imklog's fixed tag; the second is RFC 5424's: app name, and no process, message id and data."""

BLANKS = token("", " +", after="", name="blanks")
UPTIME = token("", r"\[ *[0-9]+\.[0-9]{6}\] *", after="", name="uptime")
"""Seconds since boot, `[%5lu.%06lu]` in kernel/printk/printk.c print_time()."""
CALLER = token("", r"\[ *[CT][0-9]+\] *", after="", name="caller")
"""CPU or thread, with CONFIG_PRINTK_CALLER, `[%6s]` in print_caller()."""
_PLACE = (Opt(BLANKS), Opt(UPTIME), Opt(CALLER))

_TAGGED = beginning(TAG, *_PLACE)
_HOST_AND_TAG = choice(_TAGGED, beginning(HOST, _TAGGED))

HEADER: ParserElement = beginning(
    Opt(PRIORITY), Opt(VERSION), choice(TRADITIONAL, RFC_3339), _HOST_AND_TAG
).parse_with_tabs()
"""Everything up to the kernel's message."""

WRAPPER: ParserElement = beginning(
    token(
        "message repeated ",
        "[1-9][0-9]{0,9}",
        " times: [",
        name="repeated",
        limit=2**32 - 1,
    ),
    *_PLACE,
).parse_with_tabs()
"""rsyslog runtime/ratelimit.c: ` message repeated %d times: [%.800s]`."""
