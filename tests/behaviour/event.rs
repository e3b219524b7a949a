//! User events: fired, heard of, and only by whom they are meant for.

use crate::clients::{client_at, client_of, until};
use crate::support::fault::{Reply, Server};
use crate::support::{consul, unique};
use consul_ffi::api::event::{EventFilters, UserEvent};
use consul_ffi::{Client, Options, Status};

/// The one event of this name that the agent keeps.
fn heard(client: &Client, name: &str) -> UserEvent {
    let query = |options: &Options| client.events().list(Some(name), options);
    until(query, |events| events.len() == 1).value.remove(0)
}

#[test]
fn an_event_is_heard_of_with_all_that_belongs_to_it() {
    let Some(consul) = consul() else { return };
    let (client, name) = (client_of(consul), unique("deploy"));
    let payload = [0, 255, b'a'];
    let fired = client.events().fire(&name, &payload, EventFilters::default(), &Options::new());
    let fired = fired.unwrap().value;
    assert_eq!(
        (fired.name.as_str(), fired.payload.as_slice(), fired.ltime),
        (&*name, &payload[..], 0)
    );
    let event = heard(&client, &name);
    assert_eq!((&event.id, event.payload.as_slice()), (&fired.id, &payload[..]));
    assert!(event.ltime > 0);
    let all = client.events().list(None, &Options::new()).unwrap().value;
    assert!(all.contains(&event));
}

#[test]
fn an_event_is_kept_by_those_alone_whom_it_is_meant_for() {
    let Some(consul) = consul() else { return };
    let (client, name) = (client_of(consul), unique("meant"));
    let body = format!(r#"{{"Name":"{name}","Tags":["blue"]}}"#);
    consul.put("/v1/agent/service/register", body);
    let fire = |node, service, tag| {
        let filters = EventFilters { node, service, tag };
        client.events().fire(&name, b"", filters, &Options::new()).unwrap().value
    };
    fire(Some("^nowhere$"), None, None);
    fire(None, Some("^none$"), None);
    fire(None, Some(&name), Some("^green$"));
    let meant = fire(Some("."), Some(&name), Some("^blue$"));
    assert_eq!(
        (&*meant.node_filter, &*meant.service_filter, &*meant.tag_filter),
        (".", &*name, "^blue$")
    );
    // One that was kept wrongly would stand before it.
    assert_eq!(heard(&client, &name).id, meant.id);
    consul.put(&format!("/v1/agent/service/deregister/{name}"), "");
}

#[test]
fn what_cannot_be_fired_is_refused() {
    let server = Server::answering(|_| Reply::json(200, "{}"));
    let client = client_at(server.address());
    let fire = |name, filters| {
        client.events().fire(name, b"", filters, &Options::new()).unwrap_err().to_string()
    };
    assert!(fire("", EventFilters::default()).contains("the event's name is empty"));
    let no_service = EventFilters { service: Some(""), tag: Some("blue"), ..Default::default() };
    assert!(fire("deploy", no_service).contains("service filter"));
    assert_eq!(server.requests().len(), 0);
}

#[test]
fn an_event_that_is_too_large_is_an_error_of_its_own() {
    let Some(consul) = consul() else { return };
    let (client, name) = (client_of(consul), unique("large"));
    let fire = |payload: &[u8]| {
        client.events().fire(&name, payload, EventFilters::default(), &Options::new())
    };
    assert_eq!(fire(&[0; 300]).unwrap().value.payload.len(), 300);
    let refused = fire(&[0; 600]).unwrap_err();
    assert_eq!((refused.status(), refused.http_status()), (Status::TooLarge, 500));
    assert!(!refused.is_outcome_unknown() && !refused.is_retryable(), "{refused}");
}
