//! A session that was made for one purpose.

use super::keeper::Keeper;
use std::sync::Arc;

/// A session that was made for one purpose and is destroyed with it.
pub(crate) struct OwnSession(pub(crate) Arc<Keeper>);

impl OwnSession {
    /// Begins an attempt to take something with it. At its deadline it is not destroyed before that is
    /// over: who has taken something until then can give it back.
    pub(crate) fn begin_attempt(&self) -> Attempt {
        self.0.set_in_use(true);
        Attempt(Some(self.0.clone()))
    }
}

impl Drop for OwnSession {
    fn drop(&mut self) {
        self.0.end_on_lane(None);
    }
}

/// An attempt to take something with an own session. Dropped, it is over.
pub(crate) struct Attempt(Option<Arc<Keeper>>);

impl Attempt {
    /// Somebody else sees to it that the session is destroyed.
    pub(crate) fn hand_over(mut self) {
        self.0 = None;
    }
}

impl Drop for Attempt {
    fn drop(&mut self) {
        if let Some(keeper) = self.0.take() {
            keeper.set_in_use(false);
        }
    }
}
