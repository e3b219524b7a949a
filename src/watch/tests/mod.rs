//! Watches over a wire that the test answers by hand, by a clock that the test turns.

mod ends;
mod file;
mod sharing;

use super::*;
use crate::config::{Config, Options};
use crate::error::Status;
use crate::runtime::TestClock;
use crate::sync::{Condvar, Mutex};
use crate::transport::{CancelToken, Done, Headers, OwnedRequest, Request, Response, Transport};
use std::collections::VecDeque;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Instant;

const PATIENCE: Duration = Duration::from_secs(60);

/// A request that waits for its answer.
pub(super) struct Asked {
    target: String,
    cancel: CancelToken,
    done: Done,
}

/// Keeps every request until the test answers it.
pub(super) struct Wire {
    endpoint: String,
    asked: Mutex<VecDeque<Asked>>,
    arrived: Condvar,
    count: AtomicUsize,
    closed: CancelToken,
}

impl Transport for Wire {
    fn exchange(&self, _: Request<'_>) -> Result<Response> {
        unreachable!("watches do not block")
    }

    fn start(self: Arc<Self>, request: OwnedRequest, cancel: CancelToken, done: Done) {
        if let Err(error) = self.closed.check() {
            return done(Err(error));
        }
        self.count.fetch_add(1, SeqCst);
        self.asked.lock().push_back(Asked { target: request.target, cancel, done });
        self.arrived.notify_all();
    }

    fn wait_closed(&self, _: Instant) -> bool {
        true
    }

    fn close(&self) {
        self.closed.cancel(Status::Closed, "the client is closed");
    }

    fn endpoint(&self) -> &str {
        &self.endpoint
    }
}

impl Wire {
    /// The next request, which must come.
    pub(super) fn next(&self) -> Asked {
        let until = Instant::now() + PATIENCE;
        let mut asked = self.asked.lock();
        loop {
            if let Some(asked) = asked.pop_front() {
                return asked;
            }
            assert!(!self.arrived.wait_until(&mut asked, until).timed_out(), "no request came");
        }
    }

    /// That no request comes while the lane looks at the clock several times.
    fn is_quiet(&self) -> bool {
        std::thread::sleep(Duration::from_millis(10));
        self.asked.lock().is_empty()
    }
}

impl Asked {
    fn index(&self) -> Option<u64> {
        let (_, rest) = self.target.split_once("index=")?;
        rest.split('&').next()?.parse().ok()
    }

    fn answer(self, status: u16, index: u64, body: impl Into<Vec<u8>>) {
        let mut headers = Headers::default();
        if index > 0 {
            headers = headers.with("X-Consul-Index", index);
        }
        (self.done)(Ok(Response { status, headers, body: body.into() }));
    }

    /// Answers with the key `a` of this value.
    pub(super) fn key(self, index: u64, value: &str) {
        self.answer(200, index, key(value));
    }

    fn fail(self) {
        (self.done)(Err(Error::new(Status::Connect, "refused")));
    }
}

fn key(value: &str) -> String {
    let value = base64_simd::STANDARD.encode_to_string(value);
    format!(r#"[{{"Key":"a","Value":"{value}","ModifyIndex":1}}]"#)
}

/// A client over a wire of its own, and its clock.
pub(super) fn bench() -> (Client, Arc<Wire>, Arc<TestClock>) {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let wire = Arc::new(Wire {
        endpoint: format!("wire-{}", NEXT.fetch_add(1, SeqCst)),
        asked: Mutex::default(),
        arrived: Condvar::new(),
        count: AtomicUsize::new(0),
        closed: CancelToken::new(),
    });
    let clock = Arc::new(TestClock::default());
    clock.advance(Duration::from_secs(1000));
    let config = Config::without_environment();
    (Client::for_test(&config, wire.clone(), clock.clone()), wire, clock)
}

/// What a watch told, in order.
#[derive(Clone, Default)]
struct Told(Arc<Mutex<Vec<Notice>>>);

impl Told {
    fn listener(&self) -> impl Fn(Notice) + Send + Sync + 'static {
        let told = self.clone();
        move |notice| told.0.lock().push(notice)
    }

    fn kinds(&self) -> Vec<NoticeKind> {
        self.0.lock().iter().map(|notice| notice.kind).collect()
    }
}

fn value(state: &State) -> Option<String> {
    let pair = state.content()?.pair("a")?;
    Some(String::from_utf8_lossy(&pair.value).into_owned())
}

pub(super) fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let started = Instant::now();
    while !holds() {
        assert!(started.elapsed() < PATIENCE, "{what}");
        std::thread::sleep(Duration::from_millis(1));
    }
}

use NoticeKind::*;

