//! The agent of a test: a real Consul in development mode, on ports of its own, or with
//! `CONSUL_TEST_AGENT=embedded` the one in this process's memory.

use super::certs::{self, certs};
use super::embedded::{self, InMemory};
use super::http::{self, Answer, Endpoint};
use super::random;
use rustix::process::{Pid, Signal, kill_process};
use std::fs::File;
use std::io::Write;
use std::net::{TcpListener, UdpSocket};
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Mutex, MutexGuard, OnceLock};
use std::time::{Duration, Instant};

const READY_WITHIN: Duration = Duration::from_secs(120);
const PORT_CLASHES: usize = 5;

/// The agent that all tests of this process share, or None where no Consul can be had: then the
/// reason is on stderr and the test has nothing to do (with `CI` set it fails instead).
///
/// Use names from [`super::unique`] on it, and never stop it.
pub fn consul() -> Option<&'static Consul> {
    static SHARED: OnceLock<Option<Consul>> = OnceLock::new();
    // The default of 200 connections for one client address is too few for a whole suite.
    SHARED.get_or_init(|| Consul::with_hcl("limits { http_max_conns_per_client = 5000 }")).as_ref()
}

/// A running agent; it ends with this value, and with the process whatever happens to it.
///
/// What only a real one has panics for the embedded one: such a test belongs into the list
/// `tests/behaviour/real-only`.
pub struct Consul(Kind);

enum Kind {
    Real(Real),
    Embedded(InMemory),
}

struct Real {
    plan: Plan,
    process: Mutex<Process>,
    token: Option<String>,
    // Holds the unix socket.
    folder: Option<tempfile::TempDir>,
}

impl Consul {
    /// An agent with Consul's defaults. None where no Consul can be had, as for [`consul`].
    pub fn start() -> Option<Consul> {
        Consul::build().start()
    }

    /// An agent with more configuration, in Consul's own language.
    pub fn with_hcl(text: &str) -> Option<Consul> {
        Consul::build().hcl(text).start()
    }

    /// An agent still to be described.
    pub fn build() -> Builder {
        Builder::default()
    }

    /// `http://127.0.0.1:PORT`, `embedded:NAME`
    pub fn address(&self) -> String {
        match &self.0 {
            Kind::Real(real) => format!("http://127.0.0.1:{}", real.plan.ports.http),
            Kind::Embedded(agent) => agent.address().to_owned(),
        }
    }

    /// The port of plain HTTP.
    pub fn port(&self) -> u16 {
        self.real().plan.ports.http
    }

    /// `https://127.0.0.1:PORT` of an agent built with TLS.
    pub fn https_address(&self) -> String {
        format!("https://127.0.0.1:{}", self.real().plan.ports.https)
    }

    /// The socket's path of an agent built with a unix socket.
    pub fn socket(&self) -> PathBuf {
        let folder = self.real().folder.as_ref();
        folder.expect("not built with unix_socket()").path().join("consul.sock")
    }

    /// `unix:///path` of an agent built with a unix socket.
    pub fn unix_address(&self) -> String {
        format!("unix://{}", self.socket().display())
    }

    /// The management token of an agent built with ACLs.
    pub fn token(&self) -> &str {
        self.real().token.as_deref().expect("not built with acl()")
    }

    /// The name of its node in the catalog.
    pub fn node(&self) -> &str {
        match &self.0 {
            Kind::Real(real) => &real.plan.node,
            Kind::Embedded(agent) => agent.node(),
        }
    }

    /// The program, which is the command line tool too.
    pub fn binary(&self) -> &Path {
        &self.real().plan.binary
    }

    /// The agent's process id; another one after [`Consul::restart`].
    pub fn pid(&self) -> u32 {
        self.real().process().child.id()
    }

    /// Freezes the agent: it goes on accepting connections and says nothing. [`Consul::cont`] ends it.
    pub fn stop_signal(&self) {
        self.signal(Signal::STOP);
    }

    /// Thaws a frozen agent.
    pub fn cont(&self) {
        self.signal(Signal::CONT);
    }

    /// Sends a signal.
    pub fn signal(&self, signal: Signal) {
        let process = self.real().process();
        kill_process(Pid::from_child(&process.child), signal).expect("signal the agent");
    }

    /// Kills the agent as a crash would. Connections to its ports are refused from then on.
    pub fn kill(&self) {
        self.real().process().kill();
    }

