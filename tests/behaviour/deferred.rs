//! Calls that do not wait: they are checked at once, begin when they are awaited, on any executor,
//! and end as those that wait do.

use crate::clients::{client_at, shared_client};
use crate::quick::{PATIENCE, in_vain, none, status_of};
use crate::support::fault::{Door, Server};
use crate::support::unique;
use consul_ffi::api::agent::ServiceDefinition;
use consul_ffi::api::raw::{Method, RawRequest};
use consul_ffi::api::session::SessionSpec;
use consul_ffi::api::txn::Txn;
use consul_ffi::recipes::lock::LockSpec;
use consul_ffi::recipes::registration::KeptServiceSpec;
use consul_ffi::{Result, Status};
use std::future::{Future, IntoFuture};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// The smallest executor there is.
pub fn wait<T>(future: impl IntoFuture<Output = Result<T>>) -> Result<T> {
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut future = pin!(future.into_future());
    let started = Instant::now();
    loop {
        if let Poll::Ready(result) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return result;
        }
        assert!(started.elapsed() < PATIENCE, "waited in vain");
        thread::park_timeout(PATIENCE);
    }
}

#[test]
fn an_awaited_call_gives_what_one_that_waits_gives() {
    let Some(client) = shared_client() else { return };
    let (later, key) = (client.deferred(), unique("deferred"));
    assert!(wait(later.kv().put(&key, b"v", 3, &none()).unwrap()).unwrap().value);
    let found = wait(later.kv().get(&key, &none()).unwrap()).unwrap();
    assert_eq!(found.value, client.kv().get(&key, &none()).unwrap().value);
    assert!(found.meta.index > 0 && found.meta.known_leader);
    let absent = wait(later.kv().get(&format!("{key}/no"), &none()).unwrap()).unwrap();
    assert!(absent.value.is_none() && absent.meta.index > 0);
    assert!(!wait(later.kv().cas(&key, b"w", 0, 0, &none()).unwrap()).unwrap().value);
    assert!(wait(later.kv().update(&key, b"w", &none()).unwrap()).unwrap().value);
    assert_eq!(client.kv().get(&key, &none()).unwrap().value.unwrap().flags, 3);
    let mut txn = Txn::new();
    txn.delete(&key).unwrap();
    assert!(wait(later.commit(&txn, &none()).unwrap()).unwrap().value.is_committed());
    let request = RawRequest::new(Method::Get, "/v1/status/leader");
    assert_eq!(wait(later.request(&request, &none()).unwrap()).unwrap().value.http_status, 200);
}

#[test]
fn several_are_awaited_in_any_order() {
    let Some(client) = shared_client() else { return };
    let (later, key) = (client.deferred(), unique("deferred"));
    let mut put: Vec<_> = (0..20)
        .map(|number| {
            let name = format!("{key}/{number}");
            later.kv().put(&name, b"", number, &none()).unwrap().into_future()
        })
        .collect();
    // All of them begin with the first look, and some may be answered by then.
    put.retain_mut(|future| match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(answer) => {
            assert!(answer.unwrap().value);
            false
        }
        Poll::Pending => true,
    });
    for future in put.into_iter().rev() {
        assert!(wait(future).unwrap().value);
    }
    assert_eq!(client.kv().list(&key, &none()).unwrap().value.len(), 20);
    client.kv().delete_prefix(&key, &none()).unwrap();
}

#[test]
fn what_is_not_allowed_is_said_before_anything_begins() {
    let client = client_at("http://127.0.0.1:1").deferred();
    assert_eq!(status_of(client.kv().get("/a", &none())), Status::Argument);
    assert_eq!(status_of(client.kv().update("/a", b"", &none())), Status::Argument);
    assert_eq!(status_of(client.session().destroy("", &none())), Status::Argument);
    let short = SessionSpec::new().ttl(Duration::from_secs(1));
    assert_eq!(status_of(client.keep_session(&short, &none())), Status::Argument);
    let huge = vec![0; 1024 * 1024];
    assert_eq!(status_of(client.kv().put("a", &huge, 0, &none())), Status::TooLarge);
}

