//! What can be seen of the library: how things are getting on, the log, a program's own health.

use crate::clients::{client_of, client_with};
use crate::proxy::{Fate, Proxy};
use crate::quick::{close, eventually, held, lock_spec, none, quick, quick_client, session, start};
use crate::support::control::Control;
use crate::support::fault::{Reply, Server};
use crate::support::{Consul, consul, unique};
use consul_ffi::api::CheckStatus;
use consul_ffi::api::agent::{CheckDefinition, ServiceDefinition};
use consul_ffi::api::raw::{Method, RawRequest};
use consul_ffi::observe::log::{self, Level, Record};
use consul_ffi::recipes::health_report::HealthReport;
use consul_ffi::recipes::registration::KeptServiceSpec;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn stats_tell_of_an_outage_and_of_its_end() {
    let Some(consul) = quick() else { return };
    let proxy = Proxy::before(consul);
    let client = quick_client(proxy.address());
    let control = Control::start();
    let kept = client.keep_session(&session().ttl(SECOND * 6), &none()).unwrap();
    let lock = held(&client, lock_spec(&unique("stats")).session(&kept));
    for stats in [kept.stats(), lock.stats()] {
        assert!(stats.last_success.unwrap() <= control.elapsed(), "{stats:?}");
        assert_eq!((stats.consecutive_failures, stats.last_error), (0, None));
    }
    assert!(kept.stats().next_try.unwrap() <= SECOND * 3);
    proxy.judge(|_| Fate::Answer(Reply::text(500, "No cluster leader")));
    eventually("both fail", || {
        kept.stats().consecutive_failures > 0 && lock.stats().consecutive_failures > 0
    });
    let (stats, held) = (kept.stats(), lock.stats());
    let timing = control.stop();
    if !timing.is_punctual(SECOND) {
        // Both may be lost by now.
        return;
    }
    assert_eq!((stats.state, held.state), ("kept", "held"));
    assert_eq!(stats.last_error.unwrap().status(), consul_ffi::Status::NoLeader);
    assert!(stats.last_success.unwrap() > SECOND && stats.next_try.is_some());
    proxy.open();
    eventually("both are well", || {
        kept.stats().consecutive_failures == 0 && lock.stats().consecutive_failures == 0
    });
    // It is remembered what it was.
    assert!(kept.stats().last_error.is_some() && lock.stats().last_error.is_some());
    lock.release().unwrap();
    assert_eq!((lock.stats().state, lock.stats().next_try), ("free", None));
    kept.destroy().unwrap();
    assert_eq!((kept.stats().state, kept.stats().next_try), ("ended", None));
}

/// Takes records until there is one about this with this part.
fn logged(records: &mut Vec<Record>, area: &str, about: &str, part: &str) -> Record {
    let is = |record: &&Record| {
        record.area == area && record.message.contains(about) && record.message.contains(part)
    };
    eventually(&format!("{area} {about}: {part}"), || {
        records.extend(std::iter::from_fn(log::take));
        records.iter().any(|record| is(&record))
    });
    records.iter().find(is).unwrap().clone()
}

/// One test at a time: the process has one log.
static LOG: Mutex<()> = Mutex::new(());

#[test]
fn the_log_tells_of_what_is_lost_and_mended_and_holds_no_secret() {
    let Some(_) = quick() else { return };
    let _log = LOG.lock().unwrap_or_else(PoisonError::into_inner);
    let Some(consul) = Consul::with_hcl("session_ttl_min = \"1s\"") else { return };
    let secret = "0f0e0d0c-a-secret";
    let settings = [("token", secret), ("min_session_ttl_ms", "1000")];
    let proxy = Proxy::before(&consul);
    log::set_level(Some(Level::Info));
    let mut records = Vec::new();
    let mut taken =
        |area: &str, about: &str, part: &str| logged(&mut records, area, about, part).level;
    let client = client_with(proxy.address(), &settings);
    assert_eq!(taken("client", proxy.address(), "opened"), Level::Info);
    log::set_level(Some(Level::Debug));
    let in_a_path = "1a2b3c4d-a-secret";
    let path = format!("/v1/acl/clone/{in_a_path}");
    let refused = client.request(&RawRequest::new(Method::Put, &path), &none()).unwrap_err();
    assert!(!refused.message().contains(in_a_path), "{refused}");
    log::set_level(Some(Level::Info));

    let name = unique("logged");
    let definition = ServiceDefinition::new(&name);
    let service = client.keep_service(KeptServiceSpec::new(definition).ttl(SECOND * 2)).unwrap();
    start(&service);
    assert_eq!(taken("registration", &name, "is registered"), Level::Info);
    let kept = client.keep_session(&session().ttl(SECOND * 6), &none()).unwrap();
    let (id, key) = (kept.id(), unique("logged"));
    let lock = held(&client, lock_spec(&key).session(&kept));

    proxy.judge(|_| Fate::Answer(Reply::text(500, "rpc error making call: EOF")));
    assert_eq!(taken("registration", &name, "EOF"), Level::Warning);
    assert_eq!(taken("session", &id, "EOF"), Level::Warning);
    assert_eq!(taken("lock", &key, "EOF"), Level::Warning);
    proxy.open();
    assert_eq!(taken("registration", &name, "well again"), Level::Info);
    assert_eq!(taken("session", &id, "renewed again"), Level::Info);

    consul.restart();
    assert_eq!(taken("registration", &name, "the agent has lost"), Level::Warning);
    assert_eq!(taken("session", &id, "ended"), Level::Error);
    assert_eq!(taken("lock", &key, "is lost"), Level::Error);
    assert!(!lock.is_held());
    drop((lock, kept));

    let path = std::env::temp_dir().join(unique("consul-ffi-log"));
    log::set_file(Some(&path)).unwrap();
    close(&service);
    client.shutdown();
    let text = std::fs::read_to_string(&path).unwrap();
    log::set_file(None).unwrap();
    log::set_level(None);
    std::fs::remove_file(&path).unwrap();
    assert!(text.contains(&format!("{name} is deregistered")), "{text}");
    assert!(text.contains(&format!("closed for {}", proxy.address())), "{text}");
    for secret in [secret, in_a_path] {
        assert!(records.iter().all(|record| !record.message.contains(secret)));
    }
    assert!(!text.contains(secret));
    // An outage is one warning, however often it was looked for.
    let outages = records
        .iter()
        .filter(|record| record.area == "registration" && record.message.contains("EOF"));
    assert_eq!(outages.count(), 1);
}

