//! A bounded number of places that all clients of the process share.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// Places that are taken and given back.
pub(crate) struct Places(AtomicUsize);

/// A place, given back when dropped.
pub(crate) struct Place(&'static Places);

impl Places {
    pub(crate) const fn new() -> Places {
        Places(AtomicUsize::new(0))
    }

    /// A place, unless `most` or more are taken.
    pub(crate) fn enter(&'static self, most: usize) -> Option<Place> {
        // Counted first, so that two can never take the last place.
        let place = Place(self);
        (self.0.fetch_add(1, Relaxed) < most).then_some(place)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::Places;

    #[test]
    fn there_are_so_many_places_and_no_more() {
        static PLACES: Places = Places::new();
        let taken: Vec<_> = (0..3).map(|_| PLACES.enter(3).unwrap()).collect();
        assert!(PLACES.enter(3).is_none());
        drop(taken);
        assert!(PLACES.enter(1).is_some());
    }
}
