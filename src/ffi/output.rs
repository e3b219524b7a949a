//! Where results go: the `out` parameters, cleared before anything else happens.

use super::asynchronous::consul_async;
use super::handle::{self, Handle};
use crate::error::{Error, Result, Status};
use std::ptr;

/// Where a function puts the handle it makes.
pub struct Out<H>(*mut *mut H);

/// The last parameter of a function that makes a handle; from here on it holds NULL.
///
/// # Safety
/// `out` is NULL or may be written for as long as the result lives.
pub unsafe fn out<H: Handle>(out: *mut *mut H) -> Result<Out<H>> {
    if out.is_null() {
        return Err(missing("out"));
    }
    // SAFETY: not null; the rest is the caller's promise.
    unsafe { out.write(ptr::null_mut()) };
    Ok(Out(out))
}

/// The same of a call that may be asynchronous, in which case `out` is not needed.
///
/// # Safety
/// As for [`out`].
pub unsafe fn out_of_call<H: Handle>(
    out: *mut *mut H,
    r#async: *const consul_async,
) -> Result<Out<H>> {
    if out.is_null() && !r#async.is_null() {
        return Ok(Out(out));
    }
    // SAFETY: the caller's promise.
    unsafe { self::out(out) }
}

impl<H: Handle> Out<H> {
    /// Makes a handle for `object`, which is the caller's to free: the end of a call that succeeds.
    pub fn give(self, object: H::Object) -> Result<Status> {
        if self.0.is_null() {
            return Err(missing("out"));
        }
        let handle = handle::new::<H>(object)?;
        // SAFETY: `out`'s promise.
        unsafe { self.0.write(handle) };
        Ok(Status::Ok)
    }
}

/// A parameter that takes a plain value; from here on it holds 0, or false.
///
/// # Safety
/// As for [`out`].
pub unsafe fn out_value<'a, T: Copy + Default>(out: *mut T, name: &str) -> Result<&'a mut T> {
    // SAFETY: the caller's promise.
    unsafe { out_optional_value(out) }.ok_or_else(|| missing(name))
}

/// The same for a parameter that may be NULL.
///
/// # Safety
/// As for [`out`].
pub unsafe fn out_optional_value<'a, T: Copy + Default>(out: *mut T) -> Option<&'a mut T> {
    if out.is_null() {
        return None;
    }
    // SAFETY: not null; the rest is the caller's promise. Written before it is borrowed, since C
    // need not have put anything there.
    unsafe {
        out.write(T::default());
        Some(&mut *out)
    }
}

fn missing(name: &str) -> Error {
    Error::argument(format!("{name} is NULL, the result needs a place"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ffi::text::{consul_text, consul_text_free};

    #[test]
    fn what_goes_out_is_cleared_first() {
        let mut handle: *mut consul_text = ptr::without_provenance_mut(1);
        let mut number = 7_u64;
        // SAFETY: places of this test, or NULL.
        unsafe {
            drop(out(&raw mut handle).map(|_| ()));
            assert!(handle.is_null());
            assert_eq!(out_value(&raw mut number, "index"), Ok(&mut 0));
            assert_eq!(out_optional_value::<u64>(ptr::null_mut()), None);
            let error = out::<consul_text>(ptr::null_mut()).map(|_| ()).unwrap_err();
            assert_eq!(error.message(), "out is NULL, the result needs a place");
        }
    }

    #[test]
    fn what_is_given_is_the_callers() {
        let mut handle: *mut consul_text = ptr::null_mut();
        // SAFETY: a place of this test.
        let given = unsafe { out(&raw mut handle) }.unwrap().give(b"text".to_vec().into());
        assert_eq!(given, Ok(Status::Ok));
        assert!(!handle.is_null());
        consul_text_free(handle);
    }
}
