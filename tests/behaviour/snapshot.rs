//! Snapshots on a real Consul, and of what it never sends.

use crate::clients::{client_at, client_of};
use crate::deferred::wait;
use crate::support::Consul;
use crate::support::fault::{Reply, Server};
use consul_ffi::api::snapshot::Snapshot;
use consul_ffi::{Client, Options, Status};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

fn none() -> Options {
    Options::new()
}

fn value(client: &Client, key: &str) -> Option<Vec<u8>> {
    client.kv().get(key, &none()).unwrap().value.map(|pair| pair.value)
}

/// What lies in a folder.
fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn what_was_saved_is_restored_here_and_by_consuls_own_command() {
    let Some(consul) = Consul::build().acl().start() else { return };
    let client = crate::clients::client_with(&consul.address(), &[("token", consul.token())]);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("consul.snap");
    client.kv().put("app/a", b"before", 7, &none()).unwrap();

    let saved = client.snapshot().save(&path, &none()).unwrap();
    assert!(saved.index > 0 && saved.term > 0 && saved.size > 0, "{saved:?}");
    assert_eq!(Snapshot::inspect(&path).unwrap(), saved);
    assert_eq!(names(folder.path()), ["consul.snap"]);
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let consul_command = |arguments: &[&str]| {
        let mut command = Command::new(consul.binary());
        command.env("CONSUL_HTTP_ADDR", consul.address());
        command.env("CONSUL_HTTP_TOKEN", consul.token()).args(arguments);
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let inspected = consul_command(&["snapshot", "inspect", path.to_str().unwrap()]);
    assert!(inspected.contains(&saved.id), "{inspected}");

    client.kv().put("app/a", b"after", 0, &none()).unwrap();
    client.kv().put("app/b", b"new", 0, &none()).unwrap();
    assert_eq!(client.snapshot().restore(&path, &none()).unwrap(), saved);
    assert_eq!((value(&client, "app/a"), value(&client, "app/b")), (Some(b"before".into()), None));

    // The other way round, and without waiting.
    let theirs = folder.path().join("theirs.snap");
    consul_command(&["snapshot", "save", theirs.to_str().unwrap()]);
    client.kv().put("app/a", b"after", 0, &none()).unwrap();
    let later = client.deferred();
    let restored = wait(later.snapshot().restore(&theirs, &none()).unwrap()).unwrap();
    assert_eq!(Snapshot::inspect(&theirs).unwrap(), restored);
    assert_eq!(value(&client, "app/a"), Some(b"before".into()));
    let again = wait(later.snapshot().save(&path, &none()).unwrap()).unwrap();
    assert!(again.index > saved.index);
    consul_command(&["snapshot", "restore", path.to_str().unwrap()]);

    // Without the right to it there is no file, and what was there stays.
    let stranger = client_of(&consul);
    for name in ["consul.snap", "new.snap"] {
        let error = stranger.snapshot().save(&folder.path().join(name), &none()).unwrap_err();
        assert_eq!(error.status(), Status::Denied, "{error}");
    }
    assert_eq!(Snapshot::inspect(&path).unwrap(), again);
    assert_eq!(stranger.snapshot().restore(&path, &none()).unwrap_err().status(), Status::Denied);
    assert_eq!(names(folder.path()), ["consul.snap", "theirs.snap"]);
}

#[test]
fn what_is_not_a_whole_snapshot_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("consul.snap");
    fs::write(&path, "the last one").unwrap();
    // Cut off, it says so itself, chunked as Consul sends it; garbage is found by reading it.
    let answers = [
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n".to_vec(),
            Status::Io,
        ),
        (Reply::bytes(200, vec![7; 200_000]).chunked().wire(), Status::Decode),
        (Reply::bytes(200, Vec::new()).wire(), Status::Decode),
        (Reply::text(500, "No cluster leader").wire(), Status::NoLeader),
    ];
    for (answer, status) in answers {
        let server = Server::answering(move |_| Reply::raw(answer.clone()).closing());
        let error = client_at(server.address()).snapshot().save(&path, &none()).unwrap_err();
        assert_eq!(error.status(), status, "{error}");
        assert_eq!(names(folder.path()), ["consul.snap"]);
        assert_eq!(fs::read(&path).unwrap(), b"the last one");
        assert_eq!(server.requests().len(), 1);

        // And nothing is sent of what is no snapshot.
        let error = client_at(server.address()).snapshot().restore(&path, &none()).unwrap_err();
        assert_eq!(error.status(), Status::Decode, "{error}");
        assert!(error.message().contains("consul.snap"), "{error}");
        assert_eq!(server.requests().len(), 1);
    }
    let nobody = client_at(&Server::refused_address());
    let error = nobody.snapshot().save(Path::new("/no/such/folder/x"), &none()).unwrap_err();
    assert_eq!(error.status(), Status::Io, "{error}");
    let error = nobody.snapshot().restore(Path::new("/no/such/file"), &none()).unwrap_err();
    assert_eq!(error.status(), Status::Io, "{error}");
    for path in ["", "/", "a/.."] {
        let error = nobody.snapshot().save(Path::new(path), &none()).unwrap_err();
        assert_eq!(error.status(), Status::Argument, "{path:?}: {error}");
    }
}

#[test]
fn a_folder_that_is_not_there_is_an_error_of_the_file() {
    let server = Server::answering(|_| Reply::bytes(200, vec![7; 1000]));
    let client = client_at(server.address());
    let error = client.snapshot().save(Path::new("/no/such/folder/x"), &none()).unwrap_err();
    assert_eq!(error.status(), Status::Io, "{error}");
    assert!(error.message().contains("/no/such/folder/x"), "{error}");
    assert!(!error.is_outcome_unknown());
    // And none of the agent's, which is not asked at all.
    assert_eq!((error.endpoint(), error.message().contains("/v1/snapshot")), ("", false));
    assert_eq!((client.endpoints()[0].requests, server.requests().len()), (0, 0));
}

#[test]
fn what_is_no_file_is_not_replaced() {
    let server = Server::answering(|_| Reply::bytes(200, vec![7; 1000]));
    let client = client_at(server.address());
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("socket");
    let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    for path in [folder.path(), &socket] {
        let error = client.snapshot().save(path, &none()).unwrap_err();
        assert_eq!(error.status(), Status::Argument, "{error}");
        assert!(error.message().contains("other than a file"), "{error}");
    }
    assert_eq!(names(folder.path()), ["socket"]);
}
