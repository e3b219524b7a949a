//! Clusters under a clock that the tests turn.

use super::*;
use crate::error::Status;
use crate::recipes::testing::{Fate, PATIENCE, Seen, World, world};
use crate::sync::Mutex;

const OWN: &str = "tsdb/cluster/nodes/a";

/// After this the key of one that died is deleted.
const LONG: Duration = Duration::from_secs(600);

impl World {
    /// A member `a`, which sees itself.
    fn join(&self) -> Cluster {
        let cluster = self.client.join_cluster(spec()).unwrap();
        self.eventually("joined", || is(&cluster, "a", MemberState::Alive));
        cluster
    }

    /// Somebody else who lives.
    fn add(&self, id: &str) -> String {
        let session = self.consul.add_session();
        self.hold(id, &session);
        session
    }

    fn hold(&self, id: &str, session: &str) {
        let value = format!(r#"{{"id":"{id}","address":"{id}.example:7000","weight":1}}"#);
        self.consul.grant_with(&format!("tsdb/cluster/nodes/{id}"), &value, session);
    }
}

/// A member of long life that does not run for leader.
fn spec() -> ClusterSpec {
    ClusterSpec::new("a", "a.example:7000").ttl(Duration::from_secs(3600)).campaigns(false)
}

fn is(cluster: &Cluster, id: &str, state: MemberState) -> bool {
    cluster.state().member(id).is_some_and(|member| member.state == state)
}

fn ring(cluster: &Cluster) -> Vec<String> {
    cluster.state().ring().nodes().iter().map(|node| node.name().to_string()).collect()
}

/// What a cluster tells, in words.
fn heard(cluster: &Cluster) -> Arc<Mutex<Vec<String>>> {
    let heard: Arc<Mutex<Vec<String>>> = Arc::default();
    let ids = |members: &[Member]| {
        members.iter().map(|member| member.id.clone()).collect::<Vec<_>>().join(",")
    };
    let hears = heard.clone();
    let listener = move |news: ClusterNews| {
        hears.lock().push(match news {
            ClusterNews::Joined(members) => format!("joined {}", ids(&members)),
            ClusterNews::Left(members) => format!("left {}", ids(&members)),
            ClusterNews::Changed(members) => format!("changed {}", ids(&members)),
            ClusterNews::Leader(leader) => format!("leader {leader:?}"),
            ClusterNews::Ring => "ring".to_string(),
            ClusterNews::Ended(error) => format!("ended {:?}", error.status()),
        });
    };
    cluster.set_listener(Some(Box::new(listener))).unwrap();
    heard
}

#[test]
fn it_holds_a_key_of_its_own_with_what_it_says_of_itself() {
    let bench = world();
    let cluster = bench.client.join_cluster(spec().weight(3).metadata("rack", "r1")).unwrap();
    bench.eventually("joined", || cluster.wait_joined(Duration::ZERO).is_ok());
    let json = r#"{"id":"a","address":"a.example:7000","weight":3,"metadata":{"rack":"r1"}}"#;
    assert_eq!(bench.consul.value(OWN).unwrap(), json);
    let state = cluster.state();
    let member = state.member("a").unwrap();
    assert_eq!((member.weight, member.metadata["rack"].as_str()), (3, "r1"));
    assert_eq!(member.session, bench.consul.holder(OWN));
    assert_eq!(state.node_for_key(b"key"), Some(member));
    assert_eq!(cluster.stats().state, "joined");
    let create = &bench.wire.seen("create")[0].body;
    assert!(create.contains(r#""LockDelay":"0s""#) && create.contains("release"), "{create}");
    // F5: nothing that more than one of them writes.
    assert!(bench.wire.seen("txn").iter().all(|seen| seen.body.contains(OWN)));
    assert_eq!(bench.wire.seen("PUT /v1/kv").len(), 0);
}

#[test]
fn it_may_begin_while_consul_is_away() {
    let bench = world();
    bench.wire.judge(|_| Fate::Fail);
    let cluster = bench.client.join_cluster(spec()).unwrap();
    bench.wire.wait_seen("create", 1);
    let error = cluster.wait_joined(Duration::ZERO).unwrap_err();
    assert_eq!((error.status(), cluster.state().version()), (Status::Timeout, 0));
    assert_eq!(cluster.state().node_for_key(b"key"), None);
    bench.wire.heal();
    bench.eventually("joined", || cluster.wait_joined(Duration::ZERO).is_ok());
}

#[test]
fn an_answer_that_gets_lost_leaves_one_member() {
    let bench = world();
    bench.wire.fate("txn", Fate::LoseAnswer);
    let cluster = bench.client.join_cluster(spec()).unwrap();
    bench.wire.wait_seen("txn", 1);
    bench.wire.heal();
    bench.eventually("joined", || cluster.stats().state == "joined");
    assert_eq!(bench.consul.sessions().len(), 1);
    assert_eq!(bench.consul.holder(OWN), bench.consul.sessions().first().cloned());
}

#[test]
fn an_id_that_somebody_has_is_joined_when_that_one_is_gone() {
    let bench = world();
    let other = bench.add("a");
    let cluster = bench.client.join_cluster(spec()).unwrap();
    bench.eventually("refused", || cluster.stats().last_error.is_some());
    assert_eq!(cluster.stats().last_error.unwrap().status(), Status::AlreadyHeld);
    assert!(cluster.wait_joined(Duration::ZERO).unwrap_err().message().contains("another session"));
    bench.consul.end_session(&other);
    bench.eventually("joined", || cluster.wait_joined(Duration::ZERO).is_ok());
}

#[test]
fn who_dies_is_suspect_and_then_gone_and_its_keys_alone_move() {
    let bench = world();
    let (cluster, b) = (bench.join(), bench.add("b"));
    bench.add("c");
    bench.eventually("three", || ring(&cluster) == ["a", "b", "c"]);
    let heard = heard(&cluster);
    let owner = |n: u32| cluster.state().node_for_key(&n.to_le_bytes()).unwrap().id.clone();
    let before: Vec<String> = (0..1000).map(owner).collect();
    bench.consul.end_session(&b);
    bench.eventually("suspect", || is(&cluster, "b", MemberState::Suspect));
    assert_eq!((cluster.state().living(), ring(&cluster).len()), (2, 3));
    bench.eventually("left", || is(&cluster, "b", MemberState::Left));
    let after: Vec<String> = (0..1000).map(owner).collect();
    for (before, after) in before.iter().zip(&after) {
        assert!(after != "b" && (before == after || before == "b"), "{before} to {after}");
    }
    // A state can be seen before it is told.
    bench.eventually("told", || *heard.lock() == ["changed b", "left b", "ring"]);
    assert_eq!(cluster.state().replicas_for_key(b"key", 5).len(), 2);
}

#[test]
fn the_key_of_who_died_is_deleted_when_it_has_not_come_back_for_long() {
    let bench = world();
    let key = "tsdb/cluster/nodes/b";
    let (cluster, b, first) = (bench.join(), bench.add("b"), bench.add("0"));
    bench.add("c");
    bench.add("d");
    bench.eventually("five", || ring(&cluster).len() == 5);
    bench.consul.end_session(&b);
    bench.eventually("left", || is(&cluster, "b", MemberState::Left));
    bench.clock.advance(LONG);
    // One of them does it, and this one is not the first of those that live.
    bench.add("e");
    bench.eventually("settled", || is(&cluster, "e", MemberState::Alive));
    assert!(bench.wire.seen("DELETE").is_empty() && bench.consul.has_key(key));
    bench.consul.end_session(&first);
    bench.eventually("left", || is(&cluster, "0", MemberState::Left));
    bench.clock.advance(LONG);
    bench.eventually("deleted", || !bench.consul.has_key(key));
    bench.eventually("the other one too", || !bench.consul.has_key("tsdb/cluster/nodes/0"));
    // Those that live are left alone.
    assert_eq!(bench.consul.keys("tsdb/cluster/nodes/").len(), 4);
    assert_eq!(ring(&cluster), ["a", "c", "d", "e"]);
}

#[test]
fn who_comes_back_as_its_key_is_being_deleted_keeps_it() {
    let bench = world();
    let (cluster, b) = (bench.join(), bench.add("b"));
    bench.add("c");
    bench.eventually("three", || ring(&cluster).len() == 3);
    bench.consul.end_session(&b);
    bench.eventually("left", || is(&cluster, "b", MemberState::Left));
    let (consul, again) = (bench.consul.clone(), bench.consul.add_session());
    bench.wire.judge(move |seen| {
        if seen.line.contains("DELETE") {
            consul.grant_with("tsdb/cluster/nodes/b", "{}", &again);
        }
        Fate::Pass
    });
    bench.clock.advance(LONG);
    bench.eventually("back", || is(&cluster, "b", MemberState::Suspect));
    assert_eq!(bench.wire.seen("DELETE").len(), 1);
    assert!(bench.consul.has_key("tsdb/cluster/nodes/b"));
}

#[test]
fn who_flaps_does_not_reshuffle_the_ring() {
    let bench = world();
    let (cluster, mut b) = (bench.join(), bench.add("b"));
    bench.add("c");
    bench.eventually("three", || ring(&cluster).len() == 3);
    let before = cluster.state().ring().version();
    for _ in 0..4 {
        bench.consul.end_session(&b);
        bench.eventually("suspect", || is(&cluster, "b", MemberState::Suspect));
        b = bench.add("b");
        bench.eventually("alive", || is(&cluster, "b", MemberState::Alive));
    }
    assert_eq!(cluster.state().ring().version(), before);
}

#[test]
fn the_last_ring_stays_while_consul_is_away_or_has_lost_everything() {
    let bench = world();
    let (cluster, b) = (bench.join(), bench.add("b"));
    bench.eventually("two", || ring(&cluster).len() == 2);
    let before = cluster.state();
    bench.wire.judge(|_| Fate::Fail);
    // Ends the query that waits.
    bench.consul.put("elsewhere", "", 0);
    bench.eventually("an error", || cluster.age().is_some_and(|age| age.as_secs() > 60));
    assert!(Arc::ptr_eq(&before, &cluster.state()));
    bench.consul.end_session(&b);
    bench.consul.end_session(&before.member("a").unwrap().session.clone().unwrap());
    bench.consul.delete_key(OWN);
    bench.consul.delete_key("tsdb/cluster/nodes/b");
    // Its list is empty, and it cannot join.
    bench.wire.fate("create", Fate::Fail);
    bench.eventually("empty", || cluster.state().version() > before.version());
    assert_eq!((cluster.state().living(), ring(&cluster)), (0, ring_of(&before)));
    assert!(cluster.state().node_for_key(b"key").is_some() && !cluster.has_enough_nodes());
    bench.wire.heal();
    bench.add("b");
    bench.eventually("back", || cluster.state().living() == 2);
    assert_eq!(cluster.state().ring().version(), before.ring().version());
}

fn ring_of(state: &ClusterState) -> Vec<String> {
    state.ring().nodes().iter().map(|node| node.name().to_string()).collect()
}

#[test]
fn a_session_that_ends_is_followed_by_another_one() {
    let bench = world();
    let cluster = bench.join();
    let (ring, session) = (cluster.state().ring().version(), bench.consul.holder(OWN).unwrap());
    bench.consul.end_session(&session);
    bench.eventually("another", || {
        bench.consul.holder(OWN).is_some_and(|holder| holder != session)
            && cluster.wait_joined(Duration::ZERO).is_ok()
    });
    assert_eq!(cluster.state().ring().version(), ring);
}

#[test]
fn what_is_lost_before_the_join_is_answered_is_taken_again() {
    let bench = world();
    bench.wire.fate("PUT /v1/txn", Fate::HoldAnswer);
    let cluster = bench.client.join_cluster(spec()).unwrap();
    // The watch sees both before the answer comes.
    bench.eventually("seen", || is(&cluster, "a", MemberState::Alive));
    let session = bench.consul.holder(OWN).unwrap();
    bench.consul.end_session(&session);
    bench.eventually("lost", || !is(&cluster, "a", MemberState::Alive));
    bench.wire.heal();
    bench.eventually("another", || {
        bench.consul.holder(OWN).is_some_and(|holder| holder != session)
            && cluster.wait_joined(Duration::ZERO).is_ok()
    });
}

#[test]
fn a_key_that_somebody_deletes_or_takes_is_taken_again() {
    let bench = world();
    let cluster = bench.join();
    bench.consul.delete_key(OWN);
    bench.eventually("again", || {
        bench.consul.holder(OWN).is_some() && is(&cluster, "a", MemberState::Alive)
    });
    let other = bench.add("a");
    bench.eventually("noticed", || cluster.stats().state == "joining");
    bench.consul.end_session(&other);
    bench.eventually("back", || {
        bench.consul.holder(OWN).is_some() && cluster.stats().state == "joined"
    });
    assert_eq!(bench.consul.sessions().len(), 1);
}

#[test]
fn it_leaves_at_once_and_tells_so() {
    let bench = world();
    let cluster = bench.join();
    let heard = heard(&cluster);
    cluster.leave().unwrap();
    assert!(bench.consul.value(OWN).is_none() && bench.consul.sessions().is_empty());
    assert_eq!(cluster.stats().state, "left");
    assert_eq!(*heard.lock(), ["ended Cancelled"]);
    cluster.leave().unwrap();
    let refused = cluster.set_listener(None).unwrap_err().status();
    assert_eq!(refused, Status::Cancelled);
    assert_eq!(cluster.set_weight(2).unwrap_err().status(), Status::Cancelled);
    let waited = cluster.wait_change(u64::MAX, Duration::MAX).err().unwrap();
    assert_eq!(waited.status(), Status::Cancelled);
    // What was found stays to be read.
    assert!(cluster.state().node_for_key(b"key").is_some());
}

#[test]
fn leaving_goes_on_in_the_background_when_it_fails() {
    let bench = world();
    let cluster = bench.join();
    bench.wire.fate("txn", Fate::Fail);
    assert_eq!(cluster.leave().unwrap_err().status(), Status::Http);
    assert_eq!(cluster.stats().state, "leaving");
    bench.wire.heal();
    bench.eventually("left", || cluster.stats().state == "left");
    assert!(bench.consul.value(OWN).is_none() && bench.consul.sessions().is_empty());
}

#[test]
fn a_key_that_is_somebody_elses_is_not_deleted() {
    let bench = world();
    let cluster = bench.join();
    let other = bench.consul.add_session();
    bench.hold("a", &other);
    cluster.leave().unwrap();
    assert_eq!(bench.consul.holder(OWN), Some(other));
}

#[test]
fn dropped_or_with_its_client_closed_it_leaves() {
    let bench = world();
    drop(bench.join());
    bench.eventually("left", || bench.consul.sessions().is_empty());
    assert!(bench.consul.value(OWN).is_none());
    let bench = world();
    let cluster = bench.join();
    bench.client.close(PATIENCE).unwrap();
    assert!(bench.consul.value(OWN).is_none() && bench.consul.sessions().is_empty());
    assert!(cluster.wait_change(u64::MAX, Duration::MAX).is_err());
}

#[test]
fn a_client_that_is_shut_down_ends_it_and_sends_nothing() {
    let bench = world();
    let cluster = bench.join();
    let heard = heard(&cluster);
    bench.client.shutdown();
    assert_eq!(*heard.lock(), ["ended Closed"]);
    assert_eq!(bench.wire.seen("destroy").len(), 0);
    assert_eq!(bench.client.join_cluster(spec()).err().unwrap().status(), Status::Closed);
}

#[test]
fn what_it_says_of_itself_can_change() {
    let bench = world();
    let cluster = bench.join();
    let heard = heard(&cluster);
    cluster.set_weight(5).unwrap();
    bench.eventually("heavier", || cluster.state().member("a").unwrap().weight == 5);
    cluster.set_metadata("role", Some("store")).unwrap();
    bench.eventually("said", || !cluster.state().member("a").unwrap().metadata.is_empty());
    cluster.set_metadata("role", None).unwrap();
    bench.eventually("taken back", || cluster.state().member("a").unwrap().metadata.is_empty());
    // A state can be seen before it is told.
    bench.eventually("told", || *heard.lock() == ["changed a", "ring", "changed a", "changed a"]);
    assert!(cluster.set_weight(0).is_err());
    assert!(cluster.set_metadata("a\0", Some("")).is_err());
    let writes = bench.wire.seen("txn").len();
    cluster.set_weight(5).unwrap();
    assert_eq!(bench.wire.seen("txn").len(), writes);
}

#[test]
fn others_are_heard_of_as_they_come_and_go() {
    let bench = world();
    let cluster = bench.client.join_cluster(spec().min_nodes(2)).unwrap();
    bench.eventually("joined", || cluster.wait_joined(Duration::ZERO).is_ok());
    let heard = heard(&cluster);
    assert!(!cluster.has_enough_nodes());
    bench.add("b");
    bench.eventually("b", || cluster.has_enough_nodes());
    bench.consul.delete_key("tsdb/cluster/nodes/b");
    bench.eventually("left", || is(&cluster, "b", MemberState::Left));
    // A state can be seen before it is told.
    bench.eventually("told", || *heard.lock() == ["joined b", "ring", "left b", "ring"]);
    assert!(!cluster.has_enough_nodes());
}

#[test]
fn who_waits_is_woken_by_a_change() {
    let bench = world();
    let cluster = bench.join();
    let version = cluster.state().version();
    assert!(cluster.wait_change(version, Duration::ZERO).unwrap().is_none());
    std::thread::scope(|scope| {
        let waits = scope.spawn(|| cluster.wait_change(version, PATIENCE).unwrap());
        bench.add("b");
        bench.eventually("woken", || waits.is_finished());
        assert!(waits.join().unwrap().unwrap().member("b").is_some());
    });
}

#[test]
fn dropped_in_a_forked_child_it_stays_its_parents() {
    let bench = world();
    let cluster = Mutex::new(Some(bench.join()));
    let in_child = crate::sys::testing::in_child(|| {
        let inherited = cluster.lock().take().unwrap();
        let status = inherited.leave().unwrap_err().status();
        drop(inherited);
        i32::from(status != Status::Forked || crate::sys::testing::threads() != 1)
    });
    assert_eq!(in_child, 0);
    assert_eq!(cluster.lock().as_ref().unwrap().stats().state, "joined");
    assert_eq!(bench.wire.seen("destroy").len(), 0);
}

#[test]
fn a_forked_child_reads_what_was_known_at_the_fork_and_waits_for_nothing() {
    let bench = world();
    let cluster = bench.join();
    // As when a thread of the parent's has it at the moment of the fork.
    let locked = cluster.0.glance().presence();
    let in_child = crate::sys::testing::in_child(|| {
        let state = cluster.state();
        let knows = state.member("a").is_some() && state.node_for_key(b"key").is_some();
        let tells = cluster.stats().state == "forked" && cluster.age().is_none();
        let refuses = cluster.set_weight(2).unwrap_err().status() == Status::Forked
            && cluster.wait_joined(PATIENCE).unwrap_err().status() == Status::Forked;
        let leads = cluster.is_leader() || crate::sys::testing::threads() != 1;
        i32::from(!knows || !tells || !refuses || leads)
    });
    drop(locked);
    assert_eq!(in_child, 0);
}

#[test]
fn who_leads_is_known_to_all_and_gives_the_lead_back_when_it_leaves() {
    let bench = world();
    let leads = bench.client.join_cluster(spec().campaigns(true)).unwrap();
    let heard = heard(&leads);
    bench.eventually("elected", || leads.is_leader() && leads.state().leader() == Some("a"));
    bench.eventually("joined", || leads.wait_joined(Duration::ZERO).is_ok());
    assert_eq!(bench.consul.value("tsdb/cluster/leader").as_deref(), Some("a"));
    bench.eventually("told", || heard.lock().contains(&"leader Some(\"a\")".to_string()));
    let other = bench.another_client();
    let follows = other.join_cluster(ClusterSpec::new("b", "").ttl(Duration::from_secs(3600)));
    let follows = follows.unwrap();
    bench.eventually("seen", || follows.state().leader() == Some("a"));
    assert!(!follows.is_leader());
    leads.leave().unwrap();
    assert!(!leads.is_leader());
    bench.eventually("the other", || {
        follows.is_leader()
            && follows.state().leader() == Some("b")
            && is(&follows, "a", MemberState::Left)
    });
    follows.leave().unwrap();
    bench.eventually("nothing left", || bench.consul.sessions().is_empty());
    assert!(bench.consul.keys("").is_empty(), "{:?}", bench.consul.keys(""));
}

#[test]
fn it_is_not_named_as_the_leader_before_it_leads() {
    let bench = world();
    let takes = |seen: &Seen| seen.body.contains("tsdb/cluster/leader");
    bench.wire.judge(move |seen| if takes(seen) { Fate::HoldAnswer } else { Fate::Pass });
    let cluster = bench.client.join_cluster(spec().campaigns(true)).unwrap();
    let election = cluster.0.glance().election.get().unwrap();
    // Its key is there for all to see, and it does not know yet that it is its own.
    bench.eventually("seen", || election.leadership().leader.is_some());
    bench.add("b");
    bench.eventually("a later state", || is(&cluster, "b", MemberState::Alive));
    assert!(!cluster.is_leader());
    assert_eq!((cluster.leader(), cluster.state().leader()), (None, None));
    bench.wire.heal();
    bench.eventually("elected", || cluster.is_leader());
    assert_eq!(cluster.leader().as_deref(), Some("a"));
    bench.eventually("told", || cluster.state().leader() == Some("a"));
    cluster.leave().unwrap();
    assert!(!cluster.is_leader());
    assert_eq!(cluster.leader(), None);
}
