//! A real Consul behind a door that can be shut.

use crate::support::Consul;
use crate::support::fault::{Connection, Door, Reply, Request, Server};
use crate::support::http::{self, Endpoint};
use std::io;
use std::sync::{Arc, Mutex};

/// What becomes of a request.
pub enum Fate {
    /// Consul answers it.
    Pass,
    /// It never reaches Consul; this comes back.
    Answer(Reply),
    /// It never reaches Consul, and nothing comes back.
    Swallow,
    /// Consul acts on it, and the connection is reset in place of the answer.
    LoseAnswer,
    /// The connection is reset before it reaches Consul.
    Reset,
}

type Judge = dyn Fn(&Request) -> Fate + Send + Sync;

/// Stands before an agent and decides about each request.
pub struct Proxy {
    server: Server,
    judge: Arc<Mutex<Arc<Judge>>>,
}

impl Proxy {
    /// Passes everything to the agent.
    pub fn before(consul: &Consul) -> Proxy {
        let port = consul.port();
        let judge: Arc<Mutex<Arc<Judge>>> = Arc::new(Mutex::new(Arc::new(|_| Fate::Pass)));
        let asked = judge.clone();
        let server = Server::start(Door::Tcp, move |connection| {
            loop {
                let request = connection.read_request()?;
                let judge = asked.lock().unwrap().clone();
                carry_out(judge(&request), &request, port, connection)?;
            }
        });
        Proxy { server, judge }
    }

    /// Decides about every request from now on.
    pub fn judge(&self, judge: impl Fn(&Request) -> Fate + Send + Sync + 'static) {
        *self.judge.lock().unwrap() = Arc::new(judge);
    }

    /// Passes everything again.
    pub fn open(&self) {
        self.judge(|_| Fate::Pass);
    }

    pub fn address(&self) -> &str {
        self.server.address()
    }

    /// All requests so far.
    pub fn requests(&self) -> Vec<Request> {
        self.server.requests()
    }
}

fn carry_out(
    fate: Fate,
    request: &Request,
    port: u16,
    connection: &mut Connection,
) -> io::Result<()> {
    match fate {
        Fate::Pass => connection.reply(&forward(request, port)?),
        Fate::Answer(reply) => connection.reply(&reply),
        Fate::Swallow => connection.wait_for_close().and(Err(io::ErrorKind::BrokenPipe.into())),
        Fate::LoseAnswer => {
            forward(request, port)?;
            connection.reset()?;
            Err(io::ErrorKind::BrokenPipe.into())
        }
        Fate::Reset => {
            connection.reset()?;
            Err(io::ErrorKind::BrokenPipe.into())
        }
    }
}

fn forward(request: &Request, port: u16) -> io::Result<Reply> {
    let headers: Vec<(&str, &str)> = request
        .headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .filter(|(name, _)| name.to_ascii_lowercase().starts_with("x-consul-"))
        .collect();
    let endpoint = Endpoint::Tcp(port);
    let answer =
        http::request(&endpoint, &request.method, &request.target, &headers, &request.body)?;
    let mut reply = Reply::bytes(answer.status, answer.body);
    for (name, value) in &answer.headers {
        if name.to_ascii_lowercase().starts_with("x-consul-") {
            reply = reply.header(name, value);
        }
    }
    Ok(reply)
}
