//! `include/consul_ffi/constants.hpp`: the constants that belong together, as scoped enumerations.

use super::{Docs, Header, comment, file, name};
use consul_ffi::Status;
use std::fmt::Write;

/// An enumeration, the prefix of its constants, and what it is.
pub const ENUMERATIONS: &[(&str, &str, &str)] = &[
    ("lost_reason", "CONSUL_LOST_", "Why a lock was lost."),
    ("behavior", "CONSUL_BEHAVIOR_", "What happens to the keys of a session when it ends."),
    ("txn_kind", "CONSUL_TXN_", "What a result of a transaction is."),
    ("member_status", "CONSUL_MEMBER_", "How a member of a gossip pool is."),
    ("cluster_node_state", "CONSUL_CLUSTER_NODE_", "How a node of a cluster is."),
    ("endpoint_condition", "CONSUL_ENDPOINT_", "How an address of a client is."),
    ("event_type", "CONSUL_EVENT_", "What an event tells. Ignore those that you do not know."),
    ("watch_kind", "CONSUL_WATCH_", "What is watched."),
    ("policy", "CONSUL_POLICY_", "Which instances of a service a watch takes."),
    ("view_state", "CONSUL_VIEW_", "How far a view can be trusted."),
    ("pick", "CONSUL_PICK_", "How an instance is picked."),
    ("log_level", "CONSUL_LOG_", "How much a record of the log matters."),
    ("handle_type", "CONSUL_HANDLE_", "The types of handles, for `live_handles`."),
];

pub fn render(header: &Header, docs: &Docs) -> String {
    let statuses = Status::ALL.iter().map(|status| format!("CONSUL_{}", status.name()));
    let mut body = enumeration(
        "status",
        "How a call ended: 0 is success, positive ones are honest answers that are not errors, \
         negative ones are errors. Expect new ones.",
        "consul_status",
        "CONSUL_",
        statuses,
        docs,
    );
    for (enumeration_name, prefix, about) in ENUMERATIONS {
        let constants = header.constants.iter().map(|(constant, _)| constant.clone());
        let constants = constants.filter(|constant| constant.starts_with(prefix));
        body += &enumeration(enumeration_name, about, "std::int32_t", prefix, constants, docs);
    }
    file(
        "constants",
        "The constants of the library.",
        &["\"../consul_ffi.h\"", "\"namespace.hpp\"", "", "<cstdint>"],
        &body,
    )
    .replace("#include \n", "\n")
}

fn enumeration(
    own_name: &str,
    about: &str,
    base: &str,
    prefix: &str,
    constants: impl Iterator<Item = String>,
    docs: &Docs,
) -> String {
    let mut text = format!("\n{}enum class {own_name} : {base} {{\n", comment("", about));
    for constant in constants {
        let about = docs.of(&constant);
        if !about.is_empty() {
            text += &comment("    ", &about);
        }
        let short = short(&constant, prefix);
        writeln!(text, "    {short} = {constant},").unwrap();
    }
    text + "};\n"
}

/// A constant's word in its enumeration.
pub fn short(constant: &str, prefix: &str) -> String {
    name(&constant[prefix.len()..].to_lowercase())
}
