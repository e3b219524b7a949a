//! What a look-up borrows to its thread: the state that it looked at lives until the thread looks up
//! again, whoever changes or frees it meanwhile.

use std::any::Any;
use std::cell::RefCell;
use std::sync::Arc;

thread_local! {
    static LENT: RefCell<Option<Arc<dyn Any + Send + Sync>>> = const { RefCell::new(None) };
}

/// Keeps this state for the calling thread, in the place of the one before. False on a thread that is
/// ending, where nothing can be kept.
pub(super) fn lend<T: Any + Send + Sync>(state: &Arc<T>) -> bool {
    let lent = LENT.try_with(|lent| {
        let mut lent = lent.borrow_mut();
        let same = |kept: &Arc<dyn Any + Send + Sync>| {
            std::ptr::addr_eq(Arc::as_ptr(kept), Arc::as_ptr(state))
        };
        // Counting who has it is most of what a look-up would cost.
        (!lent.as_ref().is_some_and(same)).then(|| lent.replace(state.clone()))
    });
    // What was lent before ends here, where nothing is borrowed.
    lent.map(drop).is_ok()
}
