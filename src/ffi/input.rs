//! What C passes in, checked: strings, bytes and lists, each error naming its parameter.

use crate::error::{Error, Result};
use std::ffi::{CStr, c_char};

/// A string that must be there.
///
/// # Safety
/// `text` is NULL or NUL-terminated, and stays as it is for `'a`.
pub unsafe fn required_str<'a>(text: *const c_char, name: &str) -> Result<&'a str> {
    // SAFETY: the caller's promise.
    unsafe { optional_str(text, name) }?
        .ok_or_else(|| Error::argument(format!("{name} is NULL, a string is needed")))
}

/// A string that may be NULL.
///
/// # Safety
/// As for [`required_str`].
pub unsafe fn optional_str<'a>(text: *const c_char, name: &str) -> Result<Option<&'a str>> {
    if text.is_null() {
        return Ok(None);
    }
    // SAFETY: the caller's promise.
    let text = unsafe { CStr::from_ptr(text) }.to_str();
    text.map(Some).map_err(|error| {
        Error::argument(format!("{name} is not UTF-8 (byte {})", error.valid_up_to()))
    })
}

/// A number that must fit 16 bits, such as a port.
pub fn small(number: u32, name: &str) -> Result<u16> {
    u16::try_from(number).map_err(|_| {
        Error::argument(format!("{name} {number} is not allowed, it takes 0 to {}", u16::MAX))
    })
}

/// Bytes of any value. NULL is fine where there are none.
///
/// # Safety
/// `bytes` is NULL or leads to `len` bytes that stay as they are for `'a`.
pub unsafe fn bytes<'a>(bytes: *const u8, len: usize, name: &str) -> Result<&'a [u8]> {
    // SAFETY: the caller's promise.
    unsafe { slice(bytes, len, name) }
}

/// A list of numbers. NULL is fine where there are none.
///
/// # Safety
/// `numbers` is NULL or leads to `count` numbers that stay as they are for `'a`.
pub unsafe fn numbers<'a>(numbers: *const u32, count: usize, name: &str) -> Result<&'a [u32]> {
    // SAFETY: the caller's promise.
    unsafe { slice(numbers, count, name) }
}

/// A list of strings. NULL is fine where there are none.
///
/// # Safety
/// `items` is NULL or leads to `count` pointers, each as for [`required_str`].
pub unsafe fn str_list<'a>(
    items: *const *const c_char,
    count: usize,
    name: &str,
) -> Result<Vec<&'a str>> {
    // SAFETY: the caller's promise.
    let items = unsafe { slice(items, count, name) }?;
    let items = items.iter().enumerate();
    // SAFETY: the caller's promise.
    items.map(|(i, &item)| unsafe { required_str(item, &format!("{name}[{i}]")) }).collect()
}

/// # Safety
/// `items` is NULL or leads to `count` values that stay as they are for `'a`.
unsafe fn slice<'a, T>(items: *const T, count: usize, name: &str) -> Result<&'a [T]> {
    if count == 0 {
        return Ok(&[]);
    }
    if items.is_null() {
        return Err(Error::argument(format!("{name} is NULL with a length of {count}")));
    }
    if count > isize::MAX as usize / size_of::<T>() {
        return Err(Error::argument(format!("{name} has an impossible length of {count}")));
    }
    if !items.is_aligned() {
        return Err(Error::argument(format!("{name} is not aligned")));
    }
    // SAFETY: not null, aligned, of a possible size; the rest is the caller's promise.
    Ok(unsafe { std::slice::from_raw_parts(items, count) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ptr;

    fn message<T: std::fmt::Debug>(result: Result<T>) -> String {
        result.unwrap_err().message().to_owned()
    }

    #[test]
    fn strings() {
        // SAFETY: all are NULL or literals.
        unsafe {
            assert_eq!(required_str(c"käse".as_ptr(), "key"), Ok("käse"));
            assert_eq!(required_str(c"".as_ptr(), "key"), Ok(""));
            assert_eq!(optional_str(ptr::null(), "near"), Ok(None));
            assert_eq!(
                message(required_str(ptr::null(), "key")),
                "key is NULL, a string is needed"
            );
            assert_eq!(
                message(optional_str(c"ab\xff".as_ptr(), "near")),
                "near is not UTF-8 (byte 2)"
            );
        }
    }

    #[test]
    fn numbers_that_must_fit() {
        assert_eq!(small(65535, "port"), Ok(65535));
        assert_eq!(message(small(70000, "port")), "port 70000 is not allowed, it takes 0 to 65535");
    }

    #[test]
    fn runs_of_bytes() {
        // SAFETY: all are NULL or literals of at least that length, or refused before a read.
        unsafe {
            assert_eq!(bytes(ptr::null(), 0, "value"), Ok(&[][..]));
            assert_eq!(bytes(b"a\0b".as_ptr(), 3, "value"), Ok(&b"a\0b"[..]));
            assert_eq!(message(bytes(ptr::null(), 3, "value")), "value is NULL with a length of 3");
            assert_eq!(
                message(bytes(b"a".as_ptr(), usize::MAX, "value")),
                format!("value has an impossible length of {}", usize::MAX)
            );
        }
    }

    #[test]
    fn lists_of_strings() {
        let items = [c"a".as_ptr(), ptr::null()];
        // SAFETY: two items, of which one is NULL.
        unsafe {
            assert_eq!(str_list(items.as_ptr(), 1, "tags"), Ok(vec!["a"]));
            assert_eq!(str_list(ptr::null(), 0, "tags"), Ok(vec![]));
            assert_eq!(
                message(str_list(items.as_ptr(), 2, "tags")),
                "tags[1] is NULL, a string is needed"
            );
            assert_eq!(
                message(str_list(ptr::null(), 2, "tags")),
                "tags is NULL with a length of 2"
            );
        }
    }
}
