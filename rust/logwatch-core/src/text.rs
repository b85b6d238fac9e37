//! Bytes that the kernel allows to be anything, as text.

/// The bytes as they are, or escaped where they are not UTF-8 or hold a control character: that has
/// no place in a line of `/metrics`, nor on a terminal.
#[must_use]
pub fn text(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) if !text.contains(char::is_control) => text.to_owned(),
        _ => bytes.escape_ascii().to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_plain_text_is_escaped() {
        assert_eq!("eth1", text(b"eth1"));
        assert_eq!("höhe", text("höhe".as_bytes()));
        assert_eq!("eth\\xff", text(b"eth\xff"));
        assert_eq!("a\\x00b\\n", text(b"a\0b\n"));
        assert_eq!("a\\x7f", text(b"a\x7f"));
        assert_eq!("a\\xc2\\x85", text("a\u{85}".as_bytes()));
    }
}
