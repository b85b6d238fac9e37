"""Bytes of a line as text that does nothing to a terminal."""

import unicodedata


def printable(data: bytes) -> str:
    r"""Decode UTF-8; what is none, or would act on a terminal, becomes an escape like \x1b."""
    text = data.decode(errors="backslashreplace")
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode()
        for letter in text
    )


def shortened(text: str, most: int) -> str:
    """Cut `text` to `most` characters, with three dots where something is missing."""
    return text if len(text) <= most else f"{text[: most - 3]}..."


def columns(text: str) -> int:
    """Count the columns that printable text takes on a terminal."""
    return sum(
        0 if unicodedata.combining(letter) else 1 + (unicodedata.east_asian_width(letter) in "WF")
        for letter in text
    )
