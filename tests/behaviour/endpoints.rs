//! Endpoints that have no call of their own, by the generic request.

use crate::clients::{client_of, until};
use crate::support::{Consul, consul, unique};
use consul_ffi::api::raw::{Method, RawRequest};
use consul_ffi::{Answer, Client, Options, Result, Status};
use serde_json::{Value, json};
use std::time::Duration;

fn none() -> Options {
    Options::new()
}

fn get(client: &Client, target: &str, options: &Options) -> Result<Answer<Value>> {
    let answer = client.request(&RawRequest::new(Method::Get, target), options)?;
    Ok(answer.map(|answer| match answer.http_status {
        200 => serde_json::from_slice(&answer.body).unwrap(),
        status => json!(status),
    }))
}

fn put(client: &Client, target: &str, body: &[u8]) -> Result<Value> {
    let request = RawRequest::new(Method::Put, target).body(body, "");
    let answer = client.request(&request, &none())?.value;
    Ok(serde_json::from_slice(&answer.body).unwrap_or(Value::Null))
}

#[test]
fn the_agent_tells_its_metrics_and_its_host() {
    let Some(consul) = consul() else { return };
    let client = client_of(consul);
    let metrics = get(&client, "/v1/agent/metrics", &none()).unwrap().value;
    for kind in ["Gauges", "Counters", "Samples"] {
        assert!(metrics[kind].is_array(), "{metrics}");
    }
    let host = get(&client, "/v1/agent/host", &none()).unwrap().value;
    assert!(host["CollectionTime"].as_u64().unwrap() > 0);
}

#[test]
fn gateways_tell_the_services_behind_them() {
    let Some(consul) = consul() else { return };
    let client = client_of(consul);
    let (web, ingress) = (unique("web"), unique("ingress"));
    let entry = json!({"Kind": "ingress-gateway", "Name": ingress, "Listeners": [
        {"Port": 8080, "Protocol": "tcp", "Services": [{"Name": web}]}]});
    assert_eq!(put(&client, "/v1/config", entry.to_string().as_bytes()).unwrap(), true);
    let behind = |gateway: &str| {
        let target = format!("/v1/catalog/gateway-services/{gateway}");
        get(&client, &target, &none()).unwrap().value
    };
    let found = behind(&ingress);
    assert_eq!((&found[0]["Service"]["Name"], &found[0]["Port"]), (&json!(web), &json!(8080)));

    let terminating = unique("terminating");
    let entry = json!({"Kind": "terminating-gateway", "Name": terminating,
        "Services": [{"Name": web}]});
    assert_eq!(put(&client, "/v1/config", entry.to_string().as_bytes()).unwrap(), true);
    let found = behind(&terminating);
    assert_eq!(found[0]["GatewayKind"], "terminating-gateway");
    assert_eq!(behind(&unique("none")), Value::Null);
}

#[test]
fn the_roots_of_the_mesh_are_there_where_it_is_enabled() {
    let (Some(with), Some(without)) = (consul(), Consul::with_hcl("connect { enabled = false }"))
    else {
        return;
    };
    let roots = until(
        |options| get(&client_of(with), "/v1/agent/connect/ca/roots", options),
        |roots| roots["Roots"].as_array().is_some_and(|roots| roots.len() == 1),
    );
    assert!(roots.meta.index > 0);
    let error = get(&client_of(&without), "/v1/agent/connect/ca/roots", &none()).unwrap_err();
    assert_eq!(error.status(), Status::Http);
}

/// The index that Consul gives a list of events: both halves of the last one's id, exclusive-or.
fn index_of(id: &str) -> u64 {
    let id = u128::from_str_radix(&id.replace('-', ""), 16).unwrap();
    (id >> 64) as u64 ^ id as u64
}

