//! Clusters on a real Consul: members that join, die, come back and leave, and whose keys they own.

use crate::quick::{
    LASTING, PATIENCE, eventually, holder_at, none, quick, quick_client, session_exists,
};
use crate::support::{Consul, unique};
use consul_ffi::recipes::cluster::{Cluster, ClusterSpec, MemberState};
use consul_ffi::{Client, Status};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

struct Place {
    consul: &'static Consul,
    prefix: String,
}

impl Place {
    fn new() -> Option<Place> {
        let consul = quick()?;
        Some(Place { consul, prefix: format!("{}/", unique("cluster")) })
    }

    fn client(&self) -> Client {
        quick_client(&self.consul.address())
    }

    fn spec(&self, id: &str) -> ClusterSpec {
        let spec = ClusterSpec::new(id, format!("{id}.example:7000")).prefix(&self.prefix);
        let spec = spec.ttl(LASTING).lock_delay(Duration::ZERO);
        spec.leave_after(SECOND).join_after(SECOND).outage_hold(SECOND * 60)
    }

    fn join(&self, client: &Client, id: &str) -> Cluster {
        join(client, self.spec(id))
    }

    /// Has the session end that holds this key, as after its TTL.
    fn expire(&self, key: &str) {
        let session = holder_at(self.consul, key).unwrap();
        self.consul.put(&format!("/v1/session/destroy/{session}"), "");
    }

    fn key(&self, id: &str) -> String {
        format!("{}nodes/{id}", self.prefix)
    }
}

fn join(client: &Client, spec: ClusterSpec) -> Cluster {
    let cluster = client.join_cluster(spec).unwrap();
    cluster.wait_joined(PATIENCE).unwrap();
    cluster
}

fn state_of(cluster: &Cluster, id: &str) -> Option<MemberState> {
    cluster.state().member(id).map(|member| member.state)
}

fn owners(cluster: &Cluster) -> Vec<String> {
    let state = cluster.state();
    let owner = |n: u32| state.node_for_key(&n.to_le_bytes()).unwrap().id.clone();
    (0..1000).map(owner).collect()
}

#[test]
fn of_three_members_one_that_dies_gives_away_its_keys_alone_and_another_one_leads() {
    let Some(place) = Place::new() else { return };
    let clients: Vec<Client> = (0..3).map(|_| place.client()).collect();
    let ids = ["a", "b", "c"];
    let members: Vec<Cluster> =
        clients.iter().zip(ids).map(|(client, id)| place.join(client, id)).collect();
    for member in &members {
        eventually("three", || member.state().living() == 3 && member.state().leader().is_some());
    }
    let before = owners(&members[0]);
    assert!(members.iter().all(|member| owners(member) == before));
    let leads = members.iter().position(Cluster::is_leader).unwrap();
    assert_eq!(members.iter().filter(|member| member.is_leader()).count(), 1);

    // As a process that is killed: nothing is sent any more, and its sessions end.
    clients[leads].shutdown();
    place.expire(&place.key(ids[leads]));
    place.expire(&format!("{}leader", place.prefix));
    let others: Vec<&Cluster> = (0..3).filter(|&n| n != leads).map(|n| &members[n]).collect();
    for member in &others {
        eventually("gone", || state_of(member, ids[leads]) == Some(MemberState::Left));
        for (before, after) in before.iter().zip(owners(member)) {
            assert!(*before == after || before == ids[leads], "{before} to {after}");
            assert_ne!(after, ids[leads]);
        }
    }
    eventually("another leader", || others.iter().any(|member| member.is_leader()));

    // It comes back as a follower, and has its keys again when it has lasted.
    let client = place.client();
    let back = place.join(&client, ids[leads]);
    for member in others.iter().copied().chain([&back]) {
        eventually("back", || state_of(member, ids[leads]) == Some(MemberState::Alive));
        assert_eq!(owners(member), before);
    }
    assert!(!back.is_leader());
}

#[test]
fn who_leaves_gives_back_what_it_has_at_once() {
    let Some(place) = Place::new() else { return };
    let (client, other) = (place.client(), place.client());
    let (one, two) = (place.join(&client, "one"), place.join(&other, "two"));
    eventually("two", || one.state().living() == 2);
    let session = holder_at(place.consul, &place.key("two")).unwrap();
    two.leave().unwrap();
    assert!(holder_at(place.consul, &place.key("two")).is_none());
    assert!(!session_exists(place.consul, &session));
    eventually("left", || state_of(&one, "two") == Some(MemberState::Left));
    assert_eq!(one.state().ring().nodes().len(), 1);
    drop(one);
    client.close(PATIENCE).unwrap();
    // Nothing stays of a cluster that nobody is in any more.
    let left = other.kv().keys(&place.prefix, None, &none()).unwrap();
    assert_eq!(left.value, [] as [String; 0]);
}

#[test]
fn a_session_that_somebody_destroys_costs_no_key_its_owner() {
    let Some(place) = Place::new() else { return };
    let client = place.client();
    // Long enough for it to come back on any machine.
    let join = |id| join(&client, place.spec(id).leave_after(LASTING));
    let (one, two) = (join("one"), join("two"));
    eventually("two", || one.state().living() == 2 && two.state().living() == 2);
    let (ring, before) = (one.state().ring().version(), holder_at(place.consul, &place.key("two")));
    client.session().destroy(before.as_ref().unwrap(), &none()).unwrap();
    eventually("another", || {
        let now = holder_at(place.consul, &place.key("two"));
        let seen = one.state().member("two").and_then(|member| member.session.clone());
        now.is_some() && now != before && seen == now
    });
    assert_eq!(one.state().ring().version(), ring);
}

#[test]
fn an_id_that_a_living_member_has_is_refused_until_that_one_is_gone() {
    let Some(place) = Place::new() else { return };
    let (client, other) = (place.client(), place.client());
    let one = place.join(&client, "same");
    let again = other.join_cluster(place.spec("same")).unwrap();
    eventually("refused", || again.stats().last_error.is_some());
    assert_eq!(again.stats().last_error.unwrap().status(), Status::AlreadyHeld);
    one.leave().unwrap();
    again.wait_joined(PATIENCE).unwrap();
}
