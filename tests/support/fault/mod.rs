//! Servers that do what a healthy Consul never does.
//!
//! The simple kind answers each request, on as many connections as come:
//!
//! ```ignore
//! let server = Server::answering(|_| Reply::json(200, "[]"));
//! ```
//!
//! The other kind runs a script on each connection, in a thread of its own:
//!
//! ```ignore
//! let server = Server::start(Door::Tcp, |connection| match connection.number() {
//!     0 => {
//!         connection.read_request()?;
//!         connection.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")?;
//!         connection.reset()
//!     }
//!     _ => connection.serve(|_| Reply::text(200, "true")),
//! });
//! ```
//!
//! A script that gets an error from its connection simply ends with it (`?`); one that panics
//! fails the test when the server is dropped. When a script ends, its connection is closed.

mod connection;
mod message;
mod socket;

pub use connection::Connection;
pub use message::{Reply, Request};

use super::certs::{Pair, certs};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use socket::{Listener, Socket};
use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How long a test waits for what must come.
const PATIENCE: Duration = Duration::from_secs(60);

/// Where a server listens.
#[derive(Clone, Copy, Debug)]
pub enum Door {
    /// A free port of 127.0.0.1.
    Tcp,
    /// A unix socket in a folder of its own.
    Unix,
    /// A free port of 127.0.0.1 with TLS and this certificate. The handshake takes place at the
    /// script's first read or write.
    Tls(Pair),
}

/// A listening server; dropping it ends all its connections and threads.
pub struct Server {
    shared: Arc<Shared>,
    address: String,
    listener: Arc<Listener>,
    acceptor: Option<JoinHandle<()>>,
    // Connections that nobody accepts.
    _fillers: Vec<Socket>,
    // Holds the unix socket.
    _folder: Option<tempfile::TempDir>,
}

type Script = dyn Fn(&mut Connection) -> io::Result<()> + Send + Sync;

