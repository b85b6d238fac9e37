"""Text from a log or a file name, made fit for a page of metrics or a page for people."""


def printable(text: str) -> str:
    r"""Spell out what can't be printed or encoded, such as a NUL or a lone surrogate, as `\x00`.

    Two different texts never become one: two series with the same labels would make Prometheus
    refuse them. A text that needs no change is returned as it is.
    """
    if text.isascii() and text.isprintable() and "\\" not in text:
        return text
    return "".join(_spelled(character) for character in text)


def _spelled(character: str) -> str:
    if character == "\\":
        return r"\\"
    if character.isprintable():
        return character
    return character.encode("unicode_escape").decode("ascii")
