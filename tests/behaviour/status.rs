//! Leader and peers.

use crate::clients::{client_at, client_of};
use crate::support::consul;
use crate::support::fault::{Reply, Server};
use consul_ffi::{Options, Status};

#[test]
fn the_leader_and_the_peers_are_told_by_their_address() {
    let Some(consul) = consul() else { return };
    let client = client_of(consul);
    let leader = client.status().leader(&Options::new()).unwrap().value.unwrap();
    let peers = client.status().peers(&Options::new()).unwrap().value;
    assert!(leader.starts_with("127.0.0.1:"), "{leader}");
    assert_eq!(peers, [leader]);
}

#[test]
fn no_leader_is_an_answer_and_no_error() {
    let server = Server::answering(|request| match request.path() {
        "/v1/status/leader" => Reply::json(200, "\"\"\n"),
        _ => Reply::json(200, "[]\n"),
    });
    let client = client_at(server.address());
    assert_eq!(client.status().leader(&Options::new()).unwrap().value, None);
    assert!(client.status().peers(&Options::new()).unwrap().value.is_empty());
}

#[test]
fn null_is_no_leader_and_no_peers() {
    let server = Server::answering(|_| Reply::json(200, "null"));
    let client = client_at(server.address());
    assert_eq!(client.status().leader(&Options::new()).unwrap().value, None);
    assert!(client.status().peers(&Options::new()).unwrap().value.is_empty());
}

#[test]
fn a_leader_of_a_datacenter_that_is_unknown_is_an_error() {
    let Some(consul) = consul() else { return };
    let options = Options::new().datacenter("nowhere");
    let error = client_of(consul).status().leader(&options).unwrap_err();
    assert_eq!((error.status(), error.http_status()), (Status::Http, 500));
    assert!(error.message().contains("No path to datacenter"), "{error}");
}
