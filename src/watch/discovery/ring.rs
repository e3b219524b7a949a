//! A ring of hashes: a key belongs to the first point that follows its own.

use super::murmur::hash;

/// Points of an instance. More make the shares more even, and the ring slower to make.
const POINTS: usize = 160;

/// A ring of seats.
pub(super) struct Ring {
    /// Sorted.
    points: Vec<(u64, u32)>,
}

impl Ring {
    /// The ring of these names; the order of the names decides nothing but their numbers.
    pub(super) fn new<'a>(names: impl Iterator<Item = &'a str>) -> Ring {
        let mut points = Vec::new();
        for (seat, name) in names.enumerate() {
            for point in 0..POINTS {
                points.push((hash(format!("{name}#{point}").as_bytes()), seat as u32));
            }
        }
        points.sort_unstable();
        Ring { points }
    }

    /// Whose key it is; the first's where there is nobody.
    pub(super) fn owner(&self, key: &[u8]) -> usize {
        let key = hash(key);
        let after = self.points.partition_point(|&(point, _)| point < key);
        let owner = self.points.get(after).or_else(|| self.points.first());
        owner.map_or(0, |&(_, seat)| seat as usize)
    }
}
