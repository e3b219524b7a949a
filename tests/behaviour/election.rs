//! Elections on a real Consul: candidates that resign, die and come back, and who watches them.

use crate::clients::client_with;
use crate::quick::{PATIENCE, eventually, holder_at, none, quick, session, session_exists};
use crate::support::{Consul, unique};
use consul_ffi::recipes::election::{Election, ElectionSpec, Leadership, News};
use consul_ffi::recipes::lock::{LOCK_FLAG, LockSpec};
use consul_ffi::{Client, Status};
use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

const SECOND: Duration = Duration::from_secs(1);

/// A client that lets short TTLs pass. With a connection for each query that was given up, whose place
/// Consul keeps for a while: a watch would have to take turns otherwise.
fn client(address: &str) -> Client {
    client_with(address, &[("min_session_ttl_ms", "1000"), ("max_connections", "64")])
}

/// A candidate with a short TTL and no lock-delay.
fn spec(key: &str, value: &str) -> ElectionSpec {
    ElectionSpec::new(key).value(value).session_spec(session())
}

fn candidate(client: &Client, key: &str, value: &str) -> Election {
    client.election(spec(key, value)).unwrap()
}

fn observer(client: &Client, key: &str) -> Election {
    client.election(ElectionSpec::new(key).observe_only(true)).unwrap()
}

fn elected(election: &Election) {
    assert!(election.wait_elected(PATIENCE).unwrap(), "{:?}", election.stats());
}

/// What the leader wrote, in the eyes of this one.
fn value(election: &Election) -> Option<String> {
    let leader = election.leadership().leader?;
    Some(String::from_utf8(leader.value).unwrap())
}

fn heard(election: &Election) -> Receiver<News> {
    let (told, hears) = channel();
    let told = std::sync::Mutex::new(told);
    let listener = move |news| {
        let _ = told.lock().unwrap().send(news);
    };
    election.set_listener(Some(Box::new(listener))).unwrap();
    hears
}

#[test]
fn of_three_candidates_one_leads_and_each_that_resigns_is_followed_at_once() {
    let Some(consul) = quick() else { return };
    let clients: Vec<_> = (0..3).map(|_| client(&consul.address())).collect();
    let key = unique("election");
    let watching = observer(&clients[0], &key);
    // A lock-delay that would be noticed.
    let slow = |name| spec(&key, name).session_spec(session().lock_delay(SECOND * 60));
    let mut candidates: Vec<_> = clients
        .iter()
        .zip(["a", "b", "c"])
        .map(|(c, name)| c.election(slow(name)).unwrap())
        .collect();
    let mut tokens = Vec::new();
    for left in (1..=3).rev() {
        eventually("one leads", || candidates.iter().any(|each| each.is_leader()));
        let leaders: Vec<_> = (0..left).filter(|&i| candidates[i].is_leader()).collect();
        assert_eq!(leaders.len(), 1);
        let leader = candidates.remove(leaders[0]);
        let leadership = leader.leadership();
        assert!(leadership.is_self);
        let own = leadership.leader.unwrap();
        assert_eq!(holder_at(consul, &key), Some(own.session.clone()));
        let seen = || watching.leadership().leader.filter(|seen| seen.session == own.session);
        eventually("the observer sees it", || seen().is_some());
        let seen = seen().unwrap();
        assert_eq!((&seen.value, Some(seen.modify_index)), (&own.value, leader.fencing_token()));
        assert_eq!(seen.node, consul.node());
        assert!(!watching.leadership().is_self);
        tokens.extend(leader.fencing_token());
        leader.resign().unwrap();
        assert!(!leader.is_leader() && !session_exists(consul, &own.session));
    }
    assert!(tokens.is_sorted_by(|a, b| a < b), "{tokens:?}");
    eventually("nobody leads", || watching.leadership().leader.is_none());
}

