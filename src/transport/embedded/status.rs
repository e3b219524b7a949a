//! `/v1/status/`: who leads, and which servers there are.

use super::state::State;
use super::wait::Options;
use super::wire::{Answer, Outcome, Wire};

/// Where the one server of an embedded agent would listen for the others.
const SERVER: &str = "127.0.0.1:8300";

pub(super) fn leader(state: &mut State, wire: &Wire) -> Outcome<Answer> {
    Options::parse(wire)?;
    wire.check_datacenter()?;
    Ok(Answer::json(&if state.has_leader { SERVER } else { "" }))
}

pub(super) fn peers(_: &mut State, wire: &Wire) -> Outcome<Answer> {
    Options::parse(wire)?;
    wire.check_datacenter()?;
    Ok(Answer::json(&[SERVER]))
}
