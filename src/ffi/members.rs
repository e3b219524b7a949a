//! Who an agent is, and the members of its gossip pools.

use super::arena::{Arena, Row, Rows, RowsBuilder};
use super::asynchronous::{consul_async, done};
use super::call;
use super::client::consul_client;
use super::guard::guard;
use super::handle::{self, Handle};
pub use super::kind::{consul_agent_info, consul_members};
use super::options::consul_options;
use super::status::consul_status;
use crate::api::agent::{AgentInfo, Member};
use std::ffi::c_char;
use std::ptr;

/// The status of a member is not known.
pub const CONSUL_MEMBER_NONE: i32 = 0;
/// A member answers.
pub const CONSUL_MEMBER_ALIVE: i32 = 1;
/// A member is about to leave.
pub const CONSUL_MEMBER_LEAVING: i32 = 2;
/// A member has left.
pub const CONSUL_MEMBER_LEFT: i32 = 3;
/// A member does not answer any more.
pub const CONSUL_MEMBER_FAILED: i32 = 4;

/// A member of a gossip pool.
#[repr(C)]
#[derive(Debug)]
pub struct consul_member {
    /// Its name: its node's, in the pool that joins the datacenters with `.datacenter` behind it.
    pub name: *const c_char,
    /// The bytes in `name`.
    pub name_len: usize,
    /// Its address for gossip.
    pub address: *const c_char,
    /// The bytes in `address`.
    pub address_len: usize,
    /// `status` as Consul's word: `alive`, `failed` and so on.
    pub status_name: *const c_char,
    /// The bytes in `status_name`.
    pub status_name_len: usize,
    /// The keys of what it tells of itself, such as `role`, `dc` and `build`.
    pub tag_keys: *const *const c_char,
    /// Their values, as many.
    pub tag_values: *const *const c_char,
    /// How many `tag_keys` there are.
    pub tag_count: usize,
    /// How it is: `CONSUL_MEMBER_...`.
    pub status: i32,
    /// Its port for gossip.
    pub port: u32,
    /// Whether it is a server.
    pub is_server: bool,
}

// SAFETY: `member_row` fills it from its arena alone.
unsafe impl Row for consul_member {}

/// Who an agent is.
#[repr(C)]
#[derive(Debug)]
pub struct consul_agent_row {
    /// The name of its node.
    pub node_name: *const c_char,
    /// The bytes in `node_name`.
    pub node_name_len: usize,
    /// The UUID of its node.
    pub node_id: *const c_char,
    /// The bytes in `node_id`.
    pub node_id_len: usize,
    /// The datacenter it is in.
    pub datacenter: *const c_char,
    /// The bytes in `datacenter`.
    pub datacenter_len: usize,
    /// Its version, such as `1.8.7`.
    pub version: *const c_char,
    /// The bytes in `version`.
    pub version_len: usize,
    /// The whole answer, JSON: its configuration, statistics and more.
    pub json: *const c_char,
    /// The bytes in `json`.
    pub json_len: usize,
    /// Whether it is a server.
    pub is_server: bool,
}

// SAFETY: `info_rows` fills it from its arena alone.
unsafe impl Row for consul_agent_row {}

impl Handle for consul_members {
    type Object = Rows<consul_member>;
}

impl Handle for consul_agent_info {
    type Object = Rows<consul_agent_row>;
}

fn member_row(arena: &Arena, member: &Member) -> consul_member {
    let name = arena.text(&member.name);
    let address = arena.text(&member.address);
    let status_name = arena.text(member.status.as_str());
    let tag_keys = arena.texts(member.tags.keys().map(String::as_str));
    let tag_values = arena.texts(member.tags.values().map(String::as_str));
    consul_member {
        name: name.ptr,
        name_len: name.len,
        address: address.ptr,
        address_len: address.len,
        status_name: status_name.ptr,
        status_name_len: status_name.len,
        tag_keys: tag_keys.ptr,
        tag_values: tag_values.ptr,
        tag_count: tag_keys.count,
        status: member.status as i32,
        port: member.port.into(),
        is_server: member.is_server(),
    }
}

fn member_rows(members: &[Member]) -> Rows<consul_member> {
    let mut rows = RowsBuilder::with_capacity(members.len(), members.len() * 256);
    for member in members {
        let row = member_row(&rows.arena, member);
        rows.push(row);
    }
    rows.finish()
}

fn info_rows(info: &AgentInfo) -> Rows<consul_agent_row> {
    let mut rows = RowsBuilder::with_capacity(1, info.json.len() + 256);
    let node_name = rows.arena.text(&info.node_name);
    let node_id = rows.arena.text(&info.node_id);
    let datacenter = rows.arena.text(&info.datacenter);
    let version = rows.arena.text(&info.version);
    let json = rows.arena.text(&info.json);
    rows.push(consul_agent_row {
        node_name: node_name.ptr,
        node_name_len: node_name.len,
        node_id: node_id.ptr,
        node_id_len: node_id.len,
        datacenter: datacenter.ptr,
        datacenter_len: datacenter.len,
        version: version.ptr,
        version_len: version.len,
        json: json.ptr,
        json_len: json.len,
        is_server: info.server,
    });
    rows.finish()
}

/// Reads who the agent is and how it is configured.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_agent_self(
    client: *const consul_client,
    options: *const consul_options,
    r#async: *const consul_async,
    out: *mut *mut consul_agent_info,
) -> consul_status {
    guard(|| {
        // SAFETY: pointers as the header asks for.
        let (client, options, ending, out) =
            unsafe { call::giving(client, options, r#async, out) }?;
        ending.give(out, client.agent().info(&options)?, |info| done(info_rows(&info)))
    })
}

/// Who the agent is; NULL for a handle that is not live. Borrowed: valid until `info` is freed.
#[unsafe(no_mangle)]
pub extern "C" fn consul_agent_info_row(info: *const consul_agent_info) -> *const consul_agent_row {
    handle::read(info, ptr::null(), |rows| rows.at(0))
}

/// Ends an answer. NULL is fine.
#[unsafe(no_mangle)]
pub extern "C" fn consul_agent_info_free(info: *mut consul_agent_info) {
    handle::free(info);
}

/// Reads the members of the agent's gossip pool; with `wan`, of the pool that joins the
/// datacenters.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_agent_members(
    client: *const consul_client,
    wan: bool,
    options: *const consul_options,
    r#async: *const consul_async,
    out: *mut *mut consul_members,
) -> consul_status {
    guard(|| {
        // SAFETY: pointers as the header asks for.
        let (client, options, ending, out) =
            unsafe { call::giving(client, options, r#async, out) }?;
        let members = client.agent().members(wan, &options)?;
        ending.give(out, members, |members| done(member_rows(&members)))
    })
}

/// How many members there are; 0 for a handle that is not live.
#[unsafe(no_mangle)]
pub extern "C" fn consul_members_count(members: *const consul_members) -> usize {
    handle::read(members, 0, Rows::count)
}

/// One of the members; NULL past the end. Borrowed: valid until `members` is freed.
#[unsafe(no_mangle)]
pub extern "C" fn consul_members_at(
    members: *const consul_members,
    index: usize,
) -> *const consul_member {
    handle::read(members, ptr::null(), |members| members.at(index))
}

/// Ends an answer. NULL is fine.
#[unsafe(no_mangle)]
pub extern "C" fn consul_members_free(members: *mut consul_members) {
    handle::free(members);
}
