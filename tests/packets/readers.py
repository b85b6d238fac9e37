"""All readers of the language at once."""

from packets.naive import naive_read

from logwatch.packets.grammar import read_by_grammar
from logwatch.packets.reading import Reading, read_line


def read_by_all(line: bytes, prefixes: tuple[str, ...]) -> Reading:
    """Return what all three readers say."""
    grammar = read_by_grammar(line, prefixes)
    assert naive_read(line, prefixes) == grammar
    assert read_line(line, prefixes) == grammar
    return grammar
