//! The embedded agent in the place of a real Consul.

use super::http::Answer;
use consul_ffi::api::raw::RawRequest;
use consul_ffi::embedded::Embedded;
use consul_ffi::{Client, Config, Options};
use std::io;
use std::sync::OnceLock;
use std::time::Duration;

/// Whether tests are to have the embedded agent for their Consul.
pub fn is_chosen() -> bool {
    match std::env::var("CONSUL_TEST_AGENT").as_deref() {
        Ok("embedded") => true,
        Ok("real") | Err(_) => false,
        Ok(other) => panic!("CONSUL_TEST_AGENT={other}: there are embedded and real"),
    }
}

/// An agent that lives as long as this value, or a client of its address.
pub struct InMemory {
    address: String,
    node: OnceLock<String>,
    client: Client,
}

impl InMemory {
    /// With this configuration of a real one, of which it knows what tests need.
    pub fn start(hcl: &str) -> InMemory {
        let address = format!("embedded:{}", super::unique("agent"));
        let mut config = Config::without_environment();
        config.set("address", &address).expect("the address of an embedded agent");
        let client = Client::new(&config).expect("a client of an embedded agent");
        let agent = InMemory { address, node: OnceLock::new(), client };
        agent.configure(hcl);
        agent
    }

    fn configure(&self, hcl: &str) {
        let mut words = hcl.split_whitespace();
        while let Some(word) = words.next() {
            match word {
                // It has no connections.
                "limits" => words.by_ref().take_while(|word| *word != "}").for_each(drop),
                // It runs no scripts; tests of other checks share this agent.
                "enable_script_checks" => {
                    assert_eq!((words.next(), words.next()), (Some("="), Some("true")))
                }
                "session_ttl_min" => {
                    assert_eq!((words.next(), words.next()), (Some("="), Some("\"1s\"")));
                    self.control().set_session_ttl_min(Duration::from_secs(1));
                }
                _ => panic!("{hcl}: only a real Consul has it: see tests/behaviour/real-only"),
            }
        }
    }

    pub fn address(&self) -> &str {
        &self.address
    }

    pub fn node(&self) -> &str {
        self.node.get_or_init(|| {
            let own = self.try_request("GET", "/v1/agent/self", b"").expect("the agent itself");
            own.json()["Config"]["NodeName"].as_str().expect("its node").to_owned()
        })
    }

    /// Turns its clock.
    pub fn advance(&self, by: Duration) {
        self.control().advance(by);
    }

    fn control(&self) -> Embedded {
        Embedded::of(&self.client).expect("an embedded agent")
    }

    /// A request, and what came back whatever its status.
    pub fn try_request(&self, method: &str, target: &str, body: &[u8]) -> io::Result<Answer> {
        let method = method.parse().expect("a method");
        let request = RawRequest::new(method, target);
        let request = if body.is_empty() { request } else { request.body(body, "") };
        match self.client.request(&request, &Options::new()) {
            Ok(answer) => {
                let index = ("X-Consul-Index".to_owned(), answer.meta.index.to_string());
                let kind = ("Content-Type".to_owned(), answer.value.content_type);
                let (status, body) = (answer.value.http_status, answer.value.body);
                Ok(Answer { status, headers: vec![index, kind], body })
            }
            // Its message is "GET /v1/...: 500 text".
            Err(error) if error.http_status() != 0 => {
                let status = error.http_status();
                let text = error.message().split_once(&format!(": {status}"));
                let body = text.map_or("", |(_, text)| text).trim().as_bytes().to_vec();
                Ok(Answer { status, headers: Vec::new(), body })
            }
            Err(error) => Err(io::Error::other(error)),
        }
    }
}
