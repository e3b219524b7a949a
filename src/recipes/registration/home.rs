//! With which agent a service is registered, and with which it was.

use crate::client::{Client, Either};
use std::sync::Arc;

/// The addresses of agents; nothing of a client that has only one.
#[derive(Debug, Default)]
pub(super) struct Home {
    now: Option<Arc<str>>,
    /// The one that took it last.
    taken: Option<Arc<str>>,
    /// They may still have it.
    left: Vec<Arc<str>>,
}

impl Home {
    pub(super) fn now(&self) -> Option<&Arc<str>> {
        self.now.as_ref()
    }

    /// True when it had another one before, or none.
    pub(super) fn move_to(&mut self, address: &Arc<str>) -> bool {
        if self.now.as_ref() == Some(address) {
            return false;
        }
        self.left.retain(|left| left != address);
        self.left.extend(self.now.replace(address.clone()));
        true
    }

    /// The present one has taken it: gives the one that had taken it before, where that is another.
    pub(super) fn take(&mut self) -> Option<Arc<str>> {
        let before = std::mem::replace(&mut self.taken, self.now.clone());
        before.filter(|before| self.now.as_ref() != Some(before))
    }

    /// Whether it was never tried with this agent, since it was deregistered there.
    pub(super) fn is_new(&self, address: &Arc<str>) -> bool {
        self.now.as_ref() != Some(address) && !self.left.contains(address)
    }

    /// The client, whose calls go there.
    pub(super) fn pin(&self, client: Client<Either>) -> Client<Either> {
        match &self.now {
            Some(address) => client.pinned_to(address),
            None => client,
        }
    }

    pub(super) fn left(&self) -> Vec<Arc<str>> {
        self.left.clone()
    }

    /// It does not have it any more.
    pub(super) fn forget(&mut self, address: &Arc<str>) {
        self.left.retain(|left| left != address);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_had_it_is_remembered_until_it_is_told() {
        let mut home = Home::default();
        let [a, b]: [Arc<str>; 2] = ["a".into(), "b".into()];
        assert!(home.is_new(&a));
        assert!(home.move_to(&a) && !home.move_to(&a) && home.left().is_empty());
        assert!(!home.is_new(&a) && home.is_new(&b));
        assert!(home.move_to(&b) && !home.is_new(&a) && !home.is_new(&b));
        assert_eq!(home.left(), std::slice::from_ref(&a));
        assert!(home.move_to(&a));
        assert_eq!((home.now(), home.left()), (Some(&a), vec![b.clone()]));
        home.forget(&b);
        assert!(home.left().is_empty());
    }

    #[test]
    fn it_has_moved_when_another_one_had_taken_it() {
        let mut home = Home::default();
        let [a, b]: [Arc<str>; 2] = ["a".into(), "b".into()];
        assert_eq!(home.take(), None);
        // The first one did not take it.
        home.move_to(&a);
        home.move_to(&b);
        assert_eq!((home.take(), home.take()), (None, None));
        home.move_to(&a);
        assert_eq!((home.take(), home.take()), (Some(b), None));
    }
}