    /// Kills the agent and starts it anew at the same addresses. In development mode nothing is
    /// kept: the keys are gone and the index starts again.
    pub fn restart(&self) {
        let real = self.real();
        let mut process = real.process();
        process.kill();
        *process = Process::spawn(&real.plan);
        if let Err(reason) = real.wait_ready(&mut process) {
            panic!("Consul did not come back: {reason}");
        }
    }

    /// What the agent has logged since it was started.
    pub fn log(&self) -> String {
        self.real().process().log()
    }

    /// Lets time pass for the agent: the embedded one's clock is turned, a real one takes its time.
    /// Nothing for an agent that tests share.
    pub fn pass(&self, time: Duration) {
        match &self.0 {
            Kind::Real(_) => std::thread::sleep(time),
            Kind::Embedded(agent) => agent.advance(time),
        }
    }

    /// A request of the test's own, past the library under test, with the management token if
    /// there is one. (To the embedded agent there is no way past the library: it goes by the
    /// generic request.)
    pub fn request(&self, method: &str, target: &str, body: &[u8]) -> Answer {
        match &self.0 {
            Kind::Real(real) => real.try_request(method, target, body),
            Kind::Embedded(agent) => agent.try_request(method, target, body),
        }
        .unwrap_or_else(|e| panic!("{method} {target} on Consul: {e}"))
    }

    /// GET, to see what really is there.
    pub fn get(&self, target: &str) -> Answer {
        self.request("GET", target, b"")
    }

    /// PUT.
    pub fn put(&self, target: &str, body: impl AsRef<[u8]>) -> Answer {
        self.request("PUT", target, body.as_ref())
    }

    /// DELETE.
    pub fn delete(&self, target: &str) -> Answer {
        self.request("DELETE", target, b"")
    }

    fn real(&self) -> &Real {
        match &self.0 {
            Kind::Real(real) => real,
            Kind::Embedded(_) => panic!("only a real Consul has it: see tests/behaviour/real-only"),
        }
    }
}

impl Real {
    fn try_request(&self, method: &str, target: &str, body: &[u8]) -> std::io::Result<Answer> {
        let mut headers = Vec::new();
        if let Some(token) = &self.token {
            headers.push(("X-Consul-Token", token.as_str()));
        }
        let endpoint = Endpoint::Tcp(self.plan.ports.http);
        http::request(&endpoint, method, target, &headers, body)
    }

