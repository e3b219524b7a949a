//! Random sequences without timers: nothing in them ends by itself while they run.

mod agent;
mod catalog;
mod event;
mod health;
mod kv;
mod read;
mod session;
mod spoilt;
mod txn;

use crate::random::Random;
use crate::sequence::Sequence;

type Area = fn(&mut Random, &mut Sequence);

/// What a sequence may be about. Each adds a step, or a few that belong together.
const AREAS: &[(&str, Area)] = &[
    ("kv", kv::step),
    ("kv", kv::step),
    ("locks", kv::lock_step),
    ("txn", txn::step),
    ("sessions", session::step),
    ("agent", agent::step),
    ("catalog", catalog::step),
    ("health", health::step),
    ("events", event::step),
    ("spoilt", spoilt::step),
];

/// Areas that need what another one makes.
fn companion(name: &str) -> Option<Area> {
    match name {
        "locks" => Some(session::step),
        "health" => Some(agent::step),
        "txn" => Some(kv::step),
        _ => None,
    }
}

/// The sequence of this number.
pub fn sequence(random: &mut Random) -> Sequence {
    let mut sequence = Sequence::default();
    let (name, main) = AREAS[random.below(AREAS.len())];
    let (_, other) = AREAS[random.below(AREAS.len())];
    let other = companion(name).filter(|_| !random.once_in(4)).unwrap_or(other);
    let length = 5 + random.below(7);
    while sequence.steps.len() < length {
        let area = if random.below(5) < 3 { main } else { other };
        area(random, &mut sequence);
    }
    sequence
}

/// A JSON object of these members, of which each is a whole `"Name":value`.
fn object(members: &[String]) -> String {
    format!("{{{}}}", members.join(","))
}

/// A list of texts in JSON.
fn list(texts: &[&str]) -> String {
    let quoted: Vec<_> = texts.iter().map(|text| format!("{text:?}")).collect();
    format!("[{}]", quoted.join(","))
}
