//! The audit log: a line for every change that is made through a client, and nothing secret in it.

use crate::clients::client_with;
use crate::deferred::wait;
use crate::quick::{PATIENCE, close, eventually, held, lock_spec, none, quick, session, start};
use crate::support::fault::{Door, Reply, Request, Server};
use crate::support::{consul, unique};
use consul_ffi::api::CheckStatus;
use consul_ffi::api::agent::{CheckDefinition, ServiceDefinition};
use consul_ffi::api::catalog::Registration;
use consul_ffi::api::raw::{Method, RawRequest};
use consul_ffi::api::txn::Txn;
use consul_ffi::observe::{Stats, log};
use consul_ffi::recipes::registration::KeptServiceSpec;
use consul_ffi::{Client, Config, Status};
use serde_json::{Value, json};
use std::future::{Future, IntoFuture};
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::task::{Context, Waker};
use std::time::Duration;
use tempfile::TempDir;

/// What must not be found: it is in every value, note and reason, and in the token.
const SECRET: &str = "s3cr3t";

struct Audited {
    client: Client,
    path: PathBuf,
    _folder: TempDir,
}

impl Audited {
    fn of(address: &str, settings: &[(&str, &str)]) -> Audited {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("audit");
        let own = [("audit_log_file", path.to_str().unwrap()), ("audit_actor", "tester")];
        let client = client_with(address, &[&own, settings].concat());
        Audited { client, path, _folder: folder }
    }

