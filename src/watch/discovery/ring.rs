//! A ring of hashes: a key belongs to the first point that follows its own.

use super::murmur::hash;
use std::fmt::Write;

/// Points of an instance. More make the shares more even, and the ring slower to make.
const POINTS: usize = 160;

/// A ring of seats.
pub(super) struct Ring {
    /// Sorted.
    points: Vec<(u64, u32)>,
    /// Hashes are spread evenly, so the first bits of one tell where it is, give or take a point or
    /// two: of each value of these bits the first point that may follow. A search through the
    /// points takes several times as long.
    starts: Vec<u32>,
    shift: u32,
}

impl Ring {
    /// The ring of these names; the order of the names decides nothing but their numbers.
    pub(super) fn new<'a>(names: impl Iterator<Item = &'a str>) -> Ring {
        let (mut points, mut text) = (Vec::new(), String::new());
        for (seat, name) in names.enumerate() {
            for point in 0..POINTS {
                text.clear();
                // Writing to a text does not fail.
                let _ = write!(text, "{name}#{point}");
                points.push((hash(text.as_bytes()), seat as u32));
            }
        }
        points.sort_unstable();
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
        Ring { points, starts, shift }
    }

    /// Whose key it is; the first's where there is nobody.
    pub(super) fn owner(&self, key: &[u8]) -> usize {
        let key = hash(key);
        let bucket = (key >> self.shift) as usize;
        let start = self.starts.get(bucket).map_or(0, |&start| start as usize);
        let mut later = self.points.get(start..).unwrap_or_default().iter();
        let owner = later.find(|&&(point, _)| point >= key).or(self.points.first());
        owner.map_or(0, |&(_, seat)| seat as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_belongs_to_the_first_point_that_follows() {
        for count in [1, 2, 7, 100] {
            let names: Vec<String> = (0..count).map(|n| format!("n/web-{n}")).collect();
            let ring = Ring::new(names.iter().map(String::as_str));
            for n in 0..5000 {
                let key = format!("key-{n}");
                let place = hash(key.as_bytes());
                let after = ring.points.partition_point(|&(point, _)| point < place);
                let (_, seat) = ring.points.get(after).unwrap_or(&ring.points[0]);
                assert_eq!(ring.owner(key.as_bytes()), *seat as usize, "{key} of {count}");
            }
        }
        assert_eq!(Ring::new(std::iter::empty()).owner(b"key"), 0);
    }
}
