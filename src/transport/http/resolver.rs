//! From a host name to addresses, within a deadline.

use super::call::{Call, Phase};
use super::failure;
use super::wait::Wait;
use crate::error::{Error, Result};
use crate::sync::Mutex;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long an answer is used without asking again.
const FRESH: Duration = Duration::from_secs(30);
/// How long to wait for a new answer while an old one is at hand.
const PATIENCE: Duration = Duration::from_secs(2);

/// The addresses of one host.
#[derive(Debug)]
pub(super) enum Resolver {
    /// They need no look-up.
    Known(Vec<SocketAddr>),
    Name(Arc<Name>),
}

#[derive(Debug)]
pub(super) struct Name {
    host: String,
    port: u16,
    lookup: fn(&str, u16) -> std::io::Result<Vec<SocketAddr>>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// The last good answer, kept when a later look-up fails.
    addresses: Option<(Instant, Vec<SocketAddr>)>,
    failure: Option<Error>,
    running: bool,
    waiting: Vec<Arc<Call>>,
}

impl Resolver {
    pub(super) fn new(host: &str, port: u16) -> Resolver {
        if let Ok(ip) = host.parse::<IpAddr>() {
            return Resolver::Known(vec![SocketAddr::new(ip, port)]);
        }
        // What "localhost" means needs no name service (RFC 6761, section 6.3).
        if host.eq_ignore_ascii_case("localhost") {
            let loopback = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];
            return Resolver::Known(loopback.map(|ip| SocketAddr::new(ip, port)).to_vec());
        }
        Resolver::Name(Arc::new(Name::new(host, port, system_lookup)))
    }

    pub(super) async fn addresses<W: Wait>(
        &self,
        wait: &W,
        call: &Arc<Call>,
    ) -> Result<Vec<SocketAddr>> {
        match self {
            Resolver::Known(addresses) => Ok(addresses.clone()),
            Resolver::Name(name) => name.addresses(wait, call).await,
        }
    }
}

enum Asked {
    Known(Vec<SocketAddr>),
    /// A look-up runs; until then it is waited for.
    Until(Instant),
}

fn system_lookup(host: &str, port: u16) -> std::io::Result<Vec<SocketAddr>> {
    (host, port).to_socket_addrs().map(Iterator::collect)
}

impl Name {
    fn new(
        host: &str,
        port: u16,
        lookup: fn(&str, u16) -> std::io::Result<Vec<SocketAddr>>,
    ) -> Name {
        Name { host: host.to_owned(), port, lookup, state: Mutex::default() }
    }

    async fn addresses<W: Wait>(
        self: &Arc<Self>,
        wait: &W,
        call: &Arc<Call>,
    ) -> Result<Vec<SocketAddr>> {
        match self.ask(call)? {
            Asked::Known(addresses) => Ok(addresses),
            Asked::Until(until) => self.conclude(call, wait.wait(call, until).await),
        }
    }

    fn ask(self: &Arc<Self>, call: &Arc<Call>) -> Result<Asked> {
        call.enter(Phase::Lookup);
        let mut state = self.state.lock();
        let until = match &state.addresses {
            Some((at, addresses)) if at.elapsed() < FRESH => {
                return Ok(Asked::Known(addresses.clone()));
            }
            Some(_) => call.connect_by.min(Instant::now() + PATIENCE.min(call.rest()? / 2)),
            None => call.connect_by,
        };
        if !state.running {
            self.start(&mut state)?;
        }
        state.waiting.push(call.clone());
        Ok(Asked::Until(until))
    }

    fn conclude(&self, call: &Arc<Call>, waited: Result<bool>) -> Result<Vec<SocketAddr>> {
        let mut state = self.state.lock();
        state.waiting.retain(|waiting| !Arc::ptr_eq(waiting, call));
        waited?;
        match (&state.addresses, &state.failure) {
            (Some((_, addresses)), _) => Ok(addresses.clone()),
            (None, Some(failure)) if !state.running => Err(failure.clone()),
            (None, _) => Err(call.timeout()),
        }
    }

    /// Looks up on a thread of its own: nothing can cut a look-up short, but who waits for it can
    /// go on.
    fn start(self: &Arc<Self>, state: &mut State) -> Result<()> {
        let (name, told) = (self.clone(), self.clone());
        let look_up = move || (name.lookup)(&name.host, name.port);
        crate::sys::spawn_then("consul-dns", look_up, move |answer| told.finish(answer))
            .map_err(|error| failure::connect(format_args!("no thread for a look-up: {error}")))?;
        state.running = true;
        Ok(())
    }

    fn finish(&self, answer: std::io::Result<Vec<SocketAddr>>) {
        let mut state = self.state.lock();
        state.running = false;
        match answer {
            Ok(addresses) if !addresses.is_empty() => {
                state.addresses = Some((Instant::now(), addresses));
                state.failure = None;
            }
            Ok(_) => state.failure = Some(self.failure("it has no address")),
            Err(error) => state.failure = Some(self.failure(error)),
        }
        for call in std::mem::take(&mut state.waiting) {
            call.signal();
        }
    }

