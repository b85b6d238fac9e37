"""A third reader of the same language, for the tests only: no library, one index over the bytes.

It is meant to be obviously right, line by line against the description of the language, and shares
nothing with the grammar or the native reader but the result type and the protocols' names.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from functools import cache
from ipaddress import IPv6Address

from logwatch.packets.protocols import PROTOCOLS
from logwatch.packets.reading import Kind, Reading

DIGITS = b"0123456789"
UPPER = b"0123456789ABCDEF"
LOWER = b"0123456789abcdef"
MONTHS = b"Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()
FLAGS = b"AE CWR ECE URG ACK PSH RST SYN FIN".split()
NUMBERS = {"tcp": 6, "udp": 17, "udplite": 136, "icmp": 1, "icmpv6": 58, "ah": 51, "esp": 50}


class StopReadingError(Exception):
    """The line deviates here."""


class Walker:
    """Bytes, and how far they were read. What doesn't fit raises and leaves the place alone."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def has(self, text: bytes) -> bool:
        """Step over `text` if it stands here."""
        if self.data[self.at : self.at + len(text)] != text:
            return False
        self.at += len(text)
        return True

    def must(self, text: bytes) -> None:
        if not self.has(text):
            raise StopReadingError

    def run(self, alphabet: bytes, least: int, most: int) -> bytes:
        """Step over all bytes of `alphabet` that stand here; their number has limits."""
        end = self.at
        while end < len(self.data) and self.data[end] in alphabet:
            end += 1
        if not least <= end - self.at <= most:
            raise StopReadingError
        text, self.at = self.data[self.at : end], end
        return text

    def blanks(self) -> None:
        self.run(b" ", 0, len(self.data))

    def word(self, most: int) -> bytes:
        """Read up to the next blank, and over it."""
        end = self.data.find(b" ", self.at)
        if end < 0 or end - self.at > most:
            raise StopReadingError
        text, self.at = self.data[self.at : end], end + 1
        return text

    def value(self, key: bytes, most: int = 1_000_000) -> bytes:
        self.must(key)
        return self.word(most)

    def number(self, key: bytes, bits: int) -> int:
        text = self.value(key)
        if not text or text.strip(DIGITS) or (text[:1] == b"0" and text != b"0"):
            raise StopReadingError
        if len(text) > 10 or int(text) >= 2**bits:
            raise StopReadingError
        return int(text)

    def digits(self, key: bytes, alphabet: bytes, least: int, most: int, after: bytes) -> None:
        self.must(key)
        self.run(alphabet, least, most)
        self.must(after)

    def maybe(self, *keys: bytes) -> bool:
        """Tell whether one of these stands here, without a step."""
        return any(self.data.startswith(key, self.at) for key in keys)


def two_digits(walker: Walker, low: int, high: int) -> None:
    text = walker.data[walker.at : walker.at + 2]
    if len(text) != 2 or text.strip(DIGITS) or not low <= int(text) <= high:
        raise StopReadingError
    walker.at += 2


def read_clock(walker: Walker) -> None:
    two_digits(walker, 0, 23)
    walker.must(b":")
    two_digits(walker, 0, 59)
    walker.must(b":")
    two_digits(walker, 0, 60)


def read_fraction(walker: Walker) -> None:
    if walker.has(b"."):
        walker.run(DIGITS, 1, 9)


def read_stamp(walker: Walker) -> bytes:
    begin = walker.at
    if walker.data[walker.at : walker.at + 3] in MONTHS:
        walker.at += 3
        walker.must(b" ")
        padded = walker.has(b" ")
        day = walker.run(DIGITS, 1, 1 if padded else 2)
        if not 1 <= int(day) <= 31:
            raise StopReadingError
        walker.must(b" ")
        read_clock(walker)
        read_fraction(walker)
        return walker.data[begin : walker.at]
    for _ in range(4):
        if walker.data[walker.at : walker.at + 1] not in [bytes([digit]) for digit in DIGITS]:
            raise StopReadingError
        walker.at += 1
    walker.must(b"-")
    two_digits(walker, 1, 12)
    walker.must(b"-")
    two_digits(walker, 1, 31)
    walker.must(b"T")
    read_clock(walker)
    read_fraction(walker)
    if not walker.has(b"Z"):
        if not walker.has(b"+"):
            walker.must(b"-")
        two_digits(walker, 0, 23)
        walker.has(b":")
        two_digits(walker, 0, 59)
    return walker.data[begin : walker.at]


