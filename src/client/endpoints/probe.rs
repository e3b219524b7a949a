//! Asks, in the background, those that failed whether they serve again, and the one in use whether it
//! still does when nothing was heard of it; the others, too, when one has failed. A client with one address has none of this.

use super::{Condition, Endpoint, Endpoints, Judged, Outcome};
use crate::client::Accept;
use crate::error::{Result, Status};
use crate::runtime::{self, Jitter};
use crate::sync::Mutex;
use crate::transport::{CancelToken, Lane, Method, OwnedRequest};
use std::sync::atomic::{AtomicBool, Ordering::*};
use std::sync::{Arc, Weak};
use std::task::Waker;
use std::time::{Duration, Instant};

/// Gives the leader's address, and an empty one where there is none
/// (<https://developer.hashicorp.com/consul/api-docs/status#get-raft-leader>). It needs no token.
const QUESTION: &str = "/v1/status/leader";

/// The longest answer to it that is read.
const MAX_ANSWER: u64 = 64 * 1024;

/// How soon one that failed is asked, and again after each failed probe, up to the interval.
const SOON: Duration = Duration::from_millis(100);

pub(super) struct Prober {
    started: AtomicBool,
    closing: CancelToken,
    alarm: Arc<Alarm>,
    jitter: Jitter,
}

/// What has it ask at once.
#[derive(Default)]
struct Alarm {
    hurried: AtomicBool,
    sleeper: Mutex<Option<Waker>>,
}

impl Prober {
    pub(super) fn new() -> Prober {
        Prober {
            started: AtomicBool::new(false),
            closing: CancelToken::new(),
            alarm: Arc::default(),
            jitter: Jitter::new(),
        }
    }

    pub(super) fn start(&self, endpoints: &Arc<Endpoints>) {
        if self.started.load(Acquire) || self.started.swap(true, AcqRel) {
            return;
        }
        let (weak, alarm) = (Arc::downgrade(endpoints), self.alarm.clone());
        let (closing, interval) = (self.closing.clone(), endpoints.interval);
        let unit = self.jitter.unit();
        runtime::spawn(async move { watch(weak, &alarm, &closing, interval, unit).await }, drop);
    }

    /// Has it ask those that failed at once.
    pub(super) fn hurry(&self) {
        if !self.alarm.hurried.swap(true, AcqRel) {
            let sleeper = self.alarm.sleeper.lock().take();
            if let Some(sleeper) = sleeper {
                sleeper.wake();
            }
        }
    }

    pub(super) fn close(&self) {
        self.closing.cancel(Status::Closed, "the client is closed");
    }
}

/// Ends when the client does.
async fn watch(
    endpoints: Weak<Endpoints>,
    alarm: &Alarm,
    closing: &CancelToken,
    interval: Duration,
    unit: f64,
) -> Result<()> {
    // Many clients that were started together do not ask together.
    let mut pause = interval.mul_f64(0.75 + 0.25 * unit);
    let mut failing = SOON;
    loop {
        sleep(alarm, closing, pause).await?;
        let hurried = alarm.hurried.swap(false, AcqRel);
        let Some(endpoints) = endpoints.upgrade() else { return Ok(()) };
        for endpoint in due(&endpoints, interval, hurried) {
            probe(&endpoints, endpoint, closing);
        }
        let well = endpoints.all.iter().all(|endpoint| endpoint.condition() == Condition::Up);
        pause = if well { interval } else { failing.min(interval) };
        failing = if well { SOON } else { (failing * 2).min(interval) };
    }
}

async fn sleep(alarm: &Alarm, closing: &CancelToken, time: Duration) -> Result<()> {
    let io = runtime::io::Io::get()?;
    let end = Instant::now() + time;
    let mut timer = None;
    runtime::until(closing, |waker| {
        *alarm.sleeper.lock() = Some(waker.clone());
        if alarm.hurried.load(Acquire) || Instant::now() >= end {
            return Some(());
        }
        timer = Some(io.wake_at(end, waker));
        None
    })
    .await
}

/// Those that do not serve, and the one in use where it is silent. When one has just failed, also the
/// others that are silent: what goes elsewhere now shall not go to one that hangs.
fn due(endpoints: &Endpoints, interval: Duration, one_failed: bool) -> Vec<Arc<Endpoint>> {
    let in_use = endpoints.in_use();
    let is_silent = |endpoint: &Endpoint| {
        let last = endpoint.contact.reachability().last_answer;
        last.is_none_or(|last| last >= interval)
    };
    let is_due = |endpoint: &&Arc<Endpoint>| {
        endpoint.condition() != Condition::Up
            || ((one_failed || Arc::ptr_eq(endpoint, in_use)) && is_silent(endpoint))
    };
    endpoints.all.iter().filter(is_due).cloned().collect()
}

fn probe(endpoints: &Arc<Endpoints>, endpoint: Arc<Endpoint>, closing: &CancelToken) {
    if !endpoint.begin_probe() {
        return;
    }
    let deadline = Instant::now() + endpoints.patience;
    let request = OwnedRequest {
        method: Method::Get,
        target: QUESTION.to_string(),
        headers: Vec::new(),
        body: None,
        deadline,
        connect_by: deadline,
        replay: true,
        max_answer: MAX_ANSWER,
        lane: Lane::Upkeep,
        gone: None,
    };
    let (transport, endpoints) = (endpoint.transport.clone(), Arc::downgrade(endpoints));
    let done = move |answer| {
        endpoint.contact.heard(&answer);
        let judged = Judged::new(answer, Accept::Success, endpoint.shown());
        let has_leader = match judged.outcome(true) {
            Outcome::Served { .. } => Some(Ok(names_a_leader(&judged))),
            // One that limits us is there.
            Outcome::Limited { .. } => Some(Ok(true)),
            Outcome::NoLeader(_) => Some(Ok(false)),
            Outcome::Slow(error) | Outcome::Unreachable(error) => Some(Err(error.clone())),
            Outcome::NotItsFault => None,
        };
        let changed = endpoint.end_probe(has_leader);
        if let Some(endpoints) = endpoints.upgrade().filter(|_| changed) {
            endpoints.tell();
        }
    };
    transport.start(request, closing.clone(), Box::new(done));
}

/// An answer that is none, of a proxy for example, says nothing against it.
fn names_a_leader(judged: &Judged) -> bool {
    judged.answer.as_ref().map_or(true, |response| response.body.trim_ascii() != b"\"\"")
}
