"""The language of the kernel's LOG lines, readable: what the native reader in Rust must agree with.

`header` and `body` are the grammar itself, `elements` the few ways in which it is put together.
"""

from logwatch.packets.grammar.elements import Stop, Token
from logwatch.packets.grammar.reader import LONGEST_LINE, Parse, parse_line, read_by_grammar

__all__ = ["LONGEST_LINE", "Parse", "Stop", "Token", "parse_line", "read_by_grammar"]
