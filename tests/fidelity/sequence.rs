//! Requests that go to both agents, with blanks for what only an agent can say.

use consul_ffi::api::raw::Method;

/// One request. In its target and body may stand, for the run to fill in: `<n>`, the sequence's own
/// name; `<node>`, the agent's; `<s0>`, `<s1>`, `<s2>`, the sessions in the order of their making;
/// `<modify>`, the last `ModifyIndex` seen; `<index>`, the last `X-Consul-Index`; `<event>`, that of
/// the events; `<hash>`, the last `ContentHash`.
#[derive(Clone)]
pub struct Step {
    pub method: Method,
    pub target: String,
    pub body: Vec<u8>,
}

impl Step {
    pub fn get(target: impl Into<String>) -> Step {
        Step { method: Method::Get, target: target.into(), body: Vec::new() }
    }

    pub fn put(target: impl Into<String>, body: impl AsRef<[u8]>) -> Step {
        Step { method: Method::Put, target: target.into(), body: body.as_ref().to_vec() }
    }

    pub fn delete(target: impl Into<String>) -> Step {
        Step { method: Method::Delete, target: target.into(), body: Vec::new() }
    }

    /// The same request by another method.
    pub fn by(self, method: Method) -> Step {
        Step { method, ..self }
    }
}

impl std::fmt::Display for Step {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.method.as_str(), self.target)?;
        match self.body.as_slice() {
            [] => Ok(()),
            body => write!(f, "  {}", String::from_utf8_lossy(body)),
        }
    }
}

/// Steps, and those that leave the agents as they were.
#[derive(Clone, Default)]
pub struct Sequence {
    pub steps: Vec<Step>,
    pub cleanup: Vec<Step>,
}

impl Sequence {
    pub fn push(&mut self, step: Step) {
        self.steps.push(step);
    }

    /// A step at the end, once however often it is asked for.
    pub fn clean(&mut self, step: Step) {
        let is_same = |other: &Step| other.target == step.target && other.body == step.body;
        if !self.cleanup.iter().any(is_same) {
            self.cleanup.push(step);
        }
    }

    /// All of it, in order.
    pub fn all(&self) -> impl Iterator<Item = &Step> {
        self.steps.iter().chain(&self.cleanup)
    }
}
