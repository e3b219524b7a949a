//! Who is told when an address of a client fails, serves again, or is left for another one: D1, D8.

use crate::clients::client_with;
use crate::quick::{PATIENCE, eventually, none};
use crate::support::fault::{Reply, Server};
use consul_ffi::Condition::{Down, NoLeader, Up};
use consul_ffi::{
    Client, Condition, Config, EndpointChange, EndpointNews, EndpointState, Error, Status,
};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::mpsc::{self, Receiver};

/// An address as it was and is: its condition, and whether it is in use.
type Told = (String, (Condition, bool), (Condition, bool), Option<Status>);

fn told(change: EndpointChange) -> Told {
    let pair = |state: EndpointState| (state.condition, state.in_use);
    let reason = change.reason.map(|reason| reason.status());
    (change.address, pair(change.before), pair(change.after), reason)
}

/// What a client tells from now on.
fn news(client: &Client) -> Receiver<EndpointNews> {
    let (send, receive) = mpsc::channel();
    let listener = move |news| drop(send.send(news));
    client.set_endpoint_listener(Some(Box::new(listener))).unwrap();
    receive
}

fn next(news: &Receiver<EndpointNews>) -> Vec<Told> {
    match news.recv_timeout(PATIENCE).unwrap() {
        EndpointNews::Changed(changes) => changes.into_iter().map(told).collect(),
        other => panic!("{other:?}"),
    }
}

fn ended(news: &Receiver<EndpointNews>) -> Error {
    match news.recv_timeout(PATIENCE).unwrap() {
        EndpointNews::Ended(error) => error,
        other => panic!("{other:?}"),
    }
}

/// A server that knows a leader as long as the flag says so.
fn server(has_leader: &Arc<AtomicBool>) -> Server {
    let has_leader = has_leader.clone();
    Server::answering(move |request| match (has_leader.load(SeqCst), request.path()) {
        (true, "/v1/status/leader") => Reply::json(200, "\"127.0.0.1:8300\""),
        (true, _) => Reply::json(200, "[]"),
        (false, _) => Reply::text(500, "No cluster leader"),
    })
}

fn flag(value: bool) -> Arc<AtomicBool> {
    Arc::new(AtomicBool::new(value))
}

const UNWATCHED: (&str, &str) = ("health_check_interval_ms", "86400000");

#[test]
fn one_that_is_left_and_the_one_that_calls_go_to_are_told() {
    let (dead, alive) = (Server::refused_address(), server(&flag(true)));
    let addresses = format!("{dead},{}", alive.address());
    let client = client_with(&addresses, &[UNWATCHED]);
    let news = news(&client);
    client.session().list(&none()).unwrap();
    let refused = Some(Status::Connect);
    assert_eq!(next(&news), [(dead.clone(), (Up, true), (Down, true), refused)]);
    assert_eq!(
        next(&news),
        [
            (dead.clone(), (Down, true), (Down, false), refused),
            (alive.address().to_string(), (Up, false), (Up, true), None),
        ]
    );
    client.session().list(&none()).unwrap();
    // Nothing more has changed: what comes next is the end.
    client.shutdown();
    assert_eq!(ended(&news).status(), Status::Closed);
    assert!(news.recv().is_err());
    let refused = client.set_endpoint_listener(Some(Box::new(drop))).unwrap_err();
    assert_eq!(refused.status(), Status::Closed);
}

#[test]
fn one_that_a_probe_brings_back_is_told() {
    let (mends, rest) = (flag(false), server(&flag(true)));
    let first = server(&mends);
    let addresses = format!("{},{}", first.address(), rest.address());
    let quick = [("health_check_interval_ms", "50"), ("prefer_first", "true")];
    let client = client_with(&addresses, &quick);
    let news = news(&client);
    let get = || client.session().list(&none()).unwrap();
    get();
    let address = first.address().to_string();
    let no_leader = Some(Status::NoLeader);
    assert_eq!(next(&news), [(address.clone(), (Up, true), (NoLeader, true), no_leader)]);
    assert_eq!(next(&news)[0], (address.clone(), (NoLeader, true), (NoLeader, false), no_leader));
    mends.store(true, SeqCst);
    assert_eq!(next(&news), [(address.clone(), (NoLeader, false), (Up, false), None)]);
    get();
    assert_eq!(next(&news)[0], (address, (Up, false), (Up, true), None));
}

#[test]
fn the_only_one_is_told_of_too_and_another_listener_takes_the_place() {
    let mends = flag(false);
    let only = server(&mends);
    let client = client_with(only.address(), &[]);
    let first = news(&client);
    client.session().list(&none()).unwrap_err();
    let address = only.address().to_string();
    let change = (address.clone(), (Up, true), (NoLeader, true), Some(Status::NoLeader));
    assert_eq!(next(&first), [change]);
    let second = news(&client);
    mends.store(true, SeqCst);
    client.session().list(&none()).unwrap();
    // What was before it is no news to it.
    assert_eq!(next(&second), [(address, (NoLeader, true), (Up, true), None)]);
    assert!(first.recv().is_err());
    client.set_endpoint_listener(None).unwrap();
    assert!(second.recv().is_err());
}

#[test]
fn it_goes_on_when_the_client_is_configured_anew() {
    let (dead, alive) = (Server::refused_address(), server(&flag(true)));
    let addresses = format!("{dead},{}", alive.address());
    let client = client_with(&addresses, &[UNWATCHED]);
    client.session().list(&none()).unwrap();
    let news = news(&client);
    let mut config = Config::without_environment();
    config.set("address", &dead).unwrap();
    client.reload(&config).unwrap();
    assert_eq!(next(&news), [(dead.clone(), (Down, false), (Up, true), None)]);
    eventually("it has failed", || client.session().list(&none()).is_err());
    let refused = Some(Status::Connect);
    assert_eq!(next(&news), [(dead, (Up, true), (Down, true), refused)]);
}