#[test]
fn a_key_is_followed_through_its_life() {
    let (client, wire, clock) = bench();
    let told = Told::default();
    let watch = client.watch_with(WatchSpec::key("a"), told.listener()).unwrap();
    assert_eq!((watch.freshness(), watch.version()), (Freshness::Pending, 0));
    let first = wire.next();
    assert_eq!(first.target, "/v1/kv/a");
    first.answer(404, 10, "");
    assert_eq!((watch.freshness(), watch.version()), (Freshness::Empty, 1));
    let second = wire.next();
    // Milliseconds on the wire, whatever unit a caller thinks in.
    assert_eq!(second.target, "/v1/kv/a?index=10&wait=30000ms");
    second.key(11, "1");
    assert_eq!((watch.freshness(), value(&watch.state())), (Freshness::Fresh, Some("1".into())));
    clock.advance(Duration::from_secs(30));
    wire.next().answer(404, 12, "");
    assert_eq!((watch.freshness(), watch.state().index()), (Freshness::Empty, 12));
    assert_eq!(told.kinds(), [Initial, Changed, Changed]);
    assert_eq!(wire.next().index(), Some(12));
}

#[test]
fn wake_ups_without_a_change_tell_nothing_and_move_nothing() {
    let (client, wire, clock) = bench();
    let told = Told::default();
    let watch = client.watch_with(WatchSpec::key("a"), told.listener()).unwrap();
    for index in 1..=100 {
        wire.next().key(index, "same");
        clock.advance(Duration::from_secs(1));
    }
    assert_eq!((told.kinds(), watch.version()), (vec![Initial], 1));
    assert_eq!(watch.stats().index, 100);
}

#[test]
fn an_index_that_went_back_is_not_waited_on_and_what_came_with_it_is_delivered() {
    let (client, wire, _) = bench();
    let watch = client.watch(WatchSpec::key("a")).unwrap();
    wire.next().key(100, "old");
    wire.next().key(50, "restored");
    assert_eq!(value(&watch.state()).as_deref(), Some("restored"));
    let settling = wire.next();
    assert_eq!(settling.index(), None);
    settling.key(50, "restored");
    assert_eq!(wire.next().index(), Some(50));
}

#[test]
fn failures_are_told_and_never_replace_data() {
    let (client, wire, clock) = bench();
    let told = Told::default();
    let watch = client.watch_with(WatchSpec::key("a"), told.listener()).unwrap();
    wire.next().key(5, "kept");
    clock.advance(Duration::from_secs(20));
    wire.next().fail();
    assert_eq!(watch.freshness(), Freshness::Stale(Duration::from_secs(20)));
    assert_eq!(value(&watch.state()).as_deref(), Some("kept"));
    assert!(wire.is_quiet());
    clock.advance(Duration::from_secs(10));
    let again = wire.next();
    assert_eq!(again.index(), None);
    again.answer(500, 0, "No cluster leader");
    clock.advance(Duration::from_secs(10));
    wire.next().key(5, "kept");
    assert_eq!(told.kinds(), [Initial, Failed, Failed, Recovered]);
    let notices = told.0.lock();
    let statuses: Vec<_> = notices.iter().flat_map(|n| &n.error).map(Error::status).collect();
    assert_eq!(statuses, [Status::Connect, Status::NoLeader]);
    assert_eq!(notices[1].age, Some(Duration::from_secs(20)));
    assert_eq!((watch.freshness(), watch.version()), (Freshness::Fresh, 1));
    assert_eq!(watch.stats().last_error.unwrap().status(), Status::NoLeader);
}

#[test]
fn what_is_too_old_is_refused_while_consul_cannot_be_asked() {
    let (client, wire, clock) = bench();
    let spec = WatchSpec::key("a").max_age(Duration::from_secs(40));
    let watch = client.watch(spec).unwrap();
    wire.next().key(5, "kept");
    clock.advance(Duration::from_secs(50));
    // Consul holds the query: it has not failed.
    assert!(watch.read().is_ok() && watch.stats().state == "fresh");
    wire.next().fail();
    let refused = watch.read().unwrap_err();
    assert_eq!((refused.status(), watch.stats().state), (Status::Connect, "expired"));
    assert!(refused.message().contains("50.0s ago is older than 40s"), "{refused}");
    assert_eq!(value(&watch.state()).as_deref(), Some("kept"));
    clock.advance(Duration::from_secs(10));
    wire.next().key(5, "kept");
    assert!(watch.read().is_ok());
    clock.advance(Duration::from_secs(20));
    wire.next().fail();
    assert!(watch.read().is_ok() && watch.stats().state == "stale");
    watch.stop();
    assert_eq!(watch.stats().state, "ended");
    clock.advance(Duration::from_secs(30));
    assert_eq!(watch.read().unwrap_err().status(), Status::Cancelled);
}

#[test]
fn ten_minutes_of_outage_cost_few_requests_and_end_by_themselves() {
    let (client, wire, clock) = bench();
    let watch = client.watch(WatchSpec::key("a")).unwrap();
    wire.next().key(5, "before");
    wire.next().fail();
    for _ in 0..600 {
        clock.advance(Duration::from_secs(1));
        while watch.0.watched.hub.is_asking() {
            wire.next().fail();
        }
    }
    let requests = wire.count.load(SeqCst);
    assert!((60..250).contains(&requests), "{requests} requests");
    assert!(watch.stats().consecutive_failures > 50);
    clock.advance(Duration::from_secs(10));
    wire.next().key(1, "after");
    assert_eq!(value(&watch.state()).as_deref(), Some("after"));
}