    fn process(&self) -> MutexGuard<'_, Process> {
        self.process.lock().unwrap_or_else(|e| e.into_inner())
    }

    /// Back when the agent takes writes, its node is registered, and it is known to be ours, not another one on its port.
    fn wait_ready(&self, process: &mut Process) -> Result<(), String> {
        let deadline = Instant::now() + READY_WITHIN;
        while Instant::now() < deadline {
            if let Ok(Some(status)) = process.child.try_wait() {
                return Err(format!("it ended with {status}\n{}", process.log()));
            }
            if self.is_ready() {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        Err(format!("it took no write for {READY_WITHIN:?}\n{}", process.log()))
    }

    fn is_ready(&self) -> bool {
        let is_ours = || -> std::io::Result<bool> {
            let agent = self.try_request("GET", "/v1/agent/self", b"")?;
            if agent.status != 200 || agent.json()["Config"]["NodeName"] != self.plan.node.as_str()
            {
                return Ok(false);
            }
            let written = self.try_request("PUT", "/v1/kv/ready", b"")?;
            let deleted = self.try_request("DELETE", "/v1/kv/ready", b"")?;
            // Sessions belong to a node, which joins the catalog a moment after the first write.
            let nodes = self.try_request("GET", "/v1/catalog/nodes", b"")?;
            let is_known = nodes.text().contains(&format!("\"{}\"", self.plan.node));
            Ok(written.text() == "true" && deleted.text() == "true" && is_known)
        };
        is_ours().unwrap_or(false)
    }
}

/// An agent still to be described.
#[derive(Default)]
pub struct Builder {
    hcl: Vec<String>,
    acl: bool,
    unix_socket: bool,
    tls: Option<ClientCertificates>,
}

/// What the agent's HTTPS port asks of its clients.
#[derive(Clone, Copy)]
pub enum ClientCertificates {
    /// None.
    Ignored,
    /// One signed by the CA of [`certs`], or by that of the older guide.
    Required,
}

impl Builder {
    /// More configuration, in Consul's own language.
    pub fn hcl(mut self, text: &str) -> Builder {
        self.hcl.push(text.to_owned());
        self
    }

    /// Access control: everything is denied but to [`Consul::token`].
    pub fn acl(mut self) -> Builder {
        self.acl = true;
        self
    }

    /// Listens on a unix socket too.
    pub fn unix_socket(mut self) -> Builder {
        self.unix_socket = true;
        self
    }

    /// Listens with TLS too, with the server certificate of [`certs`].
    pub fn tls(mut self, clients: ClientCertificates) -> Builder {
        self.tls = Some(clients);
        self
    }

    /// Starts it. None where no Consul can be had, as for [`consul`].
    pub fn start(self) -> Option<Consul> {
        if embedded::is_chosen() {
            return Some(Consul(Kind::Embedded(self.start_embedded())));
        }
        self.start_real()
    }

    /// Starts a real one, whatever is chosen.
    pub fn start_real(self) -> Option<Consul> {
        let binary = binary()?;
        for _ in 1..PORT_CLASHES {
            match self.try_start(binary) {
                Err(reason) if reason.contains("address already in use") => continue,
                outcome => return Some(outcome.unwrap_or_else(|e| panic!("no agent: {e}"))),
            }
        }
        Some(self.try_start(binary).unwrap_or_else(|e| panic!("no agent: {e}")))
    }

    fn start_embedded(&self) -> InMemory {
        let is_more = self.acl || self.unix_socket || self.tls.is_some();
        assert!(!is_more, "only a real Consul has it: see tests/behaviour/real-only");
        InMemory::start(&self.hcl.join(" "))
    }

    fn try_start(&self, binary: &Binary) -> Result<Consul, String> {
        let folder = self.unix_socket.then(|| tempfile::tempdir().expect("a temporary folder"));
        let token = self.acl.then(uuid);
        let mut hcl = self.hcl.clone();
        if let Some(folder) = &folder {
            let socket = folder.path().join("consul.sock");
            hcl.push(format!("addresses {{ http = \"127.0.0.1 unix://{}\" }}", socket.display()));
        }
        if let Some(token) = &token {
            hcl.push(acl_hcl(binary, token));
        }
        if let Some(clients) = self.tls {
            hcl.push(tls_hcl(binary, clients));
        }
        if binary.minor >= 14 {
            // From 1.14 on a port of its own, and the same for every agent unless it is closed.
            hcl.push("ports { grpc_tls = -1 }".to_owned());
        }
        let plan = Plan {
            binary: binary.path.clone(),
            node: super::unique("node"),
            ports: Ports::free(),
            https: self.tls.is_some(),
            hcl,
        };
        let process = Mutex::new(Process::spawn(&plan));
        let real = Real { plan, process, token, folder };
        let ready = real.wait_ready(&mut real.process());
        ready.map(|()| Consul(Kind::Real(real)))
    }
}

fn acl_hcl(binary: &Binary, token: &str) -> String {
    // Consul 1.11 renamed tokens.master.
    let management = if binary.minor >= 11 { "initial_management" } else { "master" };
    format!(
        "acl {{ enabled = true default_policy = \"deny\" \
         tokens {{ {management} = \"{token}\" agent = \"{token}\" }} }}"
    )
}

fn tls_hcl(binary: &Binary, clients: ClientCertificates) -> String {
    let certs = certs();
    let files = format!(
        "ca_file = \"{}\" cert_file = \"{}\" key_file = \"{}\" verify_incoming = {}",
        certs.path("any-ca.pem").display(),
        certs.path(certs::SERVER.certificate).display(),
        certs.path(certs::SERVER.key).display(),
        matches!(clients, ClientCertificates::Required),
    );
    // The tls block came with Consul 1.12.
    if binary.minor >= 12 { format!("tls {{ defaults {{ {files} }} }}") } else { files }
}

/// All that is needed to start the same agent again.
struct Plan {
    binary: PathBuf,
    node: String,
    ports: Ports,
    https: bool,
    hcl: Vec<String>,
}

impl Plan {
    fn arguments(&self) -> Vec<String> {
        let ports = &self.ports;
        let mut all = vec![
            "agent".to_owned(),
            "-dev".to_owned(),
            "-bind=127.0.0.1".to_owned(),
            "-client=127.0.0.1".to_owned(),
            format!("-node={}", self.node),
            format!("-http-port={}", ports.http),
            format!("-server-port={}", ports.server),
            format!("-serf-lan-port={}", ports.serf),
            "-serf-wan-port=-1".to_owned(),
            "-dns-port=-1".to_owned(),
            "-grpc-port=-1".to_owned(),
        ];
        if self.https {
            all.push(format!("-https-port={}", ports.https));
        }
        for text in &self.hcl {
            all.extend(["-hcl".to_owned(), text.clone()]);
        }
        all
    }
}

/// Ports below those that Linux hands out by itself, so that no outgoing connection takes one
/// between the look and the agent's start.
struct Ports {
    http: u16,
    https: u16,
    server: u16,
    serf: u16,
}

impl Ports {
    fn free() -> Ports {
        // Held together until all are found, so that they differ.
        let held: [_; 4] = std::array::from_fn(|_| {
            loop {
                let port = 15_000 + (random() % 15_000) as u16;
                // Gossip needs its port for UDP too.
                if let (Ok(tcp), Ok(udp)) =
                    (TcpListener::bind(("127.0.0.1", port)), UdpSocket::bind(("127.0.0.1", port)))
                {
                    break (port, tcp, udp);
                }
            }
        });
        let [http, https, server, serf] = held.map(|(port, _, _)| port);
        Ports { http, https, server, serf }
    }
}

/// A process that ends with the pipe this one holds to it.
struct Process {
    child: Child,
    _leash: ChildStdin,
    log: File,
}

/// Runs the agent in this shell's place, beside a watcher that kills it when the pipe on standard
/// input ends: however the test process goes, the agent goes with it.
const LEASHED: &str = r#"exec 3<&0 </dev/null
{ read -r _ <&3; kill -KILL $$; } &
exec 3<&-
exec "$@""#;

impl Process {
    fn spawn(plan: &Plan) -> Process {
        let log = tempfile::tempfile().expect("a file for the agent's log");
        let output = || Stdio::from(log.try_clone().expect("a second handle to the log"));
        let mut child = Command::new("sh")
            .args(["-c", LEASHED, "sh"])
            .arg(&plan.binary)
            .args(plan.arguments())
            .stdin(Stdio::piped())
            .stdout(output())
            .stderr(output())
            .spawn()
            .expect("start sh");
        let leash = child.stdin.take().expect("the pipe to the agent");
        Process { child, _leash: leash, log }
    }

    fn kill(&mut self) {
        // It may be gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    fn log(&self) -> String {
        // Opened anew, since the agent writes through the place that our handle shares with it.
        let path = format!("/proc/self/fd/{}", self.log.as_raw_fd());
        let text = std::fs::read(path).expect("read the agent's log");
        String::from_utf8_lossy(&text).into_owned()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

struct Binary {
    path: PathBuf,
    /// The 8 of Consul 1.8.7.
    minor: u32,
}

fn binary() -> Option<&'static Binary> {
    static FOUND: OnceLock<Result<Binary, String>> = OnceLock::new();
    match FOUND.get_or_init(|| find().inspect_err(|reason| tell(reason))) {
        Ok(binary) => Some(binary),
        Err(reason) if std::env::var_os("CI").is_some() => panic!("no Consul: {reason}"),
        Err(_) => None,
    }
}

fn tell(reason: &str) {
    // Not by eprintln: that is captured, and shown only for tests that fail.
    let _ = writeln!(std::io::stderr(), "tests that need Consul are skipped: {reason}");
}

fn find() -> Result<Binary, String> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support/get-consul.sh");
    let path = PathBuf::from(output_of(Command::new("sh").arg(script))?.trim_end());
    let version = output_of(Command::new(&path).arg("version"))?;
    let minor = version.split('.').nth(1).and_then(|minor| minor.parse().ok());
    let minor = minor.ok_or_else(|| format!("{}: unknown version: {version}", path.display()))?;
    Ok(Binary { path, minor })
}

fn output_of(command: &mut Command) -> Result<String, String> {
    let output = command.output().map_err(|e| format!("{command:?}: {e}"))?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) }
}

fn uuid() -> String {
    let (a, b) = (random(), random());
    format!(
        "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
        a >> 32,
        (a >> 16) & 0xffff,
        a & 0xffff,
        b >> 48,
        b & 0xffff_ffff_ffff
    )
}