    fn failure(&self, cause: impl std::fmt::Display) -> Error {
        failure::connect(format_args!("cannot look up the host {:?}: {cause}", self.host))
    }
}

#[cfg(test)]
mod tests {
    use super::{FRESH, Name, Resolver};
    use crate::error::{Error, Result, Status};
    use crate::runtime::at_once;
    use crate::runtime::io::Io;
    use crate::transport::cancel::Interrupt;
    use crate::transport::http::blocking::Blocking;
    use crate::transport::http::call::Call;
    use std::future::poll_fn;
    use std::net::SocketAddr;
    use std::sync::Arc;
    use std::sync::mpsc::channel;
    use std::task::Poll;
    use std::time::{Duration, Instant};

    fn call(rest: Duration) -> Arc<Call> {
        let end = Instant::now() + rest;
        Call::new(end, end, false)
    }

    /// Asks on this thread, or in a task.
    fn ask(name: &Arc<Name>, call: &Arc<Call>, in_task: bool) -> Result<Vec<SocketAddr>> {
        if !in_task {
            return at_once(name.addresses(&Blocking, call));
        }
        let (io, (send, answer)) = (Io::get().unwrap(), channel());
        let (name, call, wake) = (name.clone(), call.clone(), io.clone());
        io.spawn(async move {
            let waker = poll_fn(|context| Poll::Ready(context.waker().clone())).await;
            call.run_in(&waker);
            let _deadline = wake.wake_at(call.deadline, &waker);
            let _ = send.send(name.addresses(&wake, &call).await);
            call.leave_task();
        });
        answer.recv().unwrap()
    }

    fn found(_: &str, port: u16) -> std::io::Result<Vec<SocketAddr>> {
        Ok(vec![SocketAddr::from(([127, 0, 0, 9], port))])
    }

    fn missing(_: &str, _: u16) -> std::io::Result<Vec<SocketAddr>> {
        Err(std::io::Error::other("no such name"))
    }

    fn stuck(_: &str, _: u16) -> std::io::Result<Vec<SocketAddr>> {
        loop {
            std::thread::park();
        }
    }

    #[test]
    fn literals_and_localhost_need_no_lookup() {
        for (host, expected) in [
            ("127.0.0.1", &["127.0.0.1:1"][..]),
            ("::1", &["[::1]:1"]),
            ("LocalHost", &["127.0.0.1:1", "[::1]:1"]),
        ] {
            let resolver = Resolver::new(host, 1);
            assert!(matches!(resolver, Resolver::Known(_)), "{host}");
            let addresses = at_once(resolver.addresses(&Blocking, &call(Duration::ZERO))).unwrap();
            assert_eq!(addresses.iter().map(ToString::to_string).collect::<Vec<_>>(), expected);
        }
    }

    #[test]
    fn a_name_is_looked_up_once() {
        for in_task in [false, true] {
            let name = Arc::new(Name::new("consul", 5, found));
            for _ in 0..2 {
                let addresses = ask(&name, &call(Duration::from_secs(60)), in_task).unwrap();
                assert_eq!(addresses, found("consul", 5).unwrap());
            }
            let failing = Arc::new(Name::new("consul", 5, missing));
            let error = ask(&failing, &call(Duration::from_secs(60)), in_task).unwrap_err();
            assert_eq!(error.status(), Status::Connect);
            assert_eq!(error.message(), "cannot look up the host \"consul\": no such name");
        }
    }

    #[test]
    fn a_failed_lookup_keeps_the_last_good_answer() {
        for in_task in [false, true] {
            let name = Arc::new(Name::new("consul", 5, missing));
            let old = Instant::now().checked_sub(FRESH).unwrap();
            name.state.lock().addresses = Some((old, found("consul", 5).unwrap()));
            let addresses = ask(&name, &call(Duration::from_secs(60)), in_task).unwrap();
            assert_eq!(addresses, found("consul", 5).unwrap());
        }
    }

    #[test]
    fn the_deadline_and_an_interruption_cut_the_wait() {
        for in_task in [false, true] {
            let name = Arc::new(Name::new("consul", 5, stuck));
            let error = ask(&name, &call(Duration::from_millis(10)), in_task).unwrap_err();
            assert_eq!(error.status(), Status::Timeout);
            assert!(error.message().contains("looking up"), "{error}");

            let cancelled = call(Duration::from_secs(60));
            let waiting = std::thread::spawn({
                let (name, call) = (name.clone(), cancelled.clone());
                move || ask(&name, &call, in_task)
            });
            while name.state.lock().waiting.is_empty() {
                std::thread::yield_now();
            }
            cancelled.interrupt(&Error::new(Status::Cancelled, "enough"));
            assert_eq!(waiting.join().unwrap().unwrap_err().status(), Status::Cancelled);
            assert!(name.state.lock().waiting.is_empty());
        }
    }
}