def read_place(walker: Walker) -> None:
    """Step over uptime and caller, where they are."""
    walker.blanks()
    for read_inside in (read_uptime, read_caller):
        begin = walker.at
        try:
            walker.must(b"[")
            walker.blanks()
            read_inside(walker)
            walker.must(b"]")
            walker.blanks()
        except StopReadingError:
            walker.at = begin


def read_uptime(walker: Walker) -> None:
    walker.run(DIGITS, 1, len(walker.data))
    walker.must(b".")
    walker.run(DIGITS, 6, 6)


def read_caller(walker: Walker) -> None:
    if not walker.has(b"C"):
        walker.must(b"T")
    walker.run(DIGITS, 1, len(walker.data))


def read_tag(walker: Walker) -> bool:
    return walker.has(b"kernel:") or walker.has(b"kernel - - - ")


def read_header(walker: Walker) -> bytes:
    """Read the header and return its stamp."""
    if walker.has(b"<"):
        walker.run(DIGITS, 1, 3)
        walker.must(b">")
    walker.has(b"1 ")
    stamp = read_stamp(walker)
    walker.must(b" ")
    if not read_tag(walker) and not (walker.word(255) and read_tag(walker)):
        raise StopReadingError
    read_place(walker)
    return stamp


def read_wrapper(message: bytes) -> tuple[int, bytes] | None:
    walker = Walker(message)
    try:
        walker.must(b"message repeated ")
        times = walker.run(DIGITS, 1, 10)
        walker.must(b" times: [")
    except StopReadingError:
        return None
    if times.startswith(b"0") or int(times) > 4_294_967_295:
        return None
    read_place(walker)
    return int(times), message[walker.at :].removesuffix(b"]")


SPECIFIERS = (b"%t", b"%k", b"%n", b"%p")
NAME = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-"
Names = dict[str, str]


@cache
def pieces_of(prefix: bytes) -> tuple[bytes, ...]:
    """Specifiers, and the bytes between them one by one."""
    pieces = []
    at = 0
    while at < len(prefix):
        size = 2 if prefix[at : at + 2] in SPECIFIERS else 1
        pieces.append(prefix[at : at + size])
        at += size
    return tuple(pieces)


def may_stand_for(specifier: bytes, text: bytes, last_of_cut: bool) -> bool:
    if specifier == b"%p" and b"/" in text:
        namespace, policy = text.split(b"/", 1)
        halves = may_stand_for(b"%n", namespace, last_of_cut=False) and b"/" not in policy
        return halves and (last_of_cut or bool(policy)) and all(byte in NAME for byte in policy)
    return bool(text) and all(byte in NAME for byte in text)


def fit(pieces: tuple[bytes, ...], text: bytes, cut: bool) -> list[tuple[bytes, bytes]] | None:
    """What each specifier stands for, the first as short as it can be, then the next."""
    known: dict[tuple[int, int], list[tuple[bytes, bytes]] | None] = {}

    def first(index: int, at: int) -> list[tuple[bytes, bytes]] | None:
        if (index, at) not in known:
            known[index, at] = find(index, at)
        return known[index, at]

    def find(index: int, at: int) -> list[tuple[bytes, bytes]] | None:
        if at == len(text):
            return [] if cut or index == len(pieces) else None
        if index == len(pieces):
            return None
        piece = pieces[index]
        if piece not in SPECIFIERS:
            return first(index + 1, at + 1) if text[at : at + 1] == piece else None
        for end in range(at + 1, len(text) + 1):
            if may_stand_for(piece, text[at:end], cut and end == len(text)):
                behind = first(index + 1, end)
                if behind is not None:
                    return [(piece, text[at:end]), *behind]
        return None

    return first(0, 0)


def names_of(found: list[tuple[bytes, bytes]]) -> Names:
    """Name the values; of those with one name the first counts."""
    names: Names = {}
    for specifier, value in found:
        text = value.decode()
        if specifier == b"%t":
            names.setdefault("tier", text)
        elif specifier == b"%k":
            names.setdefault("policy_kind", text)
        elif specifier == b"%p" and "/" in text:
            namespace, policy = text.split("/")
            names.setdefault("namespace", namespace)
            if policy:
                names.setdefault("policy", policy)
        else:
            names.setdefault("policy", text)
    return names