/// An agent that takes every service, as long as the flag says so.
fn registry(allows: &Arc<AtomicBool>) -> Server {
    let allows = allows.clone();
    Server::answering(move |request| match request.path() {
        "/v1/status/leader" => Reply::json(200, "\"127.0.0.1:8300\""),
        path if path.contains("/health/") => Reply::text(404, "no such service"),
        _ if allows.load(SeqCst) => Reply::bytes(200, Vec::new()),
        _ => Reply::text(403, "Permission denied"),
    })
}

/// That a service is registered for the first time is nothing to warn of, and that it could not be is
/// no success.
#[test]
fn a_service_that_has_moved_is_told_of_when_it_has() {
    let _log = LOG.lock().unwrap_or_else(PoisonError::into_inner);
    let allows = Arc::new(AtomicBool::new(false));
    let (a, b) = (registry(&allows), registry(&allows));
    let addresses = format!("{},{}", a.address(), b.address());
    let settings = [("health_check_interval_ms", "50"), ("health_check_timeout_ms", "500")];
    let client = client_with(&addresses, &settings);
    let name = unique("wanders");
    let spec = KeptServiceSpec::new(ServiceDefinition::new(&name)).ttl(SECOND * 2);
    log::set_level(Some(Level::Info));
    let service = client.keep_service(spec).unwrap();
    assert_eq!(service.start().unwrap_err().status(), consul_ffi::Status::Denied);
    allows.store(true, SeqCst);
    eventually("registered", || service.is_registered());
    drop(a);
    let mut records = Vec::new();
    let moved = logged(&mut records, "registration", &name, "moved");
    assert_eq!(moved.level, Level::Warning);
    assert!(moved.message.contains(b.address()), "{moved}");
    service.close().unwrap();
    log::set_level(None);
    records.extend(std::iter::from_fn(log::take));
    let about = |part: &str| {
        let is = |record: &&Record| record.message.contains(&name) && record.message.contains(part);
        records.iter().filter(is).count()
    };
    assert_eq!((about("registered with"), about("moved")), (0, 1), "{records:?}");
    assert!(b.requests().iter().any(|request| request.path().ends_with("/service/register")));
}

/// Consul's own HTTP check understands what the report says to send.
#[test]
fn consuls_http_check_takes_the_status_of_a_report() {
    let Some(consul) = consul() else { return };
    let client = client_of(consul);
    let report = Arc::new(HealthReport::new(Some(&client)));
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let server = std::thread::spawn({
        let report = report.clone();
        move || serve(&listener, &report)
    });
    let id = unique("report");
    let check = CheckDefinition::new(&id).http(format!("http://{address}/health")).interval(SECOND);
    client.agent().register_check(&check, &none()).unwrap();
    let status = || {
        let checks = consul.get("/v1/agent/checks").json();
        checks[&id]["Status"].as_str().unwrap().to_string()
    };
    for word in [CheckStatus::Passing, CheckStatus::Warning, CheckStatus::Critical] {
        report.set("part", word, "", None).unwrap();
        eventually(word.as_str(), || status() == word.as_str());
    }
    client.agent().deregister_check(&id, &none()).unwrap();
    report.set("end", CheckStatus::Passing, "", None).unwrap();
    drop(std::net::TcpStream::connect(address).unwrap());
    server.join().unwrap();
}

/// Answers with the report until it has a part that is called `end`.
fn serve(listener: &TcpListener, report: &HealthReport) {
    loop {
        let (mut stream, _) = listener.accept().unwrap();
        let document = report.document();
        if document.json.contains(r#""name":"end""#) {
            return;
        }
        let _ = stream.read(&mut [0; 4096]);
        let head = format!("HTTP/1.1 {} Health\r\nConnection: close\r\n", document.http_status);
        let length = format!("Content-Length: {}\r\n\r\n", document.json.len());
        let _ = stream.write_all((head + &length + &document.json).as_bytes());
    }
}
