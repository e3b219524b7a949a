//! # Options of a call
//!
//! The settings of single calls; NULL in a call means the client's. One may serve any number of
//! calls and threads at once, as long as nobody changes it meanwhile.

use super::guard::guard;
use super::handle::{self, Handle};
pub use super::kind::consul_options;
use super::status::consul_status;
use super::{input, output};
use crate::config::Options;
use crate::error::{Result, Status};
use std::ffi::c_char;
use std::ops::Deref;

impl Handle for consul_options {
    type Object = Options;
}

/// Makes options that change nothing. Free them with `consul_options_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_options_new(out: *mut *mut consul_options) -> consul_status {
    // SAFETY: pointers as the header asks for.
    guard(|| unsafe { output::out(out) }?.give(Options::new()))
}

/// Only nodes with this metadata; several must all match.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_options_add_node_meta(
    options: *mut consul_options,
    key: *const c_char,
    value: *const c_char,
) -> consul_status {
    guard(|| {
        let mut options = handle::get_mut(options)?;
        // SAFETY: pointers as the header asks for.
        let key = unsafe { input::required_str(key, "key") }?;
        // SAFETY: as above.
        let value = unsafe { input::required_str(value, "value") }?;
        options.add_node_meta(key, value);
        Ok(Status::Ok)
    })
}

/// Ends options. NULL is fine.
#[unsafe(no_mangle)]
pub extern "C" fn consul_options_free(options: *mut consul_options) {
    handle::free(options);
}

/// Sets one by its name in the table of settings.
pub(super) fn set(options: *mut consul_options, name: &str, value: &str) -> Result<Status> {
    handle::get_mut(options)?.set(name, value)?;
    Ok(Status::Ok)
}

/// Sets one from a text; NULL unsets it.
///
/// # Safety
/// `value` is NULL or NUL-terminated.
pub(super) unsafe fn set_text(
    options: *mut consul_options,
    name: &str,
    value: *const c_char,
) -> Result<Status> {
    // SAFETY: the caller's promise.
    set(options, name, unsafe { input::optional_str(value, "value") }?.unwrap_or_default())
}

/// The options of a call: those it was given, or none.
pub(super) struct Chosen(Option<handle::Shared<consul_options>>);

impl Deref for Chosen {
    type Target = Options;

    fn deref(&self) -> &Options {
        static NONE: Options = Options::NONE;
        self.0.as_deref().unwrap_or(&NONE)
    }
}

/// The options that a call was given; NULL is fine.
pub(super) fn chosen(options: *const consul_options) -> Result<Chosen> {
    handle::get_optional(options).map(Chosen)
}
