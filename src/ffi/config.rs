//! # Configuration
//!
//! Settings by name and string. What a program sets beats the token file, which beats the
//! environment (`CONSUL_HTTP_ADDR` and the other official names), which beats the default. The
//! page docs/settings.md lists them.

use super::guard::guard;
use super::handle::{self, Handle};
pub use super::kind::consul_config;
use super::status::consul_status;
use super::text::consul_text;
use super::{input, output};
use crate::config::Config;
use crate::error::Status;
use std::ffi::c_char;

impl Handle for consul_config {
    type Object = Config;
}

/// Makes a configuration with the defaults and what the environment sets, which is read here, once,
/// on this thread. Free it with `consul_config_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_config_new(out: *mut *mut consul_config) -> consul_status {
    // SAFETY: pointers as the header asks for.
    guard(|| unsafe { output::out(out) }?.give(Config::new()))
}

/// Makes a configuration with the defaults alone.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_config_new_without_environment(
    out: *mut *mut consul_config,
) -> consul_status {
    // SAFETY: pointers as the header asks for.
    guard(|| unsafe { output::out(out) }?.give(Config::without_environment()))
}

/// Sets one setting. `CONSUL_ERR_CONFIG` for an unknown name or a value that is not allowed: the
/// message says what is, and nothing is changed. An empty value goes back to the default, past the
/// environment.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_config_set(
    config: *mut consul_config,
    name: *const c_char,
    value: *const c_char,
) -> consul_status {
    guard(|| {
        let mut config = handle::get_mut(config)?;
        // SAFETY: pointers as the header asks for.
        let name = unsafe { input::required_str(name, "name") }?;
        // SAFETY: as above.
        let value = unsafe { input::required_str(value, "value") }?;
        config.set(name, value)?;
        Ok(Status::Ok)
    })
}

/// Gives the value in force. Secrets are not given out: one that is set reads `<hidden>`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_config_get(
    config: *const consul_config,
    name: *const c_char,
    out: *mut *mut consul_text,
) -> consul_status {
    guard(|| {
        // SAFETY: pointers as the header asks for.
        let out = unsafe { output::out(out) }?;
        let config = handle::get(config)?;
        // SAFETY: as above.
        let name = unsafe { input::required_str(name, "name") }?;
        out.give(config.get(name)?.into_bytes().into())
    })
}

/// Gives every setting with its value, a line each, secrets hidden.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_config_dump(
    config: *const consul_config,
    out: *mut *mut consul_text,
) -> consul_status {
    guard(|| {
        // SAFETY: pointers as the header asks for.
        let out = unsafe { output::out(out) }?;
        out.give(handle::get(config)?.dump().into_bytes().into())
    })
}

/// Ends a configuration; the clients that were made from it stay as they are. NULL is fine.
#[unsafe(no_mangle)]
pub extern "C" fn consul_config_free(config: *mut consul_config) {
    handle::free(config);
}
