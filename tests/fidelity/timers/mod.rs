//! What time does: of the embedded agent with its clock turned, against facts that were measured
//! on a real Consul 1.8.7. The cases that take a real one a few seconds at most run on both.

mod cases;
mod script;

use crate::side::Side;
use crate::support::unique;
use cases::{CASES, Case};
use script::Rig;
use std::time::Duration;

/// What a real agent may take for one case.
const SHORT: Duration = Duration::from_secs(4);

#[test]
fn the_embedded_agent_keeps_time() {
    assert!(CASES.len() >= 30, "{}", CASES.len());
    let wrong = CASES.iter().filter_map(|case| {
        let side = Side::at(&format!("embedded:{}", unique("timers")));
        failure(case, &side)
    });
    fail_with(wrong.collect());
}

#[test]
fn a_real_agent_keeps_the_short_times_too() {
    let Some(side) = Side::real() else { return };
    let short: Vec<_> = CASES.iter().filter(|case| script::length(case.script) <= SHORT).collect();
    assert!(short.len() >= 5, "{}", short.len());
    let wrong: Vec<_> = std::thread::scope(|scope| {
        let runs: Vec<_> =
            short.into_iter().map(|case| scope.spawn(|| failure(case, &side))).collect();
        runs.into_iter().filter_map(|run| run.join().unwrap()).collect()
    });
    fail_with(wrong);
}

fn failure(case: &Case, side: &Side) -> Option<String> {
    let outcome = Rig::new(side, &unique("t")).run(case.script);
    outcome.err().map(|wrong| format!("{}:\n  {wrong}", case.fact))
}

fn fail_with(wrong: Vec<String>) {
    assert!(wrong.is_empty(), "{} cases failed\n{}", wrong.len(), wrong.join("\n"));
}
