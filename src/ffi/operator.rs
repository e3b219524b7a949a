//! Autopilot, the gossip keys, and how a cluster is as a whole.

use super::asynchronous::{consul_async, done, ok};
use super::client::consul_client;
use super::guard::guard;
use super::options::consul_options;
use super::status::consul_status;
use super::text::consul_text;
use super::{call, input};
use crate::api::document::Text;
use crate::api::operator::AutopilotConfig;
use crate::error::{Result, Status};
use serde_json::Value;
use std::ffi::c_char;

fn config_text(config: &str) -> Result<Text<AutopilotConfig>> {
    Text::object(config.as_bytes(), "configuration of autopilot")
}

/// How the cluster is, as JSON: `leader` and `peers`, `healthy` and `failure_tolerance`, `servers` as Raft
/// and autopilot have them, `endpoints`: for each address of this client `address`, `state` (`up`, `no
/// leader` or `down`), `in_use`, `reachable`, `requests`, `failures`, `consecutive_failures`,
/// `last_answer_ms` and `error`. A part that could not be had is in
/// `missing` with the reason, and the others are there all the same: it also tells something while there
/// is no leader, Consul cannot be reached, or the token may not ask. Each of up to four calls has the
/// time that the options allow.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_operator_cluster_report(
    client: *const consul_client,
    options: *const consul_options,
    r#async: *const consul_async,
    out: *mut *mut consul_text,
) -> consul_status {
    guard(|| {
        // SAFETY: pointers as the header asks for.
        let (client, options, ending, out) =
            unsafe { call::giving(client, options, r#async, out) }?;
        let report = client.operator().cluster_report(&options)?;
        ending.give(out, report, |report| match serde_json::to_vec(&report) {
            Ok(text) => done(text.into()),
            Err(_) => (Status::Internal, None),
        })
    })
}

/// Reads how autopilot is configured, as Consul's JSON: `CleanupDeadServers`, `LastContactThreshold`,
/// `ModifyIndex` for a compare-and-set, and others.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_operator_autopilot_config(
    client: *const consul_client,
    options: *const consul_options,
    r#async: *const consul_async,
    out: *mut *mut consul_text,
) -> consul_status {
    guard(|| {
        // SAFETY: pointers as the header asks for.
        let (client, options, ending, out) =
            unsafe { call::giving(client, options, r#async, out) }?;
        let config = client.operator().autopilot_config_as::<Text<AutopilotConfig>>(&options)?;
        ending.give(out, config, |answer| done(answer.value.into_bytes().into()))
    })
}

/// Replaces autopilot's configuration by a JSON object, of which what is not there becomes zero or false:
/// read it first.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_operator_autopilot_config_set(
    client: *const consul_client,
    config: *const c_char,
    options: *const consul_options,
    r#async: *const consul_async,
) -> consul_status {
    guard(|| {
        // SAFETY: pointers as the header asks for.
        let (client, options, ending) = unsafe { call::begin(client, options, r#async) }?;
        // SAFETY: as above.
        let config = unsafe { input::required_str(config, "config") }?;
        let config = config_text(config)?;
        let set = client.operator().set_autopilot_config_as(&config, None, &options)?;
        ending.end(set, |_| Status::Ok)
    })
}

/// As `consul_operator_autopilot_config_set`, if its modify index is still this one. `CONSUL_CONFLICT`
/// when it is not.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_operator_autopilot_config_cas(
    client: *const consul_client,
    config: *const c_char,
    modify_index: u64,
    options: *const consul_options,
    r#async: *const consul_async,
) -> consul_status {
    guard(|| {
        // SAFETY: pointers as the header asks for.
        let (client, options, ending) = unsafe { call::begin(client, options, r#async) }?;
        // SAFETY: as above.
        let config = unsafe { input::required_str(config, "config") }?;
        let config = config_text(config)?;
        let set = client.operator();
        let set = set.set_autopilot_config_as(&config, Some(modify_index), &options)?;
        ending.end(set, |set| if set.value { Status::Ok } else { Status::Conflict })
    })
}

/// Reads how the servers are in the eyes of autopilot, as Consul's JSON: `Healthy`, `FailureTolerance`,
/// `Servers`. `CONSUL_OK` also when they are not healthy.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_operator_autopilot_health(
    client: *const consul_client,
    options: *const consul_options,
    r#async: *const consul_async,
    out: *mut *mut consul_text,
) -> consul_status {
    guard(|| {
        // SAFETY: pointers as the header asks for.
        let (client, options, ending, out) =
            unsafe { call::giving(client, options, r#async, out) }?;
        let health = client.operator().autopilot_health_as::<Text<Value>>(&options)?;
        ending.give(out, health, |answer| done(answer.value.into_bytes().into()))
    })
}

/// Reads the whole state of autopilot, as Consul's JSON. `CONSUL_ERR_UNSUPPORTED` before Consul 1.9.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_operator_autopilot_state(
    client: *const consul_client,
    options: *const consul_options,
    r#async: *const consul_async,
    out: *mut *mut consul_text,
) -> consul_status {
    guard(|| {
        // SAFETY: pointers as the header asks for.
        let (client, options, ending, out) =
            unsafe { call::giving(client, options, r#async, out) }?;
        let state = client.operator().autopilot_state_as::<Text<Value>>(&options)?;
        ending.give(out, state, |answer| done(answer.value.into_bytes().into()))
    })
}

/// Reads the keys of all gossip pools, as Consul's JSON: an array of pools with their `Keys`, which are
/// secrets. `CONSUL_ERR_HTTP` when gossip is not encrypted.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_operator_keyring_list(
    client: *const consul_client,
    options: *const consul_options,
    r#async: *const consul_async,
    out: *mut *mut consul_text,
) -> consul_status {
    guard(|| {
        // SAFETY: pointers as the header asks for.
        let (client, options, ending, out) =
            unsafe { call::giving(client, options, r#async, out) }?;
        let pools = client.operator().keyring_text(&options)?;
        ending.give(out, pools, |pools| done(pools.into_bytes().into()))
    })
}

/// Gives a new key, 16, 24 or 32 bytes in base64, to all members. It is used once
/// `consul_operator_keyring_use` says so.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_operator_keyring_install(
    client: *const consul_client,
    key: *const c_char,
    options: *const consul_options,
    r#async: *const consul_async,
) -> consul_status {
    guard(|| {
        // SAFETY: pointers as the header asks for.
        let (client, options, ending) = unsafe { call::begin(client, options, r#async) }?;
        // SAFETY: as above.
        let key = unsafe { input::required_str(key, "key") }?;
        ending.end(client.operator().keyring_install(key, &options)?, ok)
    })
}

/// Makes all members encrypt gossip with a key that they have.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_operator_keyring_use(
    client: *const consul_client,
    key: *const c_char,
    options: *const consul_options,
    r#async: *const consul_async,
) -> consul_status {
    guard(|| {
        // SAFETY: pointers as the header asks for.
        let (client, options, ending) = unsafe { call::begin(client, options, r#async) }?;
        // SAFETY: as above.
        let key = unsafe { input::required_str(key, "key") }?;
        ending.end(client.operator().keyring_use(key, &options)?, ok)
    })
}

/// Takes a key that is not in use from all members.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_operator_keyring_remove(
    client: *const consul_client,
    key: *const c_char,
    options: *const consul_options,
    r#async: *const consul_async,
) -> consul_status {
    guard(|| {
        // SAFETY: pointers as the header asks for.
        let (client, options, ending) = unsafe { call::begin(client, options, r#async) }?;
        // SAFETY: as above.
        let key = unsafe { input::required_str(key, "key") }?;
        ending.end(client.operator().keyring_remove(key, &options)?, ok)
    })
}
