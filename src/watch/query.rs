//! What one blocking query asks, and what its answers hold.

use super::content::Content;
use super::engine::IndexKind;
use super::last_good::Body;
use super::spec::{Policy, Subject, WatchSpec};
use crate::api::health::{ServiceEntry, State};
use crate::api::{AggregatedStatus, Meta, catalog, event, health, json, kv, raw};
use crate::client::{Call, Client};
use crate::config::Options;
use crate::error::{Error, Result, Status};
use crate::transport::{Method, Response};
use std::sync::Arc;
use std::time::Duration;

/// What an answer held.
#[derive(Clone, Debug)]
pub(super) struct Found {
    pub(super) content: Arc<Content>,
    /// Its index, 0 where it had none.
    pub(super) index: u64,
    /// It grows with each answer of the query.
    pub(super) number: u64,
    /// The answer as it came, where somebody keeps it in a file.
    pub(super) body: Option<Arc<Body>>,
}

/// One blocking query of a client.
#[derive(Clone)]
pub(super) struct Query {
    pub(super) client: Client,
    subject: Subject,
    options: Options,
    pub(super) rate: u32,
    /// Whether its answers are kept in a file as they come.
    pub(super) keeps: bool,
}

/// Watches whose queries have the same key share one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct QueryKey {
    client: usize,
    subject: Subject,
    /// Every option, the token included: it never leaves the process.
    options: String,
    token: Option<String>,
    rate: u32,
    keeps: bool,
}

impl Query {
    /// The query of this watch. An error when it cannot be asked.
    pub(super) fn new(client: &Client, spec: &WatchSpec) -> Result<Query> {
        let query = Query {
            client: client.clone(),
            subject: spec.subject.clone(),
            options: spec.options.clone(),
            rate: spec.rated()?,
            keeps: spec.last_good_file.is_some(),
        };
        query.call(&query.options)?;
        Ok(query)
    }

    pub(super) fn key(&self) -> QueryKey {
        QueryKey {
            client: self.client.identity(),
            subject: self.subject.clone(),
            options: format!("{:?}", self.options),
            token: self.options.token.clone(),
            rate: self.rate,
            keeps: self.keeps,
        }
    }

    pub(super) fn index_kind(&self) -> IndexKind {
        match self.subject {
            Subject::Events(_) => IndexKind::Hash,
            _ => IndexKind::Counter,
        }
    }

    /// How long a request of it waits for news when nothing else does.
    pub(super) fn wait(&self) -> Duration {
        self.options.wait.unwrap_or(self.client.settings().wait)
    }

    /// The options of one request.
    pub(super) fn asking(&self, index: u64, wait: Duration) -> Options {
        Options { index, ..self.options.clone() }.wait(wait)
    }

    /// What it asks, in a line that says nothing of when.
    pub(super) fn question(&self) -> String {
        self.call(&self.options).map(|call| self.client.target_of(call)).unwrap_or_default()
    }

    /// One request.
    pub(super) fn call<'a>(&self, options: &'a Options) -> Result<Call<'a>> {
        match &self.subject {
            Subject::Key(key) => kv::get_call(key, options),
            Subject::Prefix(prefix) => kv::list_call(prefix, options),
            Subject::Service { name, tags, policy } => {
                let tags: Vec<&str> = tags.iter().map(String::as_str).collect();
                health::service_call(name, *policy == Policy::Passing, &tags, options)
            }
            Subject::Services => Ok(catalog::services_call(options)),
            Subject::Nodes => Ok(catalog::nodes_call(options)),
            Subject::ServiceChecks(service) => health::checks_call(service, options),
            Subject::NodeChecks(node) => health::node_call(node, options),
            Subject::StateChecks(state) => Ok(health::state_call(state.parse::<State>()?, options)),
            Subject::Events(name) => Ok(event::list_call(name.as_deref(), options)),
            Subject::Path(path) => raw::call(Method::Get, path, options),
        }
    }

    /// What an answer holds, in its order, and its index.
    pub(super) fn decode(&self, response: Response) -> Result<(Content, u64)> {
        let index = Meta::from_headers(&response.headers).index;
        Ok((self.content(response)?.sorted(self.options.near.is_some()), index))
    }

    fn content(&self, response: Response) -> Result<Content> {
        let client = &self.client;
        if matches!(self.subject, Subject::Key(_) | Subject::Prefix(_)) {
            refuse_foreign_404(client, &response)?;
        }
        Ok(match &self.subject {
            Subject::Key(_) => Content::Key(kv::decode_pair(client, &response)?),
            Subject::Prefix(_) => Content::Pairs(json::decode_found(client, &response)?),
            Subject::Service { policy, .. } => {
                let mut entries = json::decode_list(client, &response)?;
                entries.retain(|entry| policy.takes(entry));
                Content::Entries(entries)
            }
            Subject::Services => Content::Services(catalog::decode_services(client, &response)?),
            Subject::Nodes => Content::Nodes(json::decode_list(client, &response)?),
            Subject::ServiceChecks(_) | Subject::NodeChecks(_) | Subject::StateChecks(_) => {
                Content::Checks(json::decode_list(client, &response)?)
            }
            Subject::Events(_) => Content::Events(json::decode_list(client, &response)?),
            Subject::Path(_) => Content::Raw(raw::answer(response)),
        })
    }
}

impl Policy {
    fn takes(self, entry: &ServiceEntry) -> bool {
        match self {
            // Consul has left the others out.
            Policy::Passing | Policy::Any => true,
            Policy::PassingOrWarning => {
                matches!(
                    entry.status(),
                    Some(AggregatedStatus::Passing | AggregatedStatus::Warning)
                )
            }
        }
    }
}

/// Consul's own 404 for a key has no body. One that has comes from something in between, and does
/// not tell that there is no key.
fn refuse_foreign_404(client: &Client, response: &Response) -> Result<()> {
    if response.status != 404 || response.body.is_empty() {
        return Ok(());
    }
    let error = Error::new(Status::Http, "404 with a text, which is not Consul's \"no such key\"");
    Err(error.with_http_status(404).with_endpoint(client.endpoint()))
}
