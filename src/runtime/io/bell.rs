//! Waking those who wait for what the I/O thread does, once a turn.
//!
//! Answers come several at a time. Who is woken for the first one takes that one alone, and asks for
//! the next alone; woken for all of them it begins as many at once, which then come back together. The
//! kernel, the agent and both threads have less to do then.

use super::is_io_thread;
use std::cell::RefCell;
use std::sync::Arc;

/// Wakes somebody.
pub(crate) trait Bell: Send + Sync {
    /// Cheap, and must not block. True when that ends a thread's wait.
    fn ring(&self) -> bool;
}

thread_local! {
    static ASKED: RefCell<Vec<Arc<dyn Bell>>> = const { RefCell::new(Vec::new()) };
}

/// Rings at once; on the I/O thread at the end of its turn, once however often it was asked for.
pub(crate) fn ring(bell: &Arc<impl Bell + 'static>) {
    if !is_io_thread() {
        bell.ring();
        return;
    }
    ASKED.with_borrow_mut(|asked| {
        let is_asked =
            |known: &Arc<dyn Bell>| Arc::as_ptr(known).addr() == Arc::as_ptr(bell).addr();
        if !asked.iter().any(is_asked) {
            asked.push(bell.clone());
        }
    });
}

/// The turn is over. True when that ends a thread's wait.
pub(super) fn ring_asked() -> bool {
    let mut asked = ASKED.take();
    let woken = asked.drain(..).fold(false, |woken, bell| bell.ring() | woken);
    // Its room serves the next turn.
    ASKED.with_borrow_mut(|later| {
        if later.is_empty() {
            *later = asked;
        }
    });
    woken
}