#[test]
fn an_observer_sees_the_last_state_of_every_change_and_nobody_in_between() {
    let Some(consul) = quick() else { return };
    let client = client(&consul.address());
    let key = unique("election");
    let watching = observer(&client, &key);
    let nobody = watching.wait_change(0, PATIENCE).unwrap().unwrap();
    assert_eq!(nobody, Leadership { version: 1, leader: None, is_self: false });
    let mut version = nobody.version;
    for round in 0..5 {
        let leader = candidate(&client, &key, &format!("v{round}"));
        elected(&leader);
        leader.set_value(format!("w{round}")).unwrap();
        let last = || value(&watching) == Some(format!("w{round}"));
        eventually("the last value is seen", last);
        assert!(watching.leadership().version > version);
        leader.resign().unwrap();
        eventually("nobody leads", || value(&watching).is_none());
        assert!(watching.leadership().version > version + 1);
        version = watching.leadership().version;
    }
    // Nothing changed: there is nothing to be told.
    assert_eq!(watching.wait_change(version, SECOND / 10).unwrap(), None);
}

#[test]
fn a_leader_that_loses_its_session_or_its_key_leads_again_with_a_greater_token() {
    let Some(consul) = quick() else { return };
    let client = client(&consul.address());
    let key = unique("election");
    let election = candidate(&client, &key, "a");
    let hears = heard(&election);
    elected(&election);
    let mut token = election.fencing_token();
    for round in 0..2 {
        if round == 0 {
            let id = election.session_id().unwrap();
            consul.put(&format!("/v1/session/destroy/{id}"), "");
        } else {
            consul.delete(&format!("/v1/kv/{key}"));
        }
        let mut news = BTreeSet::new();
        while !news.contains("lost") {
            news.insert(match hears.recv_timeout(PATIENCE).unwrap() {
                News::Lost(error) if error.status() == Status::LockLost => "lost",
                News::Won => "won",
                _ => "changed",
            });
        }
        eventually("it leads again", || election.is_leader() && election.fencing_token() > token);
        token = election.fencing_token();
    }
}

#[test]
fn a_campaign_begun_before_consul_wins_and_goes_on_when_consul_starts_anew() {
    let Some(consul) = Consul::with_hcl("session_ttl_min = \"1s\"") else { return };
    consul.kill();
    let client = client(&consul.address());
    let key = unique("election");
    let election = candidate(&client, &key, "a");
    let watching = observer(&client, &key);
    eventually("it has tried", || election.stats().consecutive_failures > 0);
    assert!(!election.is_leader() && election.leadership() == Leadership::default());
    consul.restart();
    elected(&election);
    eventually("it is seen", || value(&watching).as_deref() == Some("a"));
    let session = election.session_id();
    // It comes back with nothing of what it knew.
    consul.restart();
    eventually("it leads anew", || election.is_leader() && election.session_id() != session);
    let id = election.session_id().unwrap();
    let seen = || watching.leadership().leader.is_some_and(|leader| leader.session == id);
    eventually("it is seen anew", seen);
    assert_eq!(holder_at(&consul, &key), Some(id));
}

#[test]
fn a_key_that_an_older_program_wrote_is_taken_and_one_of_another_use_is_not() {
    let Some(consul) = quick() else { return };
    let client = client(&consul.address());
    let key = unique("election");
    consul.put(&format!("/v1/kv/{key}"), "node-0");
    let election = candidate(&client, &key, "node-1");
    elected(&election);
    let pair = client.kv().get(&key, &none()).unwrap().value.unwrap();
    assert_eq!((pair.value.as_slice(), pair.flags), (&b"node-1"[..], LOCK_FLAG));
    election.resign().unwrap();

    consul.put(&format!("/v1/kv/{key}?flags=42"), "data");
    election.campaign().unwrap();
    let refused =
        || election.stats().last_error.is_some_and(|e| e.status() == Status::LockConflict);
    eventually("it is refused", refused);
    assert!(!election.is_leader());
    // Somebody makes room for it.
    consul.delete(&format!("/v1/kv/{key}"));
    elected(&election);
}

