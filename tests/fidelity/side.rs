//! One of the two agents that are compared, and what it says to a sequence.

use crate::normal::{self, Own};
use crate::sequence::{Sequence, Step};
use crate::support::Consul;
use consul_ffi::api::raw::{Method, RawRequest};
use consul_ffi::{Client, Config, Options};
use std::time::{Duration, Instant};

/// How long a test waits for what must come.
const PATIENCE: Duration = Duration::from_secs(60);

/// An agent that nobody else uses, so that its indexes move by this sequence alone.
pub struct Side {
    client: Client,
    own: Own,
    // Ends with this side.
    real: Option<Consul>,
}

/// What came back for one request.
pub struct Answer {
    /// The status, the content type, the headers that mean something, the body.
    pub text: String,
    /// `X-Consul-Index`, 0 where there was none or the answer was an error.
    pub index: u64,
}

impl Side {
    /// A real Consul; None where none can be had.
    pub fn real() -> Option<Side> {
        let consul = Consul::build().start_real()?;
        let mut side = Side::at(&consul.address());
        side.real = Some(consul);
        Some(side)
    }

    pub fn at(address: &str) -> Side {
        let mut config = Config::new();
        config.set("address", address).expect("the address");
        // For an agent on a busy machine.
        config.set("timeout_ms", "60000").expect("a time-out");
        let client = Client::new(&config).expect("a client");
        let own = Own { node: String::new(), server_port: String::new(), started: 0 };
        let mut side = Side { client, own, real: None };
        side.own = side.settled();
        side
    }

