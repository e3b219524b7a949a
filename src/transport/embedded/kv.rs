//! `/v1/kv/`.

use super::go;
use super::state::{Entry, State, Written};
use super::wait::{Options, Read};
use super::wire::{Answer, Outcome, Wire};
use base64_simd::STANDARD;
use serde::Serialize;

/// Consul's limit of a value, `kv_max_value_size`.
const MAX_VALUE: usize = 512 * 1024;

/// An entry as the API shows it.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Pair<'a> {
    lock_index: u64,
    key: &'a str,
    flags: u64,
    value: Option<String>,
    #[serde(skip_serializing_if = "str::is_empty")]
    session: &'a str,
    create_index: u64,
    modify_index: u64,
}

impl<'a> Pair<'a> {
    pub(super) fn new(key: &'a str, entry: &'a Entry) -> Pair<'a> {
        Pair {
            lock_index: entry.lock_index,
            key,
            flags: entry.flags,
            // Nothing is null.
            value: (!entry.value.is_empty()).then(|| STANDARD.encode_to_string(&entry.value)),
            session: &entry.session,
            create_index: entry.create_index,
            modify_index: entry.modify_index,
        }
    }
}

pub(super) fn get(state: &State, wire: &Wire) -> Outcome<Read> {
    Options::parse(wire)?;
    let name = wire.name();
    if wire.has("keys") {
        return keys(state, wire);
    }
    if wire.has("recurse") {
        wire.check_scope()?;
        let index = state.kv().index_under(name);
        let pairs: Vec<Pair<'_>> =
            state.kv().under(name).map(|(key, entry)| Pair::new(key, entry)).collect();
        let answer = if pairs.is_empty() { Answer::empty(404) } else { Answer::json(&pairs) };
        return Ok(Read::at(index, answer));
    }
    check_key(name)?;
    wire.check_scope()?;
    let Some(entry) = state.kv().get(name) else {
        return Ok(Read::at(state.kv().index(), Answer::empty(404)));
    };
    let answer = if wire.has("raw") { raw(entry) } else { Answer::json(&[Pair::new(name, entry)]) };
    Ok(Read::at(entry.modify_index, answer))
}

fn raw(entry: &Entry) -> Answer {
    Answer::bytes(200, "text/plain", entry.value.to_vec())
        .with_header("content-security-policy", "sandbox")
        .with_header("x-content-type-options", "nosniff")
}

/// The names alone, cut after the separator's first occurrence behind the prefix.
fn keys(state: &State, wire: &Wire) -> Outcome<Read> {
    wire.check_scope()?;
    let prefix = wire.name();
    let spelling = if wire.has("separator") { "separator" } else { "seperator" };
    let separator = wire.param(spelling);
    let mut names: Vec<&str> = Vec::new();
    for (key, _) in state.kv().under(prefix) {
        let rest = key.get(prefix.len()..).unwrap_or_default();
        let cut = match rest.find(separator) {
            Some(at) if !separator.is_empty() => prefix.len() + at + separator.len(),
            _ => key.len(),
        };
        let name = key.get(..cut).unwrap_or(key);
        if names.last() != Some(&name) {
            names.push(name);
        }
    }
    let is_missing = names.is_empty() && !prefix.is_empty();
    let answer = if is_missing { Answer::empty(404) } else { Answer::json(&names) };
    Ok(Read::at(state.kv().index_under(prefix), answer))
}

pub(super) fn put(state: &mut State, wire: &Wire) -> Outcome<Answer> {
    Options::parse(wire)?;
    wire.check_namespace()?;
    let key = wire.name();
    check_key(key)?;
    check_flags(wire, &["cas", "acquire", "release"])?;
    let number = |name| go::parse_u64(wire.param(name)).map_err(|text| Answer::error(500, text));
    let flags = if wire.has("flags") { number("flags")? } else { 0 };
    let at = if wire.has("cas") { Some(number("cas")?) } else { None };
    check_size(wire.body.len())?;
    wire.check_datacenter()?;
    let written = Written { value: wire.body.as_slice().into(), flags };
    if wire.has("acquire") && state.kv().is_delayed(key, state.now) {
        return Ok(Answer::json(&false));
    }
    let index = state.next_index();
    let stored = if let Some(at) = at {
        Ok(state.kv_set_at(index, key, written, at))
    } else if wire.has("acquire") {
        state.kv_lock(index, key, written, wire.param("acquire"))
    } else if wire.has("release") {
        state.kv_unlock(index, key, written, wire.param("release"))
    } else {
        Ok(Some(state.kv_set(index, key, written)))
    };
    let stored = stored.map_err(|text| Answer::error(500, text))?;
    Ok(Answer::json(&stored.is_some()))
}

pub(super) fn delete(state: &mut State, wire: &Wire) -> Outcome<Answer> {
    Options::parse(wire)?;
    wire.check_namespace()?;
    check_flags(wire, &["recurse", "cas"])?;
    let key = wire.name();
    if wire.has("recurse") {
        wire.check_datacenter()?;
        let index = state.next_index();
        state.kv_delete_under(index, key);
        return Ok(Answer::json(&true));
    }
    check_key(key)?;
    let at = go::parse_u64(wire.param("cas")).map_err(|text| Answer::error(500, text));
    let at = wire.has("cas").then_some(at).transpose()?;
    wire.check_datacenter()?;
    let index = state.next_index();
    let done = match at {
        Some(at) => state.kv_delete_at(index, key, at),
        None => {
            state.kv_delete(index, key);
            true
        }
    };
    Ok(Answer::json(&done))
}

fn check_key(key: &str) -> Outcome<()> {
    if key.is_empty() { Err(Answer::error(400, "Missing key name")) } else { Ok(()) }
}

fn check_size(size: usize) -> Outcome<()> {
    if size <= MAX_VALUE {
        return Ok(());
    }
    let text = format!(
        "Request body({size} bytes) too large, max size: {MAX_VALUE} bytes. See \
         https://www.consul.io/docs/agent/options.html#kv_max_value_size."
    );
    Err(Answer::error(413, text))
}

/// Only one of these may be there.
fn check_flags(wire: &Wire, flags: &[&str]) -> Outcome<()> {
    if flags.iter().filter(|flag| wire.has(flag)).count() <= 1 {
        return Ok(());
    }
    Err(Answer::error(400, format!("Conflicting flags: {}", wire.query_sorted())))
}