def read_prefix(prefix: str, printed: bytes) -> Names | None:
    """What the names are if `printed` is all that the kernel printed of `prefix`."""
    if len(printed) > 127:
        return None
    text = prefix.encode()
    found = fit(pieces_of(text + b": "), printed, cut=False)
    if found is None:
        found = fit(pieces_of(text), printed, cut=False)
    if found is None and len(printed) in (29, 127):
        found = fit(pieces_of(text + b": "), printed, cut=True)
    return None if found is None else names_of(found)


def has_specifier(prefix: str) -> bool:
    return any(piece in SPECIFIERS for piece in pieces_of(prefix.encode()))


def owner(printed: bytes, prefixes: Sequence[str]) -> tuple[int, Names] | None:
    """Whose prefix `printed` is: one without specifiers goes before those that have some."""
    for templates in (False, True):
        for index, prefix in enumerate(prefixes):
            if has_specifier(prefix) == templates:
                names = read_prefix(prefix, printed)
                if names is not None:
                    return index, names
    return None


def stem(prefix: str) -> bytes:
    """What every message with `prefix` starts with; empty if that is too short to be looked for."""
    literal = b""
    for piece in pieces_of(prefix.encode()):
        if piece in SPECIFIERS:
            return literal[:29] if len(literal) >= 3 else b""
        literal += piece
    return literal[:29]


def body_place(message: bytes) -> int | None:
    place = message[:130].find(b"IN=")
    return None if place < 0 else place


def naive_read(line: bytes, prefixes: Sequence[str]) -> Reading:
    while line.startswith(b"\0"):
        line = line[1:]
    if len(line) > 65536:
        return Reading("other")
    if line.endswith(b"\r"):
        line = line[:-1]
    stamp = None
    walker = Walker(line)
    try:
        stamp = read_header(walker)
    except StopReadingError:
        pass
    else:
        reading = read_message(line[walker.at :], prefixes)
        if reading is not None:
            return replace(reading, stamp=stamp)
    stems = tuple(stem(prefix) for prefix in prefixes if stem(prefix))
    for at in range(len(line)):
        if line.startswith(stems, at):
            body = body_place(line[at : at + 130])
            if body is not None and owner(line[at : at + body], prefixes) is not None:
                return Reading("forged", stamp=stamp)
    return Reading("other", stamp=stamp)


def read_message(message: bytes, prefixes: Sequence[str]) -> Reading | None:
    kind: Kind = "packet"
    count = 1
    wrapped = read_wrapper(message)
    if wrapped is not None:
        kind = "repeated"
        count, message = wrapped

    body = body_place(message)
    if body is not None:
        found = owner(message[:body], prefixes)
        if found is not None:
            index, names = found
            reading = read_body(Walker(message[body:]), Reading(kind, count, index))
            reading = Reading("odd", prefix=index) if reading is None else reading
            return replace(reading, **names)  # type: ignore[arg-type]

    best = None
    for index, prefix in enumerate(prefixes):
        begin = stem(prefix)
        longer = best is None or len(begin) > best[0]
        if begin and longer and message.startswith(begin):
            best = (len(begin), index)
    return None if best is None else Reading("odd", prefix=best[1])


def read_body(walker: Walker, reading: Reading) -> Reading | None:
    """Read what stands behind the prefix; None without source and destination."""
    found: dict[str, object] = {}
    with suppress(StopReadingError):
        read_fields(walker, found)
    return replace(reading, **found) if "destination" in found else None  # type: ignore[arg-type]


def read_fields(walker: Walker, found: dict[str, object]) -> None:
    """Put every field into `found` as soon as it is read; raise where the line deviates."""
    found["interface"] = walker.value(b"IN=", 15)
    found["out_interface"] = walker.value(b"OUT=", 15)
    if walker.maybe(b"PHYSIN="):
        walker.value(b"PHYSIN=", 15)
    if walker.maybe(b"PHYSOUT="):
        walker.value(b"PHYSOUT=", 15)
    if walker.maybe(b"MACSRC="):
        walker.value(b"MACSRC=")
        walker.value(b"MACDST=")
        if walker.maybe(b"VPROTO="):
            walker.value(b"VPROTO=")
            walker.value(b"VID=")
        walker.value(b"MACPROTO=")
    elif walker.maybe(b"MAC="):
        walker.value(b"MAC=")
        if walker.maybe(b"TUNNEL="):
            walker.value(b"TUNNEL=")
    source = walker.value(b"SRC=")
    family = address_family(source)
    destination = walker.value(b"DST=")
    if family == 0 or address_family(destination) != family:
        raise StopReadingError
    found["source"] = canonical(source)
    found["destination"] = canonical(destination)
    if family == 4:
        read_ipv4(walker, found)
    else:
        read_ipv6(walker, found)
    read_transport(walker, found)


