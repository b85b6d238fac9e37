"""The section `web`: who may read what is served, and how it is kept from others on the way."""

from collections.abc import Iterator

import msgspec


class Web(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Files in PEM, and one with a token; read again when they change. Nothing is plain HTTP."""

    certificate_file: str | None = None
    """The server's own first, then those that lead to the authority."""
    key_file: str | None = None
    """None where the key stands in the file of the certificate."""
    client_ca_file: str | None = None
    """Authorities of clients' certificates: without one of theirs only the probes are answered."""
    token_file: str | None = None
    """One line that clients have to know: without it only the probes are answered."""


def problems_of(web: Web) -> Iterator[tuple[tuple[str, ...], str]]:
    """Tell what is no path, or needs another key: the key, and what is wrong with it."""
    for name in Web.__struct_fields__:
        path = getattr(web, name)
        if path is not None and (not path or "\0" in path):
            yield ("web", name), f"{path!r} is not a path"
    for name in ("key_file", "client_ca_file"):
        if getattr(web, name) is not None and web.certificate_file is None:
            yield ("web", name), "there is no TLS without web.certificate_file: give it as well"
