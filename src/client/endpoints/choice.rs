//! Which address is asked next: pure.

use super::breaker::Condition;

/// What a choice is made by.
#[derive(Clone, Copy, Debug)]
pub(super) struct Candidate {
    pub(super) condition: Condition,
    /// It has asked not to be asked for some time.
    pub(super) is_limited: bool,
}

/// Where the choice begins, and what a call makes of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wish {
    /// The one in use; 0 where the first ones are preferred.
    pub(super) start: usize,
    /// Those that the call has asked, a bit each.
    pub(super) asked: u32,
    /// One that knows no leader does as well.
    pub(super) any_server: bool,
    /// One that has asked not to be asked is asked all the same, after its equals.
    pub(super) limited_too: bool,
}

/// The best one that was not asked yet: who serves comes before who does not, and among equals the
/// one in use first, then the others in their order. Who limits us is left alone.
pub(super) fn choose(
    candidates: impl ExactSizeIterator<Item = Candidate>,
    wish: Wish,
) -> Option<usize> {
    let count = candidates.len();
    let rank = |(i, candidate): (usize, Candidate)| {
        let condition = match candidate.condition {
            Condition::NoLeader if wish.any_server => Condition::Up,
            condition => condition,
        };
        let distance = (i + count - wish.start) % count;
        (condition, candidate.is_limited, distance, i)
    };
    let left = candidates.enumerate().filter(|(i, candidate)| {
        wish.asked & (1 << i) == 0 && (wish.limited_too || !candidate.is_limited)
    });
    left.map(rank).min().map(|(.., i)| i)
}

#[cfg(test)]
mod tests {
    use super::*;
    use Condition::*;

    fn chosen(conditions: &[Condition], wish: Wish) -> Vec<usize> {
        let mut wish = wish;
        let mut order = Vec::new();
        let candidate = |&condition| Candidate { condition, is_limited: false };
        while let Some(next) = choose(conditions.iter().map(candidate), wish) {
            wish.asked |= 1 << next;
            order.push(next);
        }
        order
    }

    const FIRST: Wish = Wish { start: 0, asked: 0, any_server: false, limited_too: false };

    #[test]
    fn the_one_in_use_comes_first_and_each_is_asked_once() {
        assert_eq!(chosen(&[Up, Up, Up], FIRST), [0, 1, 2]);
        assert_eq!(chosen(&[Up, Up, Up], Wish { start: 1, ..FIRST }), [1, 2, 0]);
        assert_eq!(chosen(&[Up], FIRST), [0]);
    }

    #[test]
    fn who_serves_comes_before_who_does_not() {
        assert_eq!(chosen(&[Down, NoLeader, Up], FIRST), [2, 1, 0]);
        let stale = Wish { any_server: true, ..FIRST };
        assert_eq!(chosen(&[Down, NoLeader, Up], stale), [1, 2, 0]);
    }

    #[test]
    fn one_that_limits_is_left_alone_or_comes_after_its_equals() {
        let candidates = [true, false].map(|is_limited| Candidate { condition: Up, is_limited });
        let next = |wish| choose(candidates.into_iter(), wish);
        for limited_too in [false, true] {
            assert_eq!(next(Wish { limited_too, ..FIRST }), Some(1));
        }
        let rest = Wish { asked: 0b10, ..FIRST };
        assert_eq!(next(rest), None);
        assert_eq!(next(Wish { limited_too: true, ..rest }), Some(0));
    }
}
