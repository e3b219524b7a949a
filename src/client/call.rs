//! One call as an area of the API describes it, before the client adds what every call carries.

use super::target::Target;
use crate::config::{Consistency, Options, Settings};
use crate::transport::Method;
use std::time::Duration;

/// Which HTTP statuses are answers rather than failures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Accept {
    /// 2xx.
    Success,
    /// 2xx, and 404 for "there is none".
    NotFound,
    /// 2xx, and 409 for "rolled back".
    Conflict,
    /// 2xx, 404, 429 and 503, which are health data at some endpoints.
    Health,
}

impl Accept {
    pub(super) fn takes(self, status: u16) -> bool {
        match status {
            200..=299 => true,
            404 => matches!(self, Accept::NotFound | Accept::Health),
            409 => self == Accept::Conflict,
            429 | 503 => self == Accept::Health,
            _ => false,
        }
    }
}

/// Who may answer a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Freshness {
    /// The leader.
    Leader,
    /// Any server.
    AnyServer,
}

/// One call.
pub struct Call<'a> {
    pub(super) method: Method,
    pub(super) target: Target,
    pub(super) body: Option<&'a [u8]>,
    pub(super) content_type: Option<&'a str>,
    pub(super) options: &'a Options,
    pub(super) accept: Accept,
    pub(super) changes: bool,
    pub(super) replay: bool,
    hash: Option<&'a str>,
}

impl<'a> Call<'a> {
    /// A read: changes nothing, so it may be sent twice.
    pub(crate) fn get(target: Target, options: &'a Options) -> Call<'a> {
        Call::new(Method::Get, target, None, options).idempotent().read_only()
    }

    /// A change without a body. Consul ignores a body of unknown length in places, so the length
    /// is always said, 0 included.
    pub(crate) fn put(target: Target, options: &'a Options) -> Call<'a> {
        Call::new(Method::Put, target, Some(&[]), options)
    }

    /// A change with JSON.
    pub(crate) fn put_json(target: Target, json: &'a [u8], options: &'a Options) -> Call<'a> {
        Call::put(target, options).body(json, "application/json")
    }

    /// A deletion.
    pub(crate) fn delete(target: Target, options: &'a Options) -> Call<'a> {
        Call::new(Method::Delete, target, None, options)
    }

    /// Any method, nothing assumed about it but that a GET changes nothing.
    pub(crate) fn new(
        method: Method,
        target: Target,
        body: Option<&'a [u8]>,
        options: &'a Options,
    ) -> Call<'a> {
        Call {
            method,
            target,
            body,
            content_type: None,
            options,
            accept: Accept::Success,
            changes: true,
            replay: false,
            hash: None,
        }
    }

    /// With this body.
    pub(crate) fn body(mut self, body: &'a [u8], content_type: &'a str) -> Call<'a> {
        self.body = Some(body);
        self.content_type = Some(content_type);
        self
    }

    /// With these HTTP statuses as answers.
    pub(crate) fn accept(mut self, accept: Accept) -> Call<'a> {
        self.accept = accept;
        self
    }

    /// Sending it twice ends as sending it once.
    pub(crate) fn idempotent(mut self) -> Call<'a> {
        self.replay = true;
        self
    }

    /// Makes it a blocking query by content: the answer comes when its hash is not this one any
    /// more, or when the wait is over
    /// (<https://developer.hashicorp.com/consul/api-docs/features/blocking#hash-based-blocking-queries>).
    pub(crate) fn unless_hash(mut self, hash: Option<&'a str>) -> Call<'a> {
        self.hash = hash.filter(|hash| !hash.is_empty());
        self
    }

    /// It changes nothing, whatever its method.
    pub(crate) fn read_only(mut self) -> Call<'a> {
        self.changes = false;
        self
    }

    /// True when it may change something.
    pub(crate) fn changes(&self) -> bool {
        self.changes
    }

    /// How long the whole call may take. A blocking query is held by Consul for its wait and up to
    /// a sixteenth of it more, which comes on top.
    pub(super) fn timeout(&self, settings: &Settings) -> Duration {
        self.options.timeout.unwrap_or(settings.timeout) + self.held(settings)
    }

    /// How long Consul may hold the answer of a blocking query.
    pub(super) fn held(&self, settings: &Settings) -> Duration {
        self.wait(settings).map_or(Duration::ZERO, |wait| wait + wait / 16)
    }

    /// Whether it asks or changes what one agent has: no other one can do it in its place.
    pub(super) fn is_local(&self) -> bool {
        let target = self.target.as_str();
        target.starts_with("/v1/agent/") || target.starts_with("/v1/status/")
    }

    /// Who may answer it.
    pub(super) fn freshness(&self, settings: &Settings) -> Freshness {
        let stale = self.consistency(settings) == Consistency::Stale || self.options.cached;
        if stale && !self.changes { Freshness::AnyServer } else { Freshness::Leader }
    }

    /// Whether any server may answer it while there is no leader.
    pub(super) fn falls_back(&self, settings: &Settings) -> bool {
        let wanted = self.options.stale_on_no_leader.unwrap_or(settings.stale_on_no_leader);
        wanted && !self.changes && self.consistency(settings) == Consistency::Default
    }

    /// How old an answer of any server may be.
    pub(super) fn max_stale(&self, settings: &Settings) -> Option<Duration> {
        self.options.max_stale.or(settings.max_stale)
    }

    fn consistency(&self, settings: &Settings) -> Consistency {
        self.options.consistency.unwrap_or(settings.consistency)
    }

    /// How long Consul shall wait for news, when it is a blocking query.
    fn wait(&self, settings: &Settings) -> Option<Duration> {
        let blocks = self.options.index > 0 || self.hash.is_some();
        blocks.then(|| self.options.wait.unwrap_or(settings.wait))
    }

    /// The target with the parameters that the options and the client's settings add.
    pub(super) fn into_target(self, settings: &Settings) -> Target {
        let options = self.options;
        let (wait, consistency) = (self.wait(settings), self.consistency(settings));
        let max_stale = settings.max_stale.filter(|_| consistency == Consistency::Stale);
        let mut target = self.target;
        let scope: [(&str, Option<&str>); 3] = [
            ("dc", options.datacenter.as_deref().or(settings.datacenter.as_deref())),
            ("ns", options.namespace.as_deref().or(settings.namespace.as_deref())),
            ("partition", options.partition.as_deref().or(settings.partition.as_deref())),
        ];
        for (name, value) in scope {
            if let Some(value) = value {
                target = target.param(name, value);
            }
        }
        if self.changes {
            return target;
        }
        target = match consistency {
            Consistency::Default => target,
            Consistency::Consistent => target.flag("consistent"),
            Consistency::Stale => target.flag("stale"),
        };
        if options.index > 0 {
            target = target.number("index", options.index);
        }
        if let Some(hash) = self.hash {
            target = target.param("hash", hash);
        }
        if let Some(wait) = wait {
            target = target.duration("wait", wait);
        }
        if let Some(age) = options.max_stale.or(max_stale) {
            target = target.duration("max_stale", age);
        }
        if options.cached {
            target = target.flag("cached");
        }
        if let Some(near) = &options.near {
            target = target.param("near", near);
        }
        if let Some(filter) = &options.filter {
            target = target.param("filter", filter);
        }
        for (key, value) in &options.node_meta {
            target = target.param("node-meta", &format!("{key}:{value}"));
        }
        target
    }
}
