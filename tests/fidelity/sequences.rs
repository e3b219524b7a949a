//! The random sequences.

use crate::compare::{Difference, Pair};
use crate::generate;
use crate::random::Random;
use crate::side::Side;
use std::collections::BTreeMap;
use std::io::Write;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

const SEQUENCES: u64 = 10_000;
const SEED: u64 = 1;

/// Pairs of agents at work at the same time: of each either the one who asks works or the one who
/// answers, so a pair more than processors fills the gaps.
const PAIRS: usize = 3;

/// As many different kinds of differences are enough to look at.
const ENOUGH: usize = 40;

/// The harness measured by itself: what it leaves out is enough, and is nothing that matters, when
/// two real agents agree.
#[test]
fn two_real_agents_agree() {
    compare_all("real", number("FIDELITY_REAL").unwrap_or(200), || Side::real().zip(Side::real()));
}

#[test]
fn the_embedded_agent_is_like_a_real_one() {
    let count = number("FIDELITY_SEQUENCES").unwrap_or(SEQUENCES);
    compare_all("embedded", count, || Side::real().map(|real| (real, Side::at("embedded:"))));
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap_or_else(|e| panic!("{name}: {e}")))
}

/// Runs sequences at pairs that `agents` makes, and fails with those that differ.
fn compare_all(what: &str, count: u64, agents: impl Fn() -> Option<(Side, Side)> + Sync) {
    let seed = number("FIDELITY_SEED").unwrap_or(SEED);
    let only = number("FIDELITY_ONLY");
    let (first, end) = only.map_or((0, count), |only| (only, only + 1));
    let next = AtomicU64::new(first);
    let steps = AtomicUsize::new(0);
    let found = Mutex::new(BTreeMap::<String, (usize, u64, Difference)>::new());
    let passing = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        // An agent takes longer to start than for a hundred sequences.
        for _ in 0..PAIRS.min(count as usize / 100).max(1) {
            scope.spawn(|| {
                let Some((left, right)) = agents() else { return };
                let mut pair = Pair::new(left, right);
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= end || found.lock().unwrap().len() >= ENOUGH {
                        return;
                    }
                    let sequence = generate::sequence(&mut Random::of(seed, number));
                    steps.fetch_add(sequence.all().count(), Ordering::Relaxed);
                    let Some(difference) = pair.compare(&sequence) else { continue };
                    // What does not come again is the real agent's own doing in the background.
                    let Some(difference) = pair.compare(&difference.sequence) else {
                        passing.fetch_add(1, Ordering::Relaxed);
                        continue;
                    };
                    let known = found.lock().unwrap().contains_key(&difference.kind);
                    let least = if known { difference } else { pair.shrink(difference) };
                    let mut found = found.lock().unwrap();
                    found.entry(least.kind.clone()).or_insert((0, number, least)).0 += 1;
                    drop(found);
                    // What differs may go on to differ.
                    let Some((left, right)) = agents() else { return };
                    pair = Pair::new(left, right);
                }
            });
        }
    });
    let found = found.into_inner().unwrap();
    let _ = writeln!(
        std::io::stderr(),
        "fidelity, {what}: seed {seed}, {} sequences, {} requests to each, {} passing differences",
        next.into_inner().min(end) - first,
        steps.into_inner(),
        passing.into_inner(),
    );
    let shown = found.iter().map(|(kind, (times, number, difference))| {
        format!("{kind}: {times} times; the first in sequence {number}:\n{}\n", difference.report)
    });
    let shown: Vec<_> = shown.collect();
    assert!(
        shown.is_empty(),
        "seed {seed}: {} kinds of differences\n{}",
        shown.len(),
        shown.join("\n")
    );
}
