//! Reads the kernel's netfilter LOG lines and counts them.
//!
//! Bytes go in ([`scanner::Scanner::feed`]), counts come out ([`summary::Summary`]). One line on its
//! own is read by [`line::read_line`]. The language of the lines is defined by the readable grammar
//! of the Python package; this crate is its fast twin and knows nothing of Python.

// One place asks the processor for what every x86-64 has: `spaces`.
#![deny(unsafe_code)]

pub mod address;
pub mod body;
pub mod class;
pub mod cursor;
pub mod distinct;
pub mod hash;
pub mod header;
pub mod line;
pub mod link;
pub mod prefix;
pub mod protocol;
pub mod quick;
pub mod scanner;
pub mod spaces;
pub mod summary;
pub mod table;
pub mod time;
