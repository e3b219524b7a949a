//! The points of a ring: a key belongs to the first point that follows its own hash.

use super::murmur::hash;
use std::fmt::Write;

/// Points of a seat of weight 1. More make the shares more even, and the ring slower to make.
pub(crate) const POINTS: u32 = 160;

/// The points of seats, which are numbers from 0 on.
#[derive(Clone, Default)]
pub(crate) struct Points {
    /// Sorted; of two that fall together the lower seat's comes first.
    points: Vec<(u64, u32)>,
    /// Hashes are spread evenly, so the first bits of one tell where it is, give or take a point or
    /// two: of each value of these bits the first point that may follow. A search through the
    /// points takes several times as long.
    starts: Vec<u32>,
    shift: u32,
}

impl Points {
    /// The points of these names, so many of each: the number of a name is its seat.
    pub(crate) fn new<'a>(names: impl Iterator<Item = (&'a str, u32)>) -> Points {
        let mut points = Vec::new();
        for (seat, (name, count)) in names.enumerate() {
            points.extend(points_of(name, count, seat as u32));
        }
        points.sort_unstable();
        Points::indexed(points)
    }

    /// These points with a seat more, which gets this number; those from there on move up.
    pub(crate) fn with(&self, seat: u32, name: &str, count: u32) -> Points {
        let moved = |&(point, other): &(u64, u32)| (point, other + u32::from(other >= seat));
        let mut more: Vec<_> = points_of(name, count, seat).collect();
        more.sort_unstable();
        let mut points: Vec<_> = self.points.iter().map(moved).chain(more).collect();
        // Two sorted runs, which this sort only merges.
        points.sort();
        Points::indexed(points)
    }

    /// These points without this seat; those behind it move down.
    pub(crate) fn without(&self, seat: u32) -> Points {
        let kept = self.points.iter().filter(|&&(_, other)| other != seat);
        let moved = |&(point, other): &(u64, u32)| (point, other - u32::from(other > seat));
        Points::indexed(kept.map(moved).collect())
    }

    fn indexed(points: Vec<(u64, u32)>) -> Points {
        let bits = points.len().max(2).ilog2();
        let shift = u64::BITS - bits;
        let mut starts = Vec::with_capacity(1 << bits);
        let mut next = 0_usize;
        for bucket in 0..1_u64 << bits {
            while points.get(next).is_some_and(|&(point, _)| point < bucket << shift) {
                next += 1;
            }
            starts.push(next as u32);
        }
        Points { points, starts, shift }
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.points.len()
    }

    /// Whose key it is; the first's where there is nobody.
    pub(crate) fn owner(&self, key: &[u8]) -> usize {
        self.owner_of(hash(key))
    }

    /// As [`Points::owner`], of a key that has this hash.
    #[inline]
    pub(crate) fn owner_of(&self, key: u64) -> usize {
        self.points.get(self.following(key)).map_or(0, |&(_, seat)| seat as usize)
    }

    /// Its owner and those that would be if the ones before were not there, at most so many.
    pub(crate) fn owners(&self, key: &[u8], most: usize, seats: usize) -> Vec<usize> {
        let most = most.min(seats);
        let (mut owners, mut taken) = (Vec::with_capacity(most), vec![false; seats]);
        let (before, after) =
            self.points.split_at(self.following(hash(key)).min(self.points.len()));
        for &(_, seat) in after.iter().chain(before) {
            if owners.len() == most {
                break;
            }
            let seat = seat as usize;
            if !std::mem::replace(&mut taken[seat], true) {
                owners.push(seat);
            }
        }
        owners
    }

    /// The place of the first point that follows a key's hash; the first one's past the last.
    #[inline]
    fn following(&self, key: u64) -> usize {
        let bucket = (key >> self.shift) as usize;
        let mut at = self.starts.get(bucket).map_or(0, |&start| start as usize);
        // It is nearly always among the next few. Those before it are counted, four at a time: how
        // many they are is by chance, and to foresee it wrongly costs more than to look at all four.
        // With 1,000 nodes and 100,000 keys a search for the first one takes twice as long.
        let before =
            |points: &[(u64, u32)]| points.iter().filter(|(point, _)| *point < key).count();
        while let Some(four) = self.points.get(at..).and_then(<[_]>::first_chunk::<4>) {
            match before(four) {
                4 => at += 4,
                fewer => return at + fewer,
            }
        }
        at += before(self.points.get(at..).unwrap_or_default());
        if at < self.points.len() { at } else { 0 }
    }
}

fn points_of(name: &str, count: u32, seat: u32) -> impl Iterator<Item = (u64, u32)> {
    let mut text = String::with_capacity(name.len() + 8);
    (0..count).map(move |number| {
        text.clear();
        // Writing to a text does not fail.
        let _ = write!(text, "{name}#{number}");
        (hash(text.as_bytes()), seat)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(count: usize) -> Vec<String> {
        (0..count).map(|n| format!("n/web-{n}")).collect()
    }

    fn points(names: &[String]) -> Points {
        Points::new(names.iter().map(|name| (name.as_str(), POINTS)))
    }

    #[test]
    fn a_key_belongs_to_the_first_point_that_follows() {
        for count in [1, 2, 7, 100] {
            let ring = points(&names(count));
            for n in 0..5000 {
                let key = format!("key-{n}");
                let place = hash(key.as_bytes());
                let after = ring.points.partition_point(|&(point, _)| point < place);
                let (_, seat) = ring.points.get(after).unwrap_or(&ring.points[0]);
                assert_eq!(ring.owner(key.as_bytes()), *seat as usize, "{key} of {count}");
            }
        }
        assert_eq!(points(&[]).owner(b"key"), 0);
        assert_eq!(Points::default().owner(b"key"), 0);
        assert!(points(&[]).owners(b"key", 3, 0).is_empty());
    }

    #[test]
    fn a_seat_that_comes_or_goes_leaves_what_a_ring_made_anew_has() {
        let names = names(8);
        let whole = points(&names);
        for seat in 0..8 {
            let mut fewer = names.clone();
            let name = fewer.remove(seat);
            let without = points(&fewer);
            assert_eq!(whole.without(seat as u32).points, without.points);
            assert_eq!(without.with(seat as u32, &name, POINTS).points, whole.points);
        }
    }

    #[test]
    fn where_points_fall_together_the_lower_seat_comes_first() {
        let both = Points::indexed(vec![(5, 0), (5, 1)]);
        assert_eq!(both.with(0, "", 0).points, [(5, 1), (5, 2)]);
        assert_eq!(both.owner(b""), 0);
        assert_eq!(both.owners(b"", 2, 2), [0, 1]);
    }
}
