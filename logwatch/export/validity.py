"""From when until when a certificate holds.

The ssl module tells it of a peer's certificate, not of one's own. Only the way to these two dates
is read (RFC 5280, 4.1), not what stands around them.
"""

import ssl
from datetime import UTC, datetime

_UTC_TIME, _GENERALIZED_TIME = 0x17, 0x18
_VERSION = 0xA0
_BEGIN, _END = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"


def validity(pem: str) -> tuple[float, float]:
    """Give Unix seconds of the first certificate's begin and end; raises ValueError."""
    begin = pem.index(_BEGIN)
    der = ssl.PEM_cert_to_DER_cert(pem[begin : pem.index(_END, begin) + len(_END)])
    [certificate] = _parts(der)[:1]
    [signed] = _parts(certificate[1])[:1]
    fields = _parts(signed[1])
    if fields and fields[0][0] == _VERSION:
        fields = fields[1:]
    [validity] = fields[3:4]  # behind serial number, algorithm and issuer
    begins, ends = _parts(validity[1])
    return _seconds(*begins), _seconds(*ends)


def _parts(data: bytes) -> list[tuple[int, bytes]]:
    """Split DER into tags and contents; what is cut short is an error."""
    parts = []
    at = 0
    while at < len(data):
        if at + 2 > len(data):
            raise ValueError("cut within a length")
        tag, length, at = data[at], data[at + 1], at + 2
        if length & 0x80:
            octets = length & 0x7F
            length, at = int.from_bytes(data[at : at + octets]), at + octets
        if at + length > len(data):
            raise ValueError("cut within a value")
        parts.append((tag, data[at : at + length]))
        at += length
    return parts


def _seconds(tag: int, text: bytes) -> float:
    if tag == _UTC_TIME:
        # Two digits of the year: from 50 on they are of the last century.
        text = (b"19" if text >= b"50" else b"20") + text
    elif tag != _GENERALIZED_TIME:
        raise ValueError(f"no time has the tag {tag}")
    return datetime.strptime(text.decode("ascii"), "%Y%m%d%H%M%SZ").replace(tzinfo=UTC).timestamp()
