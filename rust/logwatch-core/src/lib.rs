//! Reads the kernel's netfilter LOG lines and counts them.
//!
//! Bytes go in ([`scanner::Scanner::feed`]), counts come out ([`summary::Summary`]). One line on its
//! own is read by [`line::read_line`]. The language of the lines is defined by the readable grammar
//! of the Python package; this crate is its fast twin and knows nothing of Python.

// One file asks the processor for more than every one has: `lanes/x86`.
#![deny(unsafe_code)]

pub mod address;
pub mod body;
mod candidates;
pub mod class;
pub mod count;
pub mod cursor;
pub mod distinct;
pub mod evidence;
mod fast;
pub mod flows;
pub mod hash;
pub mod header;
pub mod lanes;
pub mod line;
pub mod losses;
mod memory;
mod openings;
mod pairs;
pub mod policy;
pub mod prefix;
pub mod protocol;
pub mod scanner;
pub mod serial;
pub mod series;
pub mod summary;
pub mod tally;
pub mod template;
pub mod text;
pub mod time;
pub mod timeline;
pub mod views;
