//! What one blocking query asks, and what its answers hold.

use super::content::Content;
use super::engine::IndexKind;
use super::last_good::Body;
use super::spec::{Policy, Subject, WatchSpec};
use crate::api::health::ServiceEntry;
use crate::api::raw::{Method, RawRequest};
use crate::api::{AggregatedStatus, Answer};
use crate::client::{Client, Operation, Reader};
use crate::config::Options;
use crate::error::Result;
use crate::transport::{CancelToken, Response};
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
        spec.check_kind()?;
        let query = Query {
            client: client.clone(),
            subject: spec.subject.clone(),
            options: spec.options.clone(),
            rate: spec.rated()?,
            keeps: spec.last_good_file.is_some(),
        };
        query.ask(&query.options)?;
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

    /// What it asks, in a line that says nothing of when.
    pub(super) fn question(&self) -> String {
        self.ask(&self.options).map(|operation| operation.target()).unwrap_or_default()
    }

    /// Sends one request. `done` is called on the I/O thread, or on this one where nothing could be
    /// sent.
    pub(super) fn start(&self, index: u64, wait: Duration, cancel: CancelToken, done: Done) {
        let options = Options { index, ..self.options.clone() }.wait(wait);
        match self.ask(&options) {
            Ok(operation) => operation.start(cancel, done),
            Err(error) => done(Err(error.clone()), Box::new(|_| Err(error))),
        }
    }

    /// What makes the content of an answer that was kept.
    pub(super) fn reader(&self) -> Option<Reader<Answer<Content>>> {
        self.ask(&self.options).ok()?.into_reader()
    }

    /// One request. Where a connection dies while it waits the agent may be another one afterwards,
    /// whose index is not to be waited on: so it is not sent twice.
    fn ask(&self, options: &Options) -> Result<Box<dyn Asking>> {
        let client = match options.index {
            0 => self.client.deferred(),
            _ => self.client.once().deferred(),
        };
        let near = options.near.is_some();
        Ok(match &self.subject {
            Subject::Key(key) => asking(client.kv().get(key, options)?, near, Content::Key),
            Subject::Prefix(prefix) => {
                asking(client.kv().list(prefix, options)?, near, Content::Pairs)
            }
            Subject::Service { name, tags, policy } => {
                let (policy, tags) = (*policy, tags.iter().map(String::as_str).collect::<Vec<_>>());
                let passing = policy == Policy::Passing;
                let found = client.health().service(name, passing, &tags, options)?;
                asking(found, near, move |mut entries: Vec<ServiceEntry>| {
                    entries.retain(|entry| policy.takes(entry));
                    Content::Entries(entries)
                })
            }
            Subject::Services => {
                asking(client.catalog().services(options)?, near, Content::Services)
            }
            Subject::Nodes => asking(client.catalog().nodes(options)?, near, Content::Nodes),
            Subject::ServiceChecks(service) => {
                asking(client.health().checks(service, options)?, near, Content::Checks)
            }
            Subject::NodeChecks(node) => {
                asking(client.health().node(node, options)?, near, Content::Checks)
            }
            Subject::StateChecks(state) => {
                asking(client.health().state(state.parse()?, options)?, near, Content::Checks)
            }
            Subject::Events(name) => {
                asking(client.events().list(name.as_deref(), options)?, near, Content::Events)
            }
            Subject::Path(path) => {
                let request = RawRequest::new(Method::Get, path);
                asking(client.request(&request, options)?, near, Content::Raw)
            }
        })
    }
}

/// Gets an answer as it came, and what makes the content of it.
pub(super) type Done = Box<dyn FnOnce(Result<Response>, Reader<Answer<Content>>) + Send>;

/// A request whose answer is made a content, whatever its type.
trait Asking {
    fn target(&self) -> String;
    fn start(self: Box<Self>, cancel: CancelToken, done: Done);
    fn into_reader(self: Box<Self>) -> Option<Reader<Answer<Content>>>;
}

struct Asked<T, F> {
    operation: Operation<Answer<T>>,
    wrap: F,
}

fn asking<T, F>(operation: Operation<Answer<T>>, near: bool, wrap: F) -> Box<dyn Asking>
where
    T: Send + 'static,
    F: FnOnce(T) -> Content + Send + 'static,
{
    Box::new(Asked { operation, wrap: move |value| wrap(value).sorted(near) })
}

impl<T, F> Asking for Asked<T, F>
where
    T: Send + 'static,
    F: FnOnce(T) -> Content + Send + 'static,
{
    fn target(&self) -> String {
        self.operation.target().to_string()
    }

    fn start(self: Box<Self>, cancel: CancelToken, done: Done) {
        let wrap = self.wrap;
        self.operation.start_unread(cancel, |answer, read| done(answer, wrapped(read, wrap)));
    }

    fn into_reader(self: Box<Self>) -> Option<Reader<Answer<Content>>> {
        Some(wrapped(self.operation.into_reader()?, self.wrap))
    }
}

fn wrapped<T, F>(read: Reader<Answer<T>>, wrap: F) -> Reader<Answer<Content>>
where
    T: Send + 'static,
    F: FnOnce(T) -> Content + Send + 'static,
{
    Box::new(|answer| Ok(read(answer)?.map(wrap)))
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