#[test]
fn failures_say_the_same_too() {
    let client = client_at("http://127.0.0.1:1");
    let awaited = wait(client.deferred().kv().put("a", b"", 0, &none()).unwrap()).unwrap_err();
    let waited = client.kv().put("a", b"", 0, &none()).unwrap_err();
    assert_eq!((awaited.status(), awaited.is_outcome_unknown()), (Status::Connect, false));
    assert_eq!(awaited.message(), waited.message());
    assert_eq!(awaited.endpoint(), waited.endpoint());
}

#[test]
fn nothing_is_sent_before_it_is_awaited_and_dropping_it_shuts_its_connection() {
    let (send, requests) = std::sync::mpsc::channel();
    let send = std::sync::Mutex::new(send);
    let server = Server::start(Door::Tcp, move |connection| {
        connection.read_request()?;
        send.lock().unwrap().send("asked").unwrap();
        // Until the other side goes away.
        let gone = connection.read_request();
        send.lock().unwrap().send("gone").unwrap();
        gone.map(drop)
    });
    let client = client_at(server.address()).deferred();
    let operation = client.kv().get("a", &none()).unwrap();
    assert!(requests.recv_timeout(Duration::from_millis(50)).is_err());
    let mut future = operation.into_future();
    assert!(pin!(&mut future).poll(&mut Context::from_waker(Waker::noop())).is_pending());
    assert_eq!(requests.recv_timeout(PATIENCE), Ok("asked"));
    drop(future);
    assert_eq!(requests.recv_timeout(PATIENCE), Ok("gone"));
}

#[test]
fn locks_and_sessions_are_awaited_too() {
    let Some(client) = shared_client() else { return };
    let key = unique("deferred");
    let session = wait(client.deferred().keep_session(&SessionSpec::new(), &none()).unwrap());
    let session = session.unwrap();
    assert!(session.is_valid());
    let lock = client.lock(LockSpec::new(&key).session(&session)).unwrap();
    let later = lock.deferred();
    assert!(wait(later.acquire(PATIENCE).unwrap()).unwrap());
    assert!(lock.is_held());
    assert_eq!(status_of(wait(later.acquire(PATIENCE).unwrap())), Status::AlreadyHeld);
    let other = client.deferred().lock(LockSpec::new(&key)).unwrap();
    assert!(!wait(other.try_acquire().unwrap()).unwrap());
    assert!(in_vain(wait(other.acquire(Duration::from_millis(300)).unwrap())));
    wait(later.put_fenced(&key, b"mine", 0, &none()).unwrap()).unwrap();
    // The last handle of a lock ends it; this is not the last.
    drop(later);
    assert!(lock.is_held());
    wait(lock.deferred().release().unwrap()).unwrap();
    assert!(wait(other.destroy().unwrap()).unwrap());
    session.destroy().unwrap();
}

#[test]
fn a_kept_service_is_awaited_too() {
    let Some(client) = shared_client() else { return };
    let name = unique("deferred-service");
    let spec = KeptServiceSpec::new(ServiceDefinition::new(&name));
    let service = client.deferred().keep_service(spec).unwrap();
    let exists = || client.agent().service(&name, None, &none()).unwrap().is_some();
    let start = service.start().unwrap();
    assert!(!exists() && !service.is_registered());
    wait(start).unwrap();
    assert!(exists() && service.is_registered());
    wait(service.maintenance(true, "repairs").unwrap()).unwrap();
    wait(service.maintenance(false, "").unwrap()).unwrap();
    wait(service.close().unwrap()).unwrap();
    assert!(!exists());
    assert_eq!(status_of(service.blocking().start()), Status::Closed);
}