#[test]
fn an_event_is_fired_and_listed_and_its_index_is_made_of_its_id() {
    let Some(consul) = Consul::start() else { return };
    let client = client_of(&consul);
    let list = |target: &str, options: &Options| get(&client, target, options);
    let before = list("/v1/event/list?name=deploy", &none()).unwrap();
    assert_eq!((before.value, before.meta.index), (json!([]), 1));

    let waiting = {
        let client = client.clone();
        let options = none().index(1).wait(Duration::from_secs(60));
        std::thread::spawn(move || get(&client, "/v1/event/list?name=deploy", &options).unwrap())
    };
    // Another event is no news for who waits for this one.
    put(&client, "/v1/event/fire/other", b"").unwrap();
    let payload = [0, 255, b'\n', 7];
    let fired = put(&client, "/v1/event/fire/deploy", &payload).unwrap();
    let heard = waiting.join().unwrap();
    assert_eq!(heard.value.as_array().unwrap().len(), 1);
    let event = &heard.value[0];
    assert_eq!((&event["ID"], &event["Name"]), (&fired["ID"], &json!("deploy")));
    assert_eq!(event["Payload"], "AP8KBw==");
    assert_eq!(heard.meta.index, index_of(fired["ID"].as_str().unwrap()));
    assert_eq!(list("/v1/event/list", &none()).unwrap().value.as_array().unwrap().len(), 2);
}

#[test]
fn an_event_that_is_too_large_or_half_said_is_an_error() {
    let Some(consul) = consul() else { return };
    let client = client_of(consul);
    let error = put(&client, "/v1/event/fire/big", &[7; 600]).unwrap_err();
    assert!(error.message().contains("limit"), "{error}");
    assert!(!error.is_outcome_unknown() && !error.is_retryable());
    let error = put(&client, "/v1/event/fire/x?tag=a", b"").unwrap_err();
    assert!(error.message().contains("tag filter"), "{error}");
}

#[test]
fn coordinates_are_told_of_nodes_that_have_them() {
    let Some(consul) = consul() else { return };
    let client = client_of(consul);
    let datacenters = get(&client, "/v1/coordinate/datacenters", &none()).unwrap().value;
    assert!(datacenters.is_array() || datacenters.is_null());
    let nodes = get(&client, "/v1/coordinate/nodes", &none()).unwrap();
    assert!(nodes.meta.index > 0);
    let nobody = format!("/v1/coordinate/node/{}", unique("none"));
    assert_eq!(get(&client, &nobody, &none()).unwrap().value, 404);
}

#[test]
fn a_snapshot_brings_the_past_back() {
    let Some(consul) = Consul::start() else { return };
    let client = client_of(&consul);
    client.kv().put("a", b"old", 0, &none()).unwrap();
    let taken = client.request(&RawRequest::new(Method::Get, "/v1/snapshot"), &none()).unwrap();
    assert!(taken.meta.index > 0 && !taken.value.body.is_empty());
    client.kv().put("a", b"new", 0, &none()).unwrap();
    put(&client, "/v1/snapshot", &taken.value.body).unwrap();
    let pair = client.kv().get("a", &none()).unwrap().value.unwrap();
    assert_eq!(pair.value, b"old");

    let error = put(&client, "/v1/snapshot", b"garbage").unwrap_err();
    assert!(error.message().contains("snapshot"), "{error}");
    let nowhere = none().datacenter("nowhere");
    assert!(client.request(&RawRequest::new(Method::Get, "/v1/snapshot"), &nowhere).is_err());
    let stale = none().consistency(consul_ffi::Consistency::Stale);
    client.request(&RawRequest::new(Method::Get, "/v1/snapshot"), &stale).unwrap();
}

#[test]
fn a_snapshot_needs_the_right_to_it() {
    let Some(consul) = Consul::build().acl().start() else { return };
    let client = client_of(&consul);
    let request = RawRequest::new(Method::Get, "/v1/snapshot");
    let error = client.request(&request, &none()).unwrap_err();
    assert_eq!(error.status(), Status::Denied);
    assert!(error.message().contains("Permission denied"), "{error}");
    client.request(&request, &none().token(consul.token())).unwrap();
}
