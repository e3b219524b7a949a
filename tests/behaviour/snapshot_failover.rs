//! Snapshots through several addresses, and with a token that changes: what calls are promised holds
//! for them, too.

use crate::clients::client_with;
use crate::deferred::wait;
use crate::failover::{calls, client, conditions, healthy, no_leader, unwatched};
use crate::quick::none;
use crate::support::fault::{Door, Reply, Request, Server};
use consul_ffi::api::snapshot::Snapshot;
use consul_ffi::{Client, Condition, Status};
use flate2::{Compression, write::GzEncoder};
use ring::digest::{SHA256, digest};
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

/// A snapshot as Consul writes it, with a state that packs badly.
fn archive() -> Vec<u8> {
    let state: Vec<u8> =
        (0_u32..40_000).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let meta = br#"{"Version":1,"ID":"2-17-9","Index":17,"Term":2,"Size":40000}"#;
    let sum = |bytes: &[u8]| -> String {
        digest(&SHA256, bytes).as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
    };
    let sums = format!("{}  meta.json\n{}  state.bin\n", sum(meta), sum(&state));
    let mut archive = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    for (name, bytes) in
        [("meta.json", &meta[..]), ("state.bin", &state), ("SHA256SUMS", sums.as_bytes())]
    {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_cksum();
        archive.append_data(&mut header, name, bytes).unwrap();
    }
    archive.into_inner().unwrap().finish().unwrap()
}

/// A server that has a snapshot, and takes one.
fn good() -> Server {
    Server::answering(serve)
}

fn serve(request: &Request) -> Reply {
    match (request.method.as_str(), request.path()) {
        ("GET", "/v1/snapshot") => Reply::bytes(200, archive()).chunked(),
        ("PUT", _) => Reply::bytes(200, Vec::new()),
        _ => healthy(request, no_leader()),
    }
}

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Folder {
        Folder(tempfile::tempdir().unwrap())
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("consul.snap")
    }

    /// Where a snapshot lies.
    fn filled(self) -> Folder {
        fs::write(self.path(), archive()).unwrap();
        self
    }

    fn saves(&self, client: &Client) {
        let _ = fs::remove_file(self.path());
        assert_eq!(client.snapshot().save(&self.path(), &none()).unwrap().index, 17);
        assert_eq!(fs::read(self.path()).unwrap(), archive());
        assert_eq!(fs::read_dir(self.0.path()).unwrap().count(), 1);
    }

    fn restores(&self, client: &Client) {
        assert_eq!(client.snapshot().restore(&self.path(), &none()).unwrap().index, 17);
    }
}

#[test]
fn one_that_is_not_there_is_passed_over() {
    let (dead, b) = (Server::refused_address(), good());
    let folder = Folder::new();
    folder.saves(&unwatched(&[&dead, b.address()], &[]));
    folder.restores(&unwatched(&[&dead, b.address()], &[]));
    let client = unwatched(&[&dead, b.address()], &[]);
    let saved = wait(client.deferred().snapshot().save(&folder.path(), &none()).unwrap()).unwrap();
    assert_eq!(Snapshot::inspect(&folder.path()).unwrap(), saved);
    let sent = calls(&b);
    assert_eq!(
        sent.iter().map(|request| &*request.method).collect::<Vec<_>>(),
        ["GET", "PUT", "GET"]
    );
    assert_eq!(sent[1].body, archive());
}

#[test]
fn an_election_is_waited_for() {
    let elected = Arc::new(AtomicBool::new(false));
    let servers: Vec<_> = (0..2)
        .map(|_| {
            let elected = elected.clone();
            Server::answering(move |request| match elected.load(SeqCst) {
                true => serve(request),
                false => no_leader(),
            })
        })
        .collect();
    let client =
        unwatched(&[servers[0].address(), servers[1].address()], &[("retry_interval_ms", "5")]);
    let folder = Folder::new().filled();
    let does: [fn(&Folder, &Client); 2] = [Folder::saves, Folder::restores];
    for does in does {
        elected.store(false, SeqCst);
        let before = servers[0].requests().len();
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| does(&folder, &client));
            servers[0].wait_for_requests(before + 6);
            elected.store(true, SeqCst);
            waiting.join().unwrap();
        });
    }
    let taken = servers.iter().flat_map(calls).rfind(|request| request.method == "PUT");
    assert_eq!(taken.unwrap().body, archive());
}

#[test]
fn a_newer_token_is_taken_after_a_refusal() {
    let server = Server::answering(|request| match request.header("X-Consul-Token") {
        Some("new") => serve(request),
        _ => Reply::text(403, "Permission denied"),
    });
    let folder = Folder::new().filled();
    let tokens = tempfile::tempdir().unwrap();
    let token = tokens.path().join("token");
    let does: [fn(&Folder, &Client); 2] = [Folder::saves, Folder::restores];
    for does in does {
        fs::write(&token, "old").unwrap();
        let client = client_with(server.address(), &[("token_file", token.to_str().unwrap())]);
        // Looked at, as it is now.
        assert_eq!(client.kv().get("a", &none()).unwrap_err().status(), Status::Denied);
        fs::write(&token, "new").unwrap();
        let before = server.requests().len();
        does(&folder, &client);
        assert!(server.requests().len() <= before + 2);
    }
    assert_eq!(server.requests().last().unwrap().body, archive());
}

#[test]
fn one_that_is_frozen_is_let_go_of_and_the_other_saves_it() {
    let (frozen, b) = (Server::black_hole(), good());
    let client = client(&[frozen.address(), b.address()], &[("timeout_ms", "600000")]);
    Folder::new().saves(&client);
    assert_eq!(conditions(&client)[0], Condition::Down);
}

#[test]
fn a_save_that_breaks_off_is_begun_anew_elsewhere() {
    let breaking = Server::start(Door::Tcp, |connection| {
        connection.read_request()?;
        let whole = Reply::bytes(200, archive()).wire();
        connection.write(&whole[..whole.len() / 2])?;
        connection.close()
    });
    let b = good();
    Folder::new().saves(&unwatched(&[breaking.address(), b.address()], &[]));
    assert_eq!((calls(&breaking).len(), calls(&b).len()), (1, 1));
}

/// Nobody can tell whether it was taken.
#[test]
fn a_restore_that_was_sent_is_not_sent_again() {
    let lossy = Server::start(Door::Tcp, |connection| {
        connection.read_request()?;
        connection.reset()
    });
    let b = good();
    let client = unwatched(&[lossy.address(), b.address()], &[]);
    let folder = Folder::new().filled();
    let error = client.snapshot().restore(&folder.path(), &none()).unwrap_err();
    assert!(error.is_outcome_unknown(), "{error}");
    assert_eq!(calls(&b).len(), 0);
}
