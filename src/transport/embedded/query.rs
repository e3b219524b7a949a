//! What the reads of catalog and health have in common.

use super::NODE;
use super::filter::Filter;
use super::filter::fields::Object;
use super::state::{Service, State};
use super::wait::{Options, Read};
use super::wire::{Answer, Outcome, Wire};
use serde::Serialize;
use std::collections::BTreeMap;

/// A read's parameters.
pub(super) struct Query<'a> {
    options: Options,
    filter: &'a str,
    /// Whom the answer is to be sorted for.
    pub(super) near: String,
    /// What the nodes' metadata has to say.
    pub(super) node_meta: Vec<(String, String)>,
}

impl<'a> Query<'a> {
    pub(super) fn parse(wire: &'a Wire) -> Outcome<Query<'a>> {
        let options = Options::parse(wire)?;
        let pairs = wire.params("node-meta").map(|pair| pair.split_once(':').unwrap_or((pair, "")));
        let pairs: BTreeMap<&str, &str> = pairs.collect();
        let node_meta = pairs.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned()));
        let near = match wire.param("near") {
            "_agent" => NODE,
            name => name,
        };
        Ok(Query {
            options,
            filter: wire.param("filter"),
            near: near.to_owned(),
            node_meta: node_meta.collect(),
        })
    }

    /// The parameters, and the name at the path's end, which must be there.
    pub(super) fn named(wire: &'a Wire, missing: &str) -> Outcome<(Query<'a>, &'a str)> {
        wire.check_namespace()?;
        let query = Query::parse(wire)?;
        match wire.name() {
            "" => Err(Answer::error(400, missing)),
            name => Ok((query, name)),
        }
    }

    /// The servers are asked: from here on an error comes with the headers of an answer.
    pub(super) fn reach(&self, wire: &Wire) -> Outcome<()> {
        wire.check_datacenter().map_err(Answer::with_empty_meta)
    }

    pub(super) fn filter(&self, item: &'static Object) -> Outcome<Filter> {
        Filter::new(self.filter, item).map_err(|why| Answer::error(500, why).with_empty_meta())
    }

    pub(super) fn has_filter(&self) -> bool {
        !self.filter.is_empty()
    }

    /// The same of what an agent keeps in its cache where it is told to.
    pub(super) fn cacheable(
        &self,
        state: &State,
        wire: &Wire,
        index: u64,
        value: &impl Serialize,
    ) -> Read {
        let Read { answer, mark } = self.answer(index, value);
        Read { answer: tell_cache(state, wire, &self.options, answer), mark }
    }

    pub(super) fn answer(&self, index: u64, value: &impl Serialize) -> Read {
        let consistency = self.options.freshness.as_str();
        let answer = Answer::json(value);
        Read::at(index, answer.with_header("x-consul-effective-consistency", consistency))
    }
}

/// Tells whether an agent's cache would have had this answer: from the second time on.
pub(super) fn tell_cache(state: &State, wire: &Wire, options: &Options, answer: Answer) -> Answer {
    if !options.is_cached {
        return answer;
    }
    // Waiting for a change asks the cache for the same.
    let query = wire.query_sorted();
    let same =
        query.split('&').filter(|pair| !pair.starts_with("index=") && !pair.starts_with("wait="));
    let key = format!("{}?{}", wire.path, same.collect::<Vec<_>>().join("&"));
    if state.cached.lock().insert(key) {
        return answer.with_header("x-cache", "MISS");
    }
    answer.with_header("x-cache", "HIT").with_header("age", 0)
}

/// True where the service has every one of these tags, whatever their case.
pub(super) fn has_tags(service: &Service, tags: &[&str]) -> bool {
    let has = |wanted: &&str| {
        let wanted = wanted.to_lowercase();
        service.tags().iter().any(|tag| tag.to_lowercase() == wanted)
    };
    tags.iter().all(has)
}

/// A body that cannot be read.
pub(super) fn undecodable(why: String) -> Answer {
    Answer::error(400, format!("Request decode failed: {why}"))
}

/// Go's `strconv.ParseBool`.
pub(super) fn flag(text: &str) -> Option<bool> {
    match text {
        "1" | "t" | "T" | "TRUE" | "true" | "True" => Some(true),
        "0" | "f" | "F" | "FALSE" | "false" | "False" => Some(false),
        _ => None,
    }
}
