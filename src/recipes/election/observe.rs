//! Follows who leads.

use super::campaign::unless;
use super::leadership::Leader;
use super::shared::Shared;
use crate::error::Result;
use crate::transport::CancelToken;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// For how long the news of a leader waits for the name of its node.
const PATIENCE: Duration = Duration::from_secs(2);

/// Goes on until it is cancelled.
pub(super) async fn run(election: &Arc<Shared>, cancel: &CancelToken) -> Result<()> {
    let mut seen = 0;
    loop {
        let newer = || Some(election.watch.state()).filter(|state| state.version() > seen);
        let state = election.signal.until(cancel, |_| newer()).await?;
        seen = state.version();
        let pair = state.content().and_then(|content| content.pair(election.key()));
        let mut leader = pair.and_then(Leader::of);
        if let Some(leader) = &mut leader {
            leader.node = node_of(election, &leader.session, cancel).await?;
        }
        election.publish(leader);
    }
}

/// The node of a session; empty when it cannot be told.
async fn node_of(election: &Shared, session: &str, cancel: &CancelToken) -> Result<String> {
    if let Some(known) = election.node_of(session) {
        return Ok(known);
    }
    let client = election.client.on_upkeep().until(Instant::now() + PATIENCE).deferred();
    let call = client.session().info(session, &election.spec.options)?;
    let answer = unless(cancel, call).await;
    cancel.check()?;
    let found = answer.ok().and_then(|answer| answer.value);
    Ok(found.map(|session| session.node).unwrap_or_default())
}