    /// Waits until the agent is done with its start, which happens in any order, and moves every
    /// index beyond it.
    fn settled(&self) -> Own {
        let deadline = Instant::now() + PATIENCE;
        let own = loop {
            let own = self.ask(&Step::get("/v1/catalog/service/consul"));
            let synchronised = own.text.contains("\"lan\": \"");
            if synchronised {
                break own;
            }
            assert!(Instant::now() < deadline, "the agent never told its addresses: {}", own.text);
            std::thread::sleep(Duration::from_millis(5));
        };
        let text = |key| member(&own.text, key).unwrap_or_default().to_owned();
        let node = r#"{"Node": "start", "Address": "::1", "Service": {"Service": "start"},
            "Check": {"Name": "start", "ServiceID": "start"}}"#;
        let registered = self.ask(&Step::put("/v1/catalog/register", node));
        assert!(registered.text.contains("true"), "{}", registered.text);
        let started = self.ask(&Step::get("/v1/catalog/service/start")).index;
        self.ask(&Step::put("/v1/catalog/deregister", r#"{"Node": "start"}"#));
        self.ask(&Step::put("/v1/kv/start", ""));
        let session = self.ask(&Step::put("/v1/session/create", ""));
        let session = member(&session.text, "\"ID\": \"").expect("a session").to_owned();
        self.ask(&Step::put(format!("/v1/session/destroy/{session}"), ""));
        Own { node: text("\"Node\": \""), server_port: text("\"ServicePort\": "), started }
    }

    pub fn node(&self) -> &str {
        &self.own.node
    }

    /// What there is to refer to before the first step.
    pub fn nothing_seen(&self, name: &str) -> Seen {
        let (name, node) = (name.to_owned(), self.own.node.clone());
        let (modify, index, event) = (1, 1, 1);
        Seen { name, node, sessions: Vec::new(), modify, index, event, hash: String::new() }
    }

    /// The same agent, for another thread.
    pub fn another(&self) -> Side {
        Side { client: self.client.clone(), own: self.own.clone(), real: None }
    }

    pub fn client(&self) -> &Client {
        &self.client
    }

    pub fn ask(&self, step: &Step) -> Answer {
        let request = RawRequest::new(step.method, &step.target);
        let request = match step.body.as_slice() {
            [] => request,
            body => request.body(body, ""),
        };
        match self.client.request(&request, &Options::new()) {
            Ok(answer) => {
                let (value, meta) = (answer.value, answer.meta);
                let body = match std::str::from_utf8(&value.body) {
                    Ok(body) => body.to_owned(),
                    Err(_) => format!("{:?}", value.body),
                };
                let known = meta.known_leader;
                Answer {
                    text: format!(
                        "{} {} contact={} leader={known}\n{body}",
                        value.http_status, value.content_type, meta.last_contact_ms,
                    ),
                    index: meta.index,
                }
            }
            Err(error) => {
                if error.http_status() == 0 {
                    let log = self.real.as_ref().map(Consul::log).unwrap_or_default();
                    panic!("{step}: {error}\n{log}");
                }
                Answer { text: error.message().to_owned(), index: 0 }
            }
        }
    }

    /// Runs the steps, and gives what came back in a form in which two agents can be compared.
    pub fn run(&self, name: &str, sequence: &Sequence) -> Run {
        let started = Instant::now();
        let mut seen = self.nothing_seen(name);
        let mut steps = Vec::new();
        let mut answers = Vec::new();
        let mut ask = |step: &Step, seen: &mut Seen| {
            let filled = seen.fill(step);
            let answer = self.ask(&filled);
            seen.learn(&filled, &answer);
            self.settle(name, &filled);
            steps.push(filled);
            answers.push(answer);
        };
        for step in sequence.all() {
            ask(step, &mut seen);
        }
        for session in std::mem::take(&mut seen.sessions) {
            ask(&Step::put(format!("/v1/session/destroy/{session}"), ""), &mut seen);
        }
        let took = started.elapsed();
        let answers = normal::texts(&steps, &answers, &self.own);
        Run { steps, answers, took }
    }

    /// An event is in the list a moment after it was fired, or never if it is not for this node;
    /// one fired after it comes after it.
    fn settle(&self, run: &str, step: &Step) {
        if step.method != Method::Put || !step.target.starts_with("/v1/event/fire/") {
            return;
        }
        let fired = self.ask(&Step::put(format!("/v1/event/fire/{run}-settled"), "")).text;
        let id = member(&fired, "\"ID\": \"").unwrap_or_else(|| panic!("no event: {fired}"));
        let list = Step::get(format!("/v1/event/list?name={run}-settled"));
        let deadline = Instant::now() + PATIENCE;
        while !self.ask(&list).text.contains(id) {
            assert!(Instant::now() < deadline, "the event {id} never came");
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

/// What an agent said.
pub struct Run {
    pub steps: Vec<Step>,
    pub answers: Vec<String>,
    pub took: Duration,
}

/// What later steps may refer to.
pub struct Seen {
    name: String,
    node: String,
    sessions: Vec<String>,
    modify: u64,
    index: u64,
    event: u64,
    hash: String,
}

impl Seen {
    pub fn fill(&self, step: &Step) -> Step {
        let body = match std::str::from_utf8(&step.body) {
            Ok(body) => self.filled(body).into_bytes(),
            Err(_) => step.body.clone(),
        };
        Step { method: step.method, target: self.filled(&step.target), body }
    }

    pub fn filled(&self, text: &str) -> String {
        if !text.contains('<') {
            return text.to_owned();
        }
        let mut text = text.replace("<n>", &self.name).replace("<node>", &self.node);
        for (number, blank) in ["<s0>", "<s1>", "<s2>"].into_iter().enumerate() {
            let session = self.sessions.get(number);
            text = text.replace(blank, session.map_or(NO_SESSION, String::as_str));
        }
        text.replace("<modify>", &self.modify.to_string())
            .replace("<index>", &self.index.to_string())
            .replace("<event>", &self.event.to_string())
            .replace("<hash>", &self.hash)
    }

    pub fn learn(&mut self, step: &Step, answer: &Answer) {
        if step.target.starts_with("/v1/session/create") {
            self.sessions.extend(member(&answer.text, "\"ID\": \"").map(str::to_owned));
        }
        if let Some(at) = answer.text.rfind("\"ModifyIndex\": ") {
            let modify = member(&answer.text[at..], "\"ModifyIndex\": ");
            self.modify = modify.and_then(|text| text.parse().ok()).unwrap_or(self.modify);
        }
        if let Some(hash) = member(&answer.text, "\"ContentHash\": \"") {
            self.hash = hash.to_owned();
        }
        match answer.index {
            0 => {}
            // A hash, which stands in no relation to others.
            index if step.target.starts_with("/v1/event") => self.event = index,
            index => self.index = index,
        }
    }
}

/// A session that was never made.
const NO_SESSION: &str = "00000000-0000-0000-0000-000000000000";

/// What stands after `key`, up to the end of the text or number.
fn member<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    let rest = &text[text.find(key)? + key.len()..];
    let end = rest.find(['"', ',', '\n', '}']).unwrap_or(rest.len());
    Some(&rest[..end])
}