impl Server {
    /// Answers each request on plain TCP, connections kept alive.
    pub fn answering(answer: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Server {
        Server::answering_at(Door::Tcp, answer)
    }

    /// Answers each request, connections kept alive.
    pub fn answering_at(
        door: Door,
        answer: impl Fn(&Request) -> Reply + Send + Sync + 'static,
    ) -> Server {
        Server::start(door, move |connection| connection.serve(&answer))
    }

    /// Runs the script on each connection.
    pub fn start(
        door: Door,
        script: impl Fn(&mut Connection) -> io::Result<()> + Send + Sync + 'static,
    ) -> Server {
        let mut server = Server::listening(door, 128);
        let tls = match door {
            Door::Tls(pair) => Some(tls_config(pair)),
            Door::Tcp | Door::Unix => None,
        };
        let (shared, listener) = (Arc::clone(&server.shared), Arc::clone(&server.listener));
        let script: Arc<Script> = Arc::new(script);
        server.acceptor =
            Some(std::thread::spawn(move || accept_all(&shared, &listener, tls, script)));
        server
    }

    /// Accepts, takes whatever is sent and never says a word.
    pub fn black_hole() -> Server {
        Server::start(Door::Tcp, |connection| {
            loop {
                connection.read_request()?;
            }
        })
    }

    /// Listens and never accepts, with its queue full: connecting takes for ever on TCP, and is
    /// refused with EAGAIN to who does not want to block on a unix socket. Not for TLS.
    pub fn full_backlog(door: Door) -> Server {
        let mut server = Server::listening(door, 0);
        while let Some(filler) = server.listener.try_connect(Duration::from_millis(200)) {
            server._fillers.push(filler);
        }
        server
    }

    /// An address at which nobody listens: connections are refused. The port stays taken, so that it
    /// becomes nobody else's.
    pub fn refused_address() -> String {
        format!("http://127.0.0.1:{}", socket::deaf_port())
    }

    /// What a client is given: `http://127.0.0.1:PORT`, `https://…` or `unix:///path`.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// The port of a server on TCP or TLS.
    pub fn port(&self) -> u16 {
        self.listener.port().expect("a unix socket has no port")
    }

    /// How many connections came so far.
    pub fn connections(&self) -> usize {
        self.shared.lock().connections
    }

    /// How many connections are open now, as far as the scripts know.
    pub fn open_connections(&self) -> usize {
        self.shared.lock().open.len()
    }

    /// All requests read so far, in the order in which they were whole.
    pub fn requests(&self) -> Vec<Request> {
        self.shared.lock().requests.clone()
    }

    /// The only request so far.
    pub fn request(&self) -> Request {
        let mut requests = self.requests();
        assert_eq!(requests.len(), 1, "requests: {requests:?}");
        requests.remove(0)
    }

    /// Waits until so many requests have been read, and gives all of them.
    pub fn wait_for_requests(&self, count: usize) -> Vec<Request> {
        self.shared
            .wait_until(PATIENCE, |state| state.requests.len() >= count)
            .unwrap_or_else(|state| panic!("{count} requests expected: {:?}", state.requests))
            .requests
            .clone()
    }

    /// Waits until so many connections have come.
    pub fn wait_for_connections(&self, count: usize) {
        let waited = self.shared.wait_until(PATIENCE, |state| state.connections >= count);
        if let Err(state) = waited {
            panic!("{count} connections expected, {} came", state.connections);
        }
    }

    /// Waits until so many connections, no more, are open.
    pub fn wait_for_open_connections(&self, count: usize) {
        let waited = self.shared.wait_until(PATIENCE, |state| state.open.len() == count);
        if let Err(state) = waited {
            panic!("{count} open connections expected, {} are", state.open.len());
        }
    }

    /// Lets scripts go on that wait in [`Connection::wait_for_release`], for good.
    pub fn release(&self) {
        self.shared.lock().released = true;
        self.shared.changed.notify_all();
    }

    /// Ends every connection that is open now, with RST on TCP; new ones are welcome.
    pub fn reset_all(&self) {
        let open: Vec<_> = self.shared.lock().open.drain().collect();
        for (_, socket) in open {
            socket.reset();
        }
        self.shared.changed.notify_all();
    }

    fn listening(door: Door, backlog: i32) -> Server {
        let folder = matches!(door, Door::Unix).then(|| tempfile::tempdir().expect("a folder"));
        let (listener, address) = match &folder {
            Some(folder) => {
                let path = folder.path().join("fault.sock");
                let address = format!("unix://{}", path.display());
                (Listener::unix(&path, backlog), address)
            }
            None => {
                let listener = Listener::tcp(backlog);
                let port = listener.port().expect("a port");
                let scheme = if matches!(door, Door::Tls(_)) { "https" } else { "http" };
                (listener, format!("{scheme}://127.0.0.1:{port}"))
            }
        };
        Server {
            shared: Arc::default(),
            address,
            listener: Arc::new(listener),
            acceptor: None,
            _fillers: Vec::new(),
            _folder: folder,
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let open: Vec<_> = {
            let mut state = self.shared.lock();
            state.closing = true;
            state.open.drain().collect()
        };
        self.shared.changed.notify_all();
        self.listener.shutdown();
        for (_, socket) in open {
            socket.shutdown();
        }
        let outcome = self.acceptor.take().map(JoinHandle::join);
        if matches!(outcome, Some(Err(_))) && !std::thread::panicking() {
            panic!("the server's script panicked, see above");
        }
    }
}

/// Accepts until the listener is shut down, then waits for all scripts.
fn accept_all(
    shared: &Arc<Shared>,
    listener: &Listener,
    tls: Option<Arc<rustls::ServerConfig>>,
    script: Arc<Script>,
) {
    let mut scripts = Vec::new();
    while let Ok(socket) = listener.accept() {
        let mut connection = Connection::new(Arc::clone(shared), socket, tls.clone());
        let script = Arc::clone(&script);
        scripts.push(std::thread::spawn(move || {
            // Ends with an error whenever the peer goes or the server is dropped.
            let _ = script(&mut connection);
        }));
    }
    let panicked = scripts.into_iter().filter_map(|script| script.join().err()).count();
    assert_eq!(panicked, 0, "a script of a connection panicked");
}

fn tls_config(pair: Pair) -> Arc<rustls::ServerConfig> {
    let chain = CertificateDer::pem_file_iter(certs().path(pair.certificate))
        .and_then(Iterator::collect)
        .expect("a certificate file");
    let key = PrivateKeyDer::from_pem_file(certs().path(pair.key)).expect("a key file");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let key = provider.key_provider.load_private_key(key).expect("a key");
    // Not `with_single_cert`, which looks into the certificate and refuses what it dislikes.
    let certificate = SingleCertAndKey::from(CertifiedKey::new(chain, key));
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("the protocol versions")
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(certificate));
    Arc::new(config)
}

/// What the server, its test and its scripts know together.
#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    connections: usize,
    open: HashMap<usize, Arc<Socket>>,
    requests: Vec<Request>,
    released: bool,
    closing: bool,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(|e| e.into_inner())
    }

    /// Waits until it holds, or for as long as given: then the error has the state as it is.
    fn wait_until(
        &self,
        limit: Duration,
        holds: impl Fn(&State) -> bool,
    ) -> Result<MutexGuard<'_, State>, MutexGuard<'_, State>> {
        let deadline = Instant::now().checked_add(limit);
        let mut state = self.lock();
        while !holds(&state) {
            let left = deadline.map_or(limit, |at| at.saturating_duration_since(Instant::now()));
            if left.is_zero() {
                return Err(state);
            }
            state = self.changed.wait_timeout(state, left).unwrap_or_else(|e| e.into_inner()).0;
        }
        Ok(state)
    }
}
