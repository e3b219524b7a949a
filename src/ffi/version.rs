//! # Versions
//!
//! Within one major version of the ABI functions, constants and trailing row fields are added,
//! never changed. So a program runs with every library of the same major and the same or a higher
//! minor version than it was compiled for:
//!
//! ```c
//! uint32_t abi = consul_abi_version();
//! if (abi >> 16 != CONSUL_ABI_MAJOR || (abi & 0xffff) < CONSUL_ABI_MINOR)
//!     fprintf(stderr, "libconsul_ffi has ABI %u.%u\n", abi >> 16, abi & 0xffff);
//! ```

use std::ffi::{CStr, c_char};

/// The major version of the ABI that this header describes.
pub const CONSUL_ABI_MAJOR: u32 = 1;
/// The minor version of the ABI that this header describes.
pub const CONSUL_ABI_MINOR: u32 = 1;

const VERSION: &CStr =
    match CStr::from_bytes_with_nul(concat!(env!("CARGO_PKG_VERSION"), "\0").as_bytes()) {
        Ok(version) => version,
        Err(_) => c"",
    };

/// The version of the library in use, such as `"1.2.3"`. Valid for ever.
#[unsafe(no_mangle)]
pub extern "C" fn consul_version() -> *const c_char {
    VERSION.as_ptr()
}

/// The version of the ABI of the library in use: `major << 16 | minor`.
#[unsafe(no_mangle)]
pub extern "C" fn consul_abi_version() -> u32 {
    CONSUL_ABI_MAJOR << 16 | CONSUL_ABI_MINOR
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_those_of_the_crate_and_the_header() {
        // SAFETY: a literal.
        let version = unsafe { CStr::from_ptr(consul_version()) };
        assert_eq!(version.to_str(), Ok(env!("CARGO_PKG_VERSION")));
        assert_eq!(consul_abi_version(), CONSUL_ABI_MAJOR << 16 | CONSUL_ABI_MINOR);
        assert_eq!(CONSUL_ABI_MAJOR, 1);
    }
}
