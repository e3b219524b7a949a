//! Choosing by weight, in the same time however many there are (M. D. Vose, "A linear algorithm for
//! generating random numbers with a given distribution", the alias method): a search through
//! running sums takes several times as long.

/// The shares of some seats.
pub(super) struct Shares(Vec<Share>);

/// A seat's own part of its turn, of 2^32, and whose the rest is.
#[derive(Clone, Copy)]
struct Share {
    own: u64,
    other: u32,
}

const WHOLE: u64 = 1 << 32;

impl Shares {
    /// The shares of these weights. Where all are 0 all are alike: somebody must be chosen.
    pub(super) fn new(weights: &[u16]) -> Shares {
        let total: u64 = weights.iter().map(|&weight| u64::from(weight)).sum();
        let count = weights.len() as u64;
        if total == 0 {
            return Shares(vec![Share { own: WHOLE, other: 0 }; weights.len()]);
        }
        // Each part is of `total`, so that no rounding gives a seat without weight a share.
        let mut left: Vec<u64> = weights.iter().map(|&weight| u64::from(weight) * count).collect();
        let mut shares = vec![Share { own: WHOLE, other: 0 }; weights.len()];
        let (mut small, mut large): (Vec<usize>, Vec<usize>) =
            (0..left.len()).partition(|&seat| left[seat] < total);
        while let (Some(poor), Some(&rich)) = (small.pop(), large.last()) {
            let own = (u128::from(left[poor]) * u128::from(WHOLE) / u128::from(total)) as u64;
            shares[poor] = Share { own, other: rich as u32 };
            left[rich] -= total - left[poor];
            if left[rich] < total {
                large.pop();
                small.push(rich);
            }
        }
        Shares(shares)
    }

    /// Whose turn it is: `turn` is a number below how many there are, and `part` one below 2^32.
    pub(super) fn choose(&self, turn: usize, part: u64) -> usize {
        match self.0.get(turn) {
            Some(share) if part >= share.own => share.other as usize,
            _ => turn,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How much of all turns each seat gets.
    fn parts(weights: &[u16]) -> Vec<f64> {
        let shares = Shares::new(weights);
        let mut parts = vec![0.0; weights.len()];
        for (seat, share) in shares.0.iter().enumerate() {
            parts[seat] += share.own as f64;
            parts[share.other as usize] += (WHOLE - share.own) as f64;
        }
        parts.iter().map(|part| part / WHOLE as f64 / weights.len() as f64).collect()
    }

    #[test]
    fn each_gets_what_its_weight_says() {
        for weights in [&[1][..], &[1, 1, 1], &[3, 1], &[65535, 1, 0, 7], &[0, 0, 5], &[9; 100]] {
            let total: f64 = weights.iter().map(|&weight| f64::from(weight)).sum();
            for (part, &weight) in parts(weights).iter().zip(weights) {
                let wanted = f64::from(weight) / total;
                assert!((part - wanted).abs() < 1e-6, "{weights:?}: {part} for {weight}");
                assert!(weight > 0 || *part == 0.0, "{weights:?}");
            }
        }
        assert_eq!(parts(&[0, 0]), [0.5, 0.5]);
    }
}
