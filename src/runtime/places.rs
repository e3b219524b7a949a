//! A bounded number of places that all clients of the process share.

use crate::sys::PerProcess;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// Places that are taken and given back. A forked child has its own: those who have taken one stay
/// with its parent.
pub(crate) struct Places(PerProcess<AtomicUsize>);

/// A place, given back when dropped.
pub(crate) struct Place(&'static AtomicUsize);

impl Places {
    pub(crate) const fn new() -> Places {
        Places(PerProcess::new())
    }

    /// A place, unless `most` or more are taken.
    pub(crate) fn enter(&'static self, most: usize) -> Option<Place> {
        // Counted first, so that two can never take the last place.
        let place = Place(self.0.get_or_init(AtomicUsize::default));
        (place.0.fetch_add(1, Relaxed) < most).then_some(place)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
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
