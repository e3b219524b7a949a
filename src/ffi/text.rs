//! # Texts
//!
//! Answers that are one run of bytes.

use super::handle::{self, Handle};
pub use super::kind::consul_text;
use std::ffi::c_char;
use std::ptr;

/// Bytes with a NUL after the last one.
#[derive(Debug)]
pub struct Content(Vec<u8>);

impl From<Vec<u8>> for Content {
    fn from(mut bytes: Vec<u8>) -> Content {
        bytes.push(0);
        Content(bytes)
    }
}

impl Handle for consul_text {
    type Object = Content;
}

/// The bytes of a text, with a NUL after the last one; NULL for a handle that is not live.
/// Borrowed: valid until the text is freed.
#[unsafe(no_mangle)]
pub extern "C" fn consul_text_data(text: *const consul_text) -> *const c_char {
    handle::read(text, ptr::null(), |content| content.0.as_ptr().cast())
}

/// How many bytes a text has, without the NUL; 0 for a handle that is not live.
#[unsafe(no_mangle)]
pub extern "C" fn consul_text_len(text: *const consul_text) -> usize {
    handle::read(text, 0, |content| content.0.len() - 1)
}

/// Ends a text. NULL is fine.
#[unsafe(no_mangle)]
pub extern "C" fn consul_text_free(text: *mut consul_text) {
    handle::free(text);
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::CStr;

    #[test]
    fn a_text_is_read_until_it_is_freed() {
        let text = handle::new::<consul_text>(b"a\0b".to_vec().into()).unwrap();
        assert_eq!(consul_text_len(text), 3);
        // SAFETY: live, so it is NUL-terminated.
        assert_eq!(unsafe { CStr::from_ptr(consul_text_data(text)) }, c"a");
        consul_text_free(text);
        assert!(consul_text_data(text).is_null());
        assert_eq!(consul_text_len(text), 0);
        consul_text_free(text);
    }
}