def address_family(text: bytes) -> int:
    """4 or 6 for an address as the kernel prints it, else 0."""
    octets = text.split(b".")
    if len(octets) == 4 and all(part in SMALL for part in octets):
        return 4
    groups = text.split(b":")
    if len(groups) == 8 and all(len(part) == 4 and not part.strip(LOWER) for part in groups):
        return 6
    return 0


SMALL = {b"%d" % number for number in range(256)}


def canonical(text: bytes) -> str:
    if b":" not in text:
        return text.decode()
    groups = [int(group, 16) for group in text.split(b":")]
    if groups[:6] == [0, 0, 0, 0, 0, 0xFFFF]:
        octets = [groups[6] >> 8, groups[6] & 255, groups[7] >> 8, groups[7] & 255]
        return "::ffff:" + ".".join(map(str, octets))
    return str(IPv6Address(text.decode()))


def read_ipv4(walker: Walker, found: dict[str, object]) -> None:
    found["length"] = walker.number(b"LEN=", 32)
    walker.digits(b"TOS=0x", UPPER, 2, 2, b" ")
    walker.digits(b"PREC=0x", UPPER, 2, 2, b" ")
    walker.number(b"TTL=", 8)
    walker.number(b"ID=", 16)
    walker.has(b"CE ")
    walker.has(b"DF ")
    walker.has(b"MF ")
    if walker.maybe(b"FRAG:"):
        walker.number(b"FRAG:", 16)
    if walker.maybe(b"OPT ("):
        walker.digits(b"OPT (", UPPER, 0, len(walker.data), b") ")


def read_ipv6(walker: Walker, found: dict[str, object]) -> None:
    found["length"] = walker.number(b"LEN=", 32)
    walker.number(b"TC=", 8)
    walker.number(b"HOPLIMIT=", 8)
    walker.number(b"FLOWLBL=", 32)
    extensions = (b"FRAG:", b"AH SPI=0x", b"ESP SPI=0x")
    while walker.maybe(b"OPT ( ", *extensions):
        bracket = walker.has(b"OPT ( ")
        if walker.maybe(b"FRAG:"):
            walker.number(b"FRAG:", 16)
            walker.has(b"INCOMPLETE ")
            walker.digits(b"ID:", LOWER, 8, 8, b" ")
        elif walker.maybe(b"AH SPI=0x"):
            walker.digits(b"AH SPI=0x", LOWER, 1, 8, b" ")
        elif walker.maybe(b"ESP SPI=0x"):
            walker.digits(b"ESP SPI=0x", LOWER, 1, 8, b" ")
        if bracket:
            walker.must(b") ")


def read_transport(walker: Walker, found: dict[str, object]) -> None:
    begin = walker.at
    text = walker.value(b"PROTO=")
    if text in (b"TCP", b"UDP", b"UDPLITE", b"ICMP", b"ICMPv6", b"AH", b"ESP"):
        found["protocol"] = PROTOCOLS[NUMBERS[text.decode().lower()]]
    else:
        walker.at = begin
        number = walker.number(b"PROTO=", 8)
        found["protocol"] = PROTOCOLS[number] or str(number)
    if text in (b"TCP", b"UDP", b"UDPLITE"):
        found["source_port"] = walker.number(b"SPT=", 16)
        found["port"] = walker.number(b"DPT=", 16)
    if text in (b"ICMP", b"ICMPv6"):
        found["icmp_type"] = walker.number(b"TYPE=", 8)
        found["icmp_code"] = walker.number(b"CODE=", 8)
    if text == b"TCP":
        if walker.maybe(b"SEQ="):
            walker.number(b"SEQ=", 32)
            walker.number(b"ACK=", 32)
        walker.number(b"WINDOW=", 16)
        walker.digits(b"RES=0x", LOWER, 2, 2, b" ")
        flags = [flag.decode().lower() for flag in FLAGS if walker.has(flag + b" ")]
        walker.must(b"URGP=")
        found["flags"] = tuple(flags)
