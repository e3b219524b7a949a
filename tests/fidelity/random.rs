//! Numbers that follow from a seed, so that what a run found can be run again.

/// SplitMix64 (<https://prng.di.unimi.it/splitmix64.c>).
pub struct Random(u64);

impl Random {
    /// The numbers of one sequence of a run.
    pub fn of(seed: u64, sequence: u64) -> Random {
        Random(seed ^ sequence.wrapping_mul(0xa076_1d64_78bd_642f))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `end`.
    pub fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    /// True once in `times`.
    pub fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    /// One of these.
    pub fn of_these<'a, T: ?Sized>(&mut self, all: &[&'a T]) -> &'a T {
        all[self.below(all.len())]
    }

    /// Up to `most` of these, in any order, perhaps one of them twice.
    pub fn some<'a>(&mut self, most: usize, all: &[&'a str]) -> Vec<&'a str> {
        (0..self.below(most + 1)).map(|_| self.of_these(all)).collect()
    }
}
