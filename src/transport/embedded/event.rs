//! `/v1/event/`.

use super::NODE;
use super::filter::compile;
use super::session::fresh_id;
use super::state::{Event, State};
use super::wait::{Mark, Options, Read};
use super::wire::{Answer, Outcome, Wire};
use base64_simd::STANDARD;
use regex_lite::Regex;
use serde::Serialize;

/// The most bytes of an event as it goes from agent to agent.
const MOST_BYTES: usize = 512;

/// An event as the API shows it.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Shown<'a> {
    #[serde(rename = "ID")]
    id: &'a str,
    name: &'a str,
    payload: Option<String>,
    node_filter: &'a str,
    service_filter: &'a str,
    tag_filter: &'a str,
    version: u8,
    #[serde(rename = "LTime")]
    ltime: u64,
}

impl<'a> Shown<'a> {
    fn new(event: &'a Event) -> Shown<'a> {
        let payload = &event.payload;
        Shown {
            id: &event.id,
            name: &event.name,
            payload: (!payload.is_empty()).then(|| STANDARD.encode_to_string(payload)),
            node_filter: &event.node_filter,
            service_filter: &event.service_filter,
            tag_filter: &event.tag_filter,
            version: 1,
            ltime: event.ltime,
        }
    }
}

pub(super) fn fire(state: &mut State, wire: &Wire) -> Outcome<Answer> {
    if wire.name().is_empty() {
        return Err(Answer::error(400, "Missing name"));
    }
    let event = Event {
        id: fresh_id(),
        name: wire.name().to_owned(),
        payload: wire.body.clone(),
        node_filter: wire.param("node").to_owned(),
        service_filter: wire.param("service").to_owned(),
        tag_filter: wire.param("tag").to_owned(),
        ltime: 0,
    };
    let is_meant = is_meant(state, &event).map_err(|why| Answer::error(500, why))?;
    wire.check_datacenter()?;
    check_size(&event).map_err(|why| Answer::error(500, why))?;
    let answer = Answer::json(&Shown::new(&event));
    state.fire(event, is_meant);
    Ok(answer)
}

/// Whether the event's filters mean this agent; an error is Consul's text for what is wrong with
/// them.
fn is_meant(state: &State, event: &Event) -> Result<bool, String> {
    if !event.tag_filter.is_empty() && event.service_filter.is_empty() {
        return Err("Cannot provide tag filter without service filter".to_owned());
    }
    let node = pattern("node", &event.node_filter)?;
    let service = pattern("service", &event.service_filter)?;
    let tag = pattern("tag", &event.tag_filter)?;
    let matches = |wanted: &Option<Regex>, text: &str| {
        wanted.as_ref().is_none_or(|wanted| wanted.is_match(text))
    };
    let has_service = service.is_none()
        || state.local().services().any(|found| {
            let has_tag = tag.is_none() || found.tags().iter().any(|own| matches(&tag, own));
            matches(&service, &found.id) && has_tag
        });
    Ok(matches(&node, NODE) && has_service)
}

fn pattern(what: &str, text: &str) -> Result<Option<Regex>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    compile(text).map(Some).map_err(|why| format!("Invalid {what} filter: {why}"))
}

/// Serf packs the event with its name twice; the frame around them is as long as measured.
fn check_size(event: &Event) -> Result<(), String> {
    const INNER_FRAME: usize = 50;
    const OUTER_FRAME: usize = 28;
    const PREFIX: usize = "consul:event:".len();
    let filters = [&event.node_filter, &event.service_filter, &event.tag_filter];
    let filters = filters.iter().filter(|text| !text.is_empty()).map(|text| 3 + packed(text.len()));
    let name = event.name.len();
    let inner = INNER_FRAME + packed(event.payload.len()) + packed(name) + filters.sum::<usize>();
    let refusal = |what, when| {
        Err(format!(
            "1 error occurred:\n\t* error broadcasting event to segment \"\": {what} exceeds \
             configured limit of {MOST_BYTES} bytes {when} encoding\n\n"
        ))
    };
    if PREFIX + name + inner > MOST_BYTES {
        return refusal("user event", "before");
    }
    if OUTER_FRAME + packed(PREFIX + name) + inner > MOST_BYTES {
        return refusal("encoded user event", "after");
    }
    Ok(())
}

/// The length of a text with its own length before it.
fn packed(length: usize) -> usize {
    length + if length < 32 { 1 } else { 3 }
}

pub(super) fn list(state: &State, wire: &Wire) -> Outcome<Read> {
    Options::parse(wire)?;
    let name = wire.param("name");
    let meant = |event: &&Event| name.is_empty() || event.name == name;
    let events: Vec<&Event> = state.events().heard().filter(meant).collect();
    // Nothing has an index as well, or who waits for something would ask without end.
    let index = events.last().map_or(1, |event| event.index());
    let shown: Vec<Shown<'_>> = events.into_iter().map(Shown::new).collect();
    Ok(Read { answer: Answer::json(&shown), mark: Mark::Event(index) })
}