#[test]
fn what_changes_all_the_time_is_asked_for_at_a_rate_and_ends_at_its_last_value() {
    let (client, wire, clock) = bench();
    let watch = client.watch(WatchSpec::key("a").max_rate(10)).unwrap();
    let mut last = 0;
    for change in 1..=1000 {
        clock.advance(Duration::from_millis(1));
        if watch.0.watched.hub.is_asking() {
            wire.next().key(change, &change.to_string());
            last = change;
        }
    }
    let requests = wire.count.load(SeqCst);
    assert!(requests <= 10 + 10 + 1, "{requests} requests in a second");
    assert!(last > 500 && requests > 10);
    clock.advance(Duration::from_secs(1));
    wire.next().key(1000, "1000");
    assert_eq!(value(&watch.state()).as_deref(), Some("1000"));
}

#[test]
fn what_settles_is_delivered_when_its_time_has_come() {
    let (client, wire, clock) = bench();
    let told = Told::default();
    let spec = WatchSpec::key("a").settle(ms(100), ms(1000));
    let watch = client.watch_with(spec, told.listener()).unwrap();
    wire.next().key(1, "A");
    wire.next().key(2, "B");
    wire.next().key(3, "A");
    clock.advance(ms(500));
    let asked = wire.next();
    assert!(wire.is_quiet());
    assert_eq!(told.kinds(), [Initial]);
    asked.key(4, "C");
    assert_eq!(told.kinds(), [Initial]);
    clock.advance(ms(100));
    eventually("C is delivered", || told.kinds() == [Initial, Changed]);
    assert_eq!(value(&watch.state()).as_deref(), Some("C"));
}

#[test]
fn waiting_ends_with_news_or_with_its_time() {
    let (client, wire, _) = bench();
    let watch = client.watch(WatchSpec::key("a")).unwrap();
    let asked = wire.next();
    let error = watch.wait_ready(ms(1)).unwrap_err();
    assert_eq!(error.status(), Status::Timeout);
    assert!(error.message().contains("not answered"), "{error}");
    asked.fail();
    let error = watch.wait_ready(ms(1)).unwrap_err();
    assert!(error.message().contains("refused"), "{error}");
}

#[test]
fn a_service_list_in_another_order_is_the_same() {
    let (client, wire, _) = bench();
    let told = Told::default();
    let watch = client.watch_with(WatchSpec::service("web"), told.listener()).unwrap();
    let entry = |id: &str| format!(r#"{{"Node":{{"Node":"n"}},"Service":{{"ID":"{id}"}}}}"#);
    let (one, two) = (entry("web-1"), entry("web-2"));
    let asked = wire.next();
    assert_eq!(asked.target, "/v1/health/service/web?passing");
    asked.answer(200, 1, format!("[{one},{two}]"));
    wire.next().answer(200, 2, format!("[{two},{one}]"));
    assert_eq!(told.kinds(), [Initial]);
    wire.next().answer(200, 3, "[]");
    assert_eq!((told.kinds(), watch.freshness()), (vec![Initial, Changed], Freshness::Empty));
}

#[test]
fn a_large_answer_is_read_elsewhere_and_all_goes_on() {
    let (client, wire, _) = bench();
    let watch = client.watch(WatchSpec::prefix("")).unwrap();
    let pair = |n: usize| format!(r#"{{"Key":"{n:05}","Value":"{}"}}"#, "QUFB".repeat(50));
    for count in [2000, 2001] {
        let pairs: Vec<_> = (0..count).map(pair).collect();
        wire.next().answer(200, count as u64, format!("[{}]", pairs.join(",")));
        eventually("it is read", || watch.state().content().is_some_and(|c| c.len() == count));
    }
}

#[test]
fn a_foreign_404_is_no_word_that_there_is_no_key() {
    let (client, wire, _) = bench();
    let watch = client.watch(WatchSpec::key("a")).unwrap();
    wire.next().key(1, "x");
    wire.next().answer(404, 0, "<h1>Not Found</h1>");
    assert!(matches!(watch.freshness(), Freshness::Stale(_)));
    assert_eq!(value(&watch.state()).as_deref(), Some("x"));
}

#[test]
fn what_cannot_be_asked_is_refused_before_anything_is_sent() {
    let (client, wire, _) = bench();
    let bad = [
        (WatchSpec::key("/a"), "slash"),
        (WatchSpec::service(""), "empty"),
        (WatchSpec::path("/ui"), "/v1/"),
        (WatchSpec::key("a").settle(ms(5), ms(1)), "settle"),
        (WatchSpec::nodes().floor(100), "1 to 99"),
        (WatchSpec::nodes().max_rate(0), "1 to 1000"),
    ];
    for (spec, reason) in bad {
        let error = client.watch(spec).unwrap_err();
        assert_eq!(error.status(), Status::Argument);
        assert!(error.message().contains(reason), "{error}");
    }
    assert!(wire.is_quiet());
}

fn ms(time: u64) -> Duration {
    Duration::from_millis(time)
}