#[test]
fn an_ephemeral_key_is_absent_after_a_resignation_and_after_a_loss() {
    let Some(consul) = quick() else { return };
    let client = client(&consul.address());
    let key = unique("election");
    let there = || client.kv().get(&key, &none()).unwrap().value.is_some();
    let election = client.election(spec(&key, "a").ephemeral(true)).unwrap();
    elected(&election);
    assert!(there());
    election.resign().unwrap();
    assert!(!there());
    let lock = client
        .lock(
            LockSpec::new(&key)
                .session_spec(session().behavior(consul_ffi::api::session::Behavior::Delete)),
        )
        .unwrap();
    assert!(lock.acquire(PATIENCE).unwrap() && there());
    lock.release().unwrap();
    assert!(!there());
    election.campaign().unwrap();
    elected(&election);
    let (hears, id) = (heard(&election), election.session_id().unwrap());
    let watching = observer(&client, &key);
    assert!(watching.wait_leader(PATIENCE).unwrap().is_some());
    consul.put(&format!("/v1/session/destroy/{id}"), "");
    while !matches!(hears.recv_timeout(PATIENCE).unwrap(), News::Lost(_)) {}
    election.resign().unwrap();
    assert!(!there());
    eventually("the observer sees that nobody leads", || value(&watching).is_none());
}

#[test]
fn a_closed_client_leaves_no_leader_behind() {
    let Some(consul) = quick() else { return };
    let client = client(&consul.address());
    let keys: Vec<_> = (0..5).map(|_| unique("election")).collect();
    let elections: Vec<_> = keys.iter().map(|key| candidate(&client, key, "a")).collect();
    elections.iter().for_each(elected);
    client.close(PATIENCE).unwrap();
    assert!(keys.iter().all(|key| holder_at(consul, key).is_none()));
    assert!(elections.iter().all(|each| !each.is_leader()));
}

/// Not a test: the other process. Leads until it is killed or its input ends.
#[test]
#[ignore = "run by the tests of this file"]
fn other_process() {
    let Ok(address) = std::env::var("ELECTION_ADDRESS") else { return };
    let key = std::env::var("ELECTION_KEY").unwrap();
    let election = client(&address).election(mortal(&key, "other")).unwrap();
    elected(&election);
    println!("it leads");
    let _ = std::io::stdin().read(&mut [0]);
}

/// A candidate whose death is noticed soon.
fn mortal(key: &str, value: &str) -> ElectionSpec {
    spec(key, value).session_ttl(SECOND).lock_delay(SECOND)
}

struct Other(Child);

impl Other {
    /// Starts it, and waits until it leads.
    fn leading(consul: &Consul, key: &str) -> Other {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "election::other_process", "--ignored", "--nocapture"])
            .env("ELECTION_ADDRESS", consul.address())
            .env("ELECTION_KEY", key)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let output: BufReader<ChildStdout> = BufReader::new(child.stdout.take().unwrap());
        let other = Other(child);
        let mut lines = output.lines().map(Result::unwrap);
        assert!(lines.any(|line| line.contains("it leads")), "it ended without leading");
        other
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_leader_that_is_killed_is_followed_after_its_ttl_and_lock_delay() {
    let Some(consul) = quick() else { return };
    let client = client(&consul.address());
    let key = unique("election");
    let other = Other::leading(consul, &key);
    let followers = [spec(&key, "one"), spec(&key, "two")];
    let followers = followers.map(|spec| client.election(spec).unwrap());
    let seen = followers[0].wait_leader(PATIENCE).unwrap().unwrap();
    let dead = seen.leader.unwrap();
    assert_eq!(dead.value, b"other");
    let killed = Instant::now();
    drop(other);
    eventually("another one leads", || followers.iter().any(|each| each.is_leader()));
    // Consul has kept the key for the lock-delay at least.
    assert!(killed.elapsed() >= SECOND, "{:?}", killed.elapsed());
    assert_eq!(followers.iter().filter(|each| each.is_leader()).count(), 1);
    let tokens = followers.iter().filter_map(|each| each.fencing_token());
    assert!(tokens.min() > Some(dead.modify_index));
}
