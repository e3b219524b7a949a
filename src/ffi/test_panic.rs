//! A door that panics, so that a host can see what comes of it. Not in any release.

use super::guard::guard;
use super::status::consul_status;

/// Panics inside.
#[unsafe(no_mangle)]
pub extern "C" fn consul_test_panic() -> consul_status {
    guard(|| panic!("asked for"))
}