    fn lines(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(&self.path).unwrap();
        assert!(!text.contains(SECRET), "{text}");
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// Of each line the method, the path and the outcome.
    fn told(&self) -> Vec<String> {
        let word = |line: &Value, name: &str| line[name].as_str().unwrap().to_string();
        let told = |line: &Value| {
            format!("{} {} {}", word(line, "method"), word(line, "path"), word(line, "outcome"))
        };
        self.lines().iter().map(told).collect()
    }
}

#[test]
fn every_kind_of_change_has_one_line_and_nothing_else_has() {
    let Some(agent) = consul() else { return };
    // Where access control is off any token will do.
    let audited = Audited::of(&agent.address(), &[("token", SECRET)]);
    let (client, key, options) = (&audited.client, unique("audit"), none());
    let (kv, agent) = (client.kv(), client.agent());
    let mut expected = Vec::new();
    let mut expect = |line: String| expected.push(line);

    assert!(kv.put(&key, SECRET.as_bytes(), 0, &options).unwrap().value);
    expect(format!("PUT /v1/kv/{key} ok"));
    assert!(!kv.cas(&key, SECRET.as_bytes(), 0, 1, &options).unwrap().value);
    expect(format!("PUT /v1/kv/{key} refused"));
    kv.get(&key, &options).unwrap();
    let mut txn = Txn::new();
    txn.set(&key, SECRET.as_bytes(), 0).unwrap().get(&key).unwrap();
    assert!(client.commit(&txn, &options).unwrap().value.is_committed());
    expect("PUT /v1/txn ok".into());
    txn.check_not_exists(&key).unwrap();
    assert!(!client.commit(&txn, &options).unwrap().value.is_committed());
    expect("PUT /v1/txn refused".into());
    let mut reads = Txn::new();
    reads.get(&key).unwrap();
    assert!(client.commit(&reads, &options).unwrap().value.is_committed());
    kv.delete(&key, &options).unwrap();
    expect(format!("DELETE /v1/kv/{key} ok"));
    kv.delete_prefix(&key, &options).unwrap();
    expect(format!("DELETE /v1/kv/{key} ok"));

    let id = client.session().create(&session().ttl(PATIENCE), &options).unwrap().value;
    expect("PUT /v1/session/create ok".into());
    client.session().renew(&id, &options).unwrap();
    client.session().destroy(&id, &options).unwrap();
    expect(format!("PUT /v1/session/destroy/{id} ok"));

    let service = ServiceDefinition::new(&key).meta("a", SECRET);
    agent.register_service(&service, &options).unwrap();
    expect("PUT /v1/agent/service/register ok".into());
    let check = CheckDefinition::new(&key).ttl(PATIENCE).notes(SECRET);
    agent.register_check(&check, &options).unwrap();
    expect("PUT /v1/agent/check/register ok".into());
    agent.check_update(&key, CheckStatus::Warning, SECRET, &options).unwrap();
    expect(format!("PUT /v1/agent/check/update/{key} ok"));
    agent.service_maintenance(&key, true, SECRET, &options).unwrap();
    expect(format!("PUT /v1/agent/service/maintenance/{key} ok"));
    agent.deregister_check(&key, &options).unwrap();
    expect(format!("PUT /v1/agent/check/deregister/{key} ok"));
    agent.deregister_service(&key, &options).unwrap();
    expect(format!("PUT /v1/agent/service/deregister/{key} ok"));

    let node = Registration::new(&key, "192.0.2.1").node_meta("a", SECRET);
    client.catalog().register(&node, &options).unwrap();
    expect("PUT /v1/catalog/register ok".into());
    client.catalog().deregister_node(&key, &options).unwrap();
    expect("PUT /v1/catalog/deregister ok".into());

    let target = format!("/v1/kv/{key}?flags=7");
    let put = RawRequest::new(Method::Put, &target).body(SECRET.as_bytes(), "");
    client.request(&put, &options).unwrap();
    expect(format!("PUT /v1/kv/{key} ok"));
    client.request(&RawRequest::new(Method::Get, &target), &options).unwrap();
    client.request(&RawRequest::new(Method::Delete, &target), &options).unwrap();
    expect(format!("DELETE /v1/kv/{key} ok"));

    assert_eq!(audited.told(), expected);
    let lines = audited.lines();
    assert!(lines.iter().all(|line| line["actor"] == "tester"));
    assert!(lines.iter().all(|line| line["pid"] == std::process::id()));
    assert!(lines.iter().all(|line| line["endpoint"] == client.endpoint()));
    assert_eq!(lines[1]["query"], "cas=1");
    let operations = json!([{"verb": "set", "key": key}, {"verb": "get", "key": key}]);
    assert_eq!((&lines[2]["operations"], &lines[3]["http_status"]), (&operations, &json!(409)));
    assert_eq!(lines[6]["made"], id);
    assert_eq!(lines[8]["subject"]["Name"], key);
}

/// Calls that do not wait, and what is made of several calls. Signs of life are no changes.
#[test]
fn changes_of_every_style_and_of_recipes_have_their_lines() {
    let Some(agent) = quick() else { return };
    let audited = Audited::of(&agent.address(), &[("min_session_ttl_ms", "1000")]);
    let (client, key) = (&audited.client, unique("audit"));
    let later = client.deferred();
    drop(later.kv().put(&key, b"", 0, &none()).unwrap());
    wait(later.kv().put(&key, SECRET.as_bytes(), 0, &none()).unwrap()).unwrap();
    assert_eq!(audited.told(), [format!("PUT /v1/kv/{key} ok")]);

    // TTLs that outlast a slow machine.
    let kept = client.keep_session(&session().ttl(Duration::from_secs(6)), &none()).unwrap();
    let lock = held(client, lock_spec(&format!("{key}/lock")).session(&kept));
    let spec = KeptServiceSpec::new(ServiceDefinition::new(&key)).ttl(Duration::from_secs(2));
    let service = client.keep_service(spec).unwrap();
    start(&service);
    let before = audited.told();
    let stats: [&dyn Fn() -> Stats; 2] = [&|| kept.stats(), &|| service.stats()];
    for stats in stats {
        let mut last = Duration::ZERO;
        eventually("a sign of life", || {
            let now = stats().last_success.unwrap();
            std::mem::replace(&mut last, now) > now
        });
    }
    assert_eq!(audited.told(), before);
    // What is news is told.
    service.set_status(CheckStatus::Warning, SECRET).unwrap();
    let update = "PUT /v1/agent/check/update/";
    let updates = |told: &[String]| told.iter().filter(|line| line.starts_with(update)).count();
    eventually("the new state is told", || updates(&audited.told()) == updates(&before) + 1);
    lock.release().unwrap();
    kept.destroy().unwrap();
    close(&service);

    let told = audited.told();
    let count = |part: &str| told.iter().filter(|line| line.starts_with(part)).count();
    assert_eq!(count("PUT /v1/session/create ok"), 1, "{told:?}");
    assert_eq!(count("PUT /v1/session/destroy/"), 1, "{told:?}");
    assert_eq!(count("PUT /v1/agent/service/register ok"), 1, "{told:?}");
    assert_eq!(count("PUT /v1/agent/service/deregister/"), 1, "{told:?}");
    assert_eq!(count("PUT /v1/session/renew"), 0, "{told:?}");
    let locks = audited.lines().into_iter().filter(|line| line.to_string().contains("/lock"));
    assert!(locks.count() >= 2, "{told:?}");
}

#[test]
fn failures_and_doubts_are_told_apart() {
    let server = Server::answering(|request| match request.path() {
        "/v1/kv/denied" => Reply::text(403, format!("Permission denied {SECRET}")),
        "/v1/kv/html" => Reply::text(200, "<html>"),
        _ => Reply::text(500, "leadership lost while committing log"),
    });
    let lossy = Server::start(Door::Tcp, |connection| {
        connection.read_request()?;
        connection.reset()
    });
    let silent = Server::black_hole();
    let told = |address: &str, key: &str, timeout_ms: &str| {
        let settings = [("retry_attempts", "1"), ("timeout_ms", timeout_ms)];
        let audited = Audited::of(address, &settings);
        let put = || audited.client.kv().put(key, SECRET.as_bytes(), 0, &none());
        let unknown = put().unwrap_err().is_outcome_unknown();
        let later = audited.client.deferred().kv().put(key, SECRET.as_bytes(), 0, &none());
        assert_eq!(wait(later.unwrap()).unwrap_err().is_outcome_unknown(), unknown);
        let lines = audited.lines();
        assert_eq!(lines.len(), 2, "{lines:?}");
        for name in ["outcome", "status", "http_status", "path"] {
            assert_eq!(lines[0][name], lines[1][name], "{key} {name}");
        }
        assert_eq!(lines[0]["outcome"] == "unknown", unknown);
        (lines[0]["outcome"].clone(), lines[0]["status"].clone(), lines[0]["http_status"].clone())
    };
    let is = |outcome: &str, status: Status, http_status: Value| {
        (json!(outcome), json!(status.name()), http_status)
    };
    const LONG: &str = "60000";
    let (at, nothing) = (server.address(), Value::Null);
    assert_eq!(told(at, "denied", LONG), is("failed", Status::Denied, json!(403)));
    assert_eq!(told(at, "html", LONG), is("unknown", Status::Decode, json!(200)));
    assert_eq!(told(at, "torn", LONG), is("unknown", Status::NoLeader, json!(500)));
    assert_eq!(
        told(lossy.address(), "a", LONG),
        is("unknown", Status::RateLimited, nothing.clone())
    );
    assert_eq!(
        told(silent.address(), "a", "1000"),
        is("unknown", Status::Timeout, nothing.clone())
    );
    let nobody = Server::refused_address();
    assert_eq!(told(&nobody, "a", LONG), is("failed", Status::Connect, nothing));
}

/// Of Consul's earlier access control, whose tokens stand in paths: what hides them from the log hides
/// them from messages, also where an answer repeats the path.
#[test]
fn a_token_in_a_path_stands_in_no_message_and_no_line() {
    let refuse = |request: &Request| Reply::text(403, format!("{}: no", request.path()));
    let server = Server::answering(refuse);
    let audited = Audited::of(server.address(), &[]);
    let paths = ["/v1/acl/clone/", "/v1/acl/destroy/", "/v1/acl/info/", "/v1/acl/%63lone/"];
    for path in paths {
        let target = format!("{path}{SECRET}?dc=x");
        let request = RawRequest::new(Method::Put, &target);
        let error = audited.client.request(&request, &none()).unwrap_err();
        let later = audited.client.deferred();
        let deferred = wait(later.request(&request, &none()).unwrap()).unwrap_err();
        for error in [error, deferred] {
            assert_eq!(error.message(), format!("PUT {path}<hidden>: 403 {path}<hidden>: no"));
        }
    }
    let told = paths.map(|path| format!("PUT {path}<hidden> failed"));
    assert_eq!(audited.told(), told.each_ref().map(|line| [line.as_str(); 2]).concat());
}

#[test]
fn a_change_that_is_sent_several_times_has_one_line() {
    let server = Server::answering(|_| Reply::json(200, "true"));
    let nobody = Server::refused_address();
    let audited = Audited::of(&format!("{nobody},{}", server.address()), &[]);
    let kv = audited.client.kv();
    assert!(kv.put("a", b"", 0, &none()).unwrap().value);
    let later = audited.client.deferred();
    wait(later.kv().put("a", b"", 0, &none()).unwrap()).unwrap();
    let lines = audited.lines();
    assert_eq!(audited.told(), ["PUT /v1/kv/a ok", "PUT /v1/kv/a ok"]);
    assert!(lines.iter().all(|line| line["endpoint"] == server.address()), "{lines:?}");
}

#[test]
fn a_full_audit_log_makes_room_and_one_that_cannot_be_is_refused() {
    let server = Server::answering(|_| Reply::json(200, "true"));
    let rotation = [("audit_log_max_bytes", "1"), ("audit_log_max_files", "2")];
    let audited = Audited::of(server.address(), &rotation);
    for key in ["a", "b", "c", "d"] {
        audited.client.kv().put(key, b"", 0, &none()).unwrap();
    }
    assert_eq!(audited.told(), ["PUT /v1/kv/d ok"]);
    let old =
        |number: u32| std::fs::read_to_string(audited.path.with_extension(number.to_string()));
    assert!(old(1).unwrap().contains("/v1/kv/c") && old(2).unwrap().contains("/v1/kv/b"));
    assert!(old(3).is_err());

    let refused = |settings: &[(&str, &str)]| {
        let mut config = Config::without_environment();
        for (name, value) in settings {
            config.set(name, value).unwrap();
        }
        Client::new(&config).err().unwrap()
    };
    let error = refused(&[("audit_log_file", "/no/such/folder/audit")]);
    assert_eq!(error.status(), Status::Io);
    assert!(error.message().contains("/no/such/folder/audit"), "{error}");
    let error = refused(&[("audit_log_max_files", "5")]);
    assert_eq!(error.status(), Status::Config);
    let needed = "audit_log_max_files does nothing without audit_log_max_bytes or";
    assert!(error.message().contains(needed), "{error}");
}

/// How often this process has a file open.
fn open_descriptors(path: &Path) -> usize {
    let descriptors = std::fs::read_dir("/proc/self/fd").unwrap().filter_map(Result::ok);
    descriptors.filter(|each| std::fs::read_link(each.path()).is_ok_and(|to| to == path)).count()
}

/// The keys whose changes a file has, in its order.
fn keys_in(path: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines.map(|line| line["path"].as_str().unwrap().replace("/v1/kv/", "")).collect()
}

#[test]
fn a_file_that_is_changed_by_a_reload_has_each_change_since_and_the_old_one_is_closed() {
    let server = Server::start(Door::Tcp, |connection| {
        loop {
            if connection.read_request()?.path().ends_with("slow") {
                connection.wait_for_release()?;
            }
            connection.reply(&Reply::json(200, "true"))?;
        }
    });
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().canonicalize().unwrap().join(name);
    let (first, second, third) = (path("first"), path("second"), path("third"));
    let config = |file: Option<&Path>| {
        let mut config = Config::without_environment();
        config.set("address", server.address()).unwrap();
        let file = file.map(|file| file.to_str().unwrap());
        file.iter().for_each(|file| config.set("audit_log_file", file).unwrap());
        config
    };
    let client = Client::new(&config(Some(&first))).unwrap();
    let put = |key: &str| assert!(client.kv().put(key, b"", 0, &none()).unwrap().value);
    put("a");
    assert_eq!(open_descriptors(&first), 1);
    std::thread::scope(|scope| {
        let in_flight = scope.spawn(|| put("slow"));
        server.wait_for_requests(2);
        client.reload(&config(Some(&second))).unwrap();
        put("b");
        assert_eq!((keys_in(&first), keys_in(&second)), (vec!["a".into()], vec!["b".into()]));
        // What was begun before has its line where it began, and the file is open for that long.
        assert_eq!(open_descriptors(&first), 1);
        server.release();
        in_flight.join().unwrap();
    });
    assert_eq!(keys_in(&first), ["a", "slow"]);
    eventually("the first one is closed", || open_descriptors(&first) == 0);

    // One that cannot be opened changes nothing.
    let error = client.reload(&config(Some(Path::new("/no/such/folder/audit")))).unwrap_err();
    assert_eq!(error.status(), Status::Io);
    put("c");
    assert_eq!(keys_in(&second), ["b", "c"]);

    // From file to file while changes are made all the time: each has one line, in one of them.
    std::thread::scope(|scope| {
        let numbers = |from: usize| from..from + 300;
        let writers: Vec<_> = [1000, 2000, 3000]
            .map(|from| scope.spawn(move || numbers(from).for_each(|n| put(&n.to_string()))))
            .into();
        while !writers.iter().all(|writer| writer.is_finished()) {
            for file in [&third, &second] {
                client.reload(&config(Some(file))).unwrap();
            }
        }
        for writer in writers {
            writer.join().unwrap();
        }
    });
    let mut told = [keys_in(&second).split_off(2), keys_in(&third)].concat();
    told.sort();
    let all: Vec<_> = [1000, 2000, 3000].into_iter().flat_map(|from| from..from + 300).collect();
    assert_eq!(told, all.iter().map(usize::to_string).collect::<Vec<_>>());
    eventually("one is open, once", || {
        (open_descriptors(&second), open_descriptors(&third)) == (1, 0)
    });

    // None at all.
    client.reload(&config(None)).unwrap();
    put("d");
    assert!(!keys_in(&second).contains(&"d".to_string()));
    eventually("none is open", || open_descriptors(&second) == 0);
}

/// Nobody waits for it any more, and it may still be made.
#[test]
fn a_change_that_is_given_up_has_its_line() {
    let server = Server::black_hole();
    let audited = Audited::of(server.address(), &[]);
    let later = audited.client.deferred();
    let mut put = later.kv().put("a", b"", 0, &none()).unwrap().into_future();
    assert!(pin!(&mut put).poll(&mut Context::from_waker(Waker::noop())).is_pending());
    server.wait_for_requests(1);
    assert!(audited.told().is_empty());
    drop(put);
    eventually("its line", || audited.told() == ["PUT /v1/kv/a unknown"]);
    assert_eq!(audited.lines()[0]["status"], Status::Cancelled.name());
}

/// A disk that is full ends no call.
#[test]
fn a_line_that_cannot_be_written_fails_no_change() {
    let server = Server::answering(|_| Reply::json(200, "true"));
    let client = client_with(server.address(), &[("audit_log_file", "/dev/full")]);
    let before = log::dropped();
    assert!(client.kv().put("a", b"", 0, &none()).unwrap().value);
    assert!(log::dropped() > before);
}
