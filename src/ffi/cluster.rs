//! A node's part in a cluster.

use super::asynchronous::{self, consul_async, ok};
use super::client::consul_client;
use super::cluster_feed;
use super::cluster_nodes::{Dressed, Nodes, Object, consul_cluster_node, consul_cluster_nodes};
use super::cluster_spec::consul_cluster_spec;
use super::guard::guard;
use super::handle::{self, Handle};
pub use super::kind::consul_cluster;
use super::kind::consul_queue;
use super::lent::lend;
use super::status::consul_status;
use super::text::consul_text;
use super::watch::milliseconds;
use super::{input, output, queue};
use crate::error::Status;
use crate::recipes::cluster::Cluster;
use crate::runtime::queue::Queue;
use arc_swap::ArcSwapOption;
use std::ffi::{CString, c_char};
use std::ptr;
use std::sync::Arc;

/// Nodes have joined: the event's result (`consul_event_take_cluster_nodes`) has them. Whatever
/// happens before the event is taken is told by one event of each type, and what is told of a node
/// last counts: a list may be empty.
pub const CONSUL_EVENT_CLUSTER_JOINED: i32 = 16;
/// Nodes have left: as `CONSUL_EVENT_CLUSTER_JOINED`.
pub const CONSUL_EVENT_CLUSTER_LEFT: i32 = 17;
/// Nodes say something else of themselves, live by another session, or are suspect, or not any more:
/// as `CONSUL_EVENT_CLUSTER_JOINED`.
pub const CONSUL_EVENT_CLUSTER_CHANGED: i32 = 18;
/// Another node leads, or this one has begun or ceased to: the event's result (`consul_event_take_text`) is its id, and its status is
/// `CONSUL_NOT_FOUND` when none does.
pub const CONSUL_EVENT_CLUSTER_LEADER: i32 = 19;
/// Some keys belong to another node than before.
pub const CONSUL_EVENT_CLUSTER_RING: i32 = 20;
/// The last event of a cluster: it was left or freed, its tag cancelled (`CONSUL_ERR_CANCELLED`), or
/// its client closed (`CONSUL_ERR_CLOSED`).
pub const CONSUL_EVENT_CLUSTER_ENDED: i32 = 21;

/// A cluster, and its newest state as C reads it.
pub struct Joined {
    cluster: Cluster,
    id: CString,
    dressed: ArcSwapOption<Dressed>,
}

impl std::ops::Deref for Joined {
    type Target = Cluster;

    fn deref(&self) -> &Cluster {
        &self.cluster
    }
}

impl Joined {
    /// The rows of the newest state, which are made when they are asked for first.
    fn dressed(&self) -> Arc<Dressed> {
        let state = self.cluster.state();
        let known = self.dressed.load_full();
        if let Some(known) = known.filter(|known| Arc::ptr_eq(&known.state, &state)) {
            return known;
        }
        let dressed = Arc::new(Dressed::new(state));
        self.dressed.store(Some(dressed.clone()));
        dressed
    }

    fn node_for_key(&self, key: &[u8]) -> *const consul_cluster_node {
        let dressed = self.dressed();
        let place = dressed.state.place_for_key(key);
        place.filter(|_| lend(&dressed)).map_or(ptr::null(), |place| dressed.at(place))
    }
}

impl Handle for consul_cluster {
    type Object = Joined;
    const BELONGS_TO_PROCESS: bool = true;

    /// It is left in the background while calls on other threads still use it; who waits is woken.
    fn freed(cluster: &Joined) {
        cluster.abandon();
    }
}

/// Joins a cluster with a copy of the description: begins to, and goes on in the background until it
/// is left. That Consul is away is no error, and neither is that another member has the id: that is
/// waited for. `consul_cluster_wait_joined` tells when it has worked. `CONSUL_ERR_ARGUMENT` when
/// something in the description cannot be. Free it with `consul_cluster_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_cluster_join(
    client: *const consul_client,
    spec: *const consul_cluster_spec,
    out: *mut *mut consul_cluster,
) -> consul_status {
    guard(|| {
        // SAFETY: pointers as the header asks for.
        let out = unsafe { output::out(out) }?;
        let client = handle::get(client)?;
        let cluster = client.join_cluster(handle::get(spec)?.clone())?;
        let id = CString::new(cluster.id()).unwrap_or_default();
        out.give(Joined { cluster, id, dressed: ArcSwapOption::empty() })
    })
}

/// Waits until it has joined and sees itself among the nodes; -1 waits for ever. `CONSUL_ERR_TIMEOUT`
/// when it has not in time, with the last failure in the message; `CONSUL_ERR_CANCELLED` or
/// `CONSUL_ERR_CLOSED` once it is left or its client is closed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_cluster_wait_joined(
    cluster: *const consul_cluster,
    timeout_ms: i64,
) -> consul_status {
    // SAFETY: handles are checked; it blocks.
    unsafe { consul_cluster_wait_joined_async(cluster, timeout_ms, ptr::null()) }
}

/// As `consul_cluster_wait_joined`, which it is where `async` is NULL; else the end of the wait arrives
/// in a queue.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_cluster_wait_joined_async(
    cluster: *const consul_cluster,
    timeout_ms: i64,
    r#async: *const consul_async,
) -> consul_status {
    guard(|| {
        // SAFETY: pointers as the header asks for.
        let ending = unsafe { asynchronous::ending(r#async) }?;
        let cluster = handle::get(cluster)?.styled(ending.style());
        ending.end(cluster.wait_joined(queue::wait(timeout_ms)?)?, ok)
    })
}

/// Waits until `consul_cluster_version` is above this one, which is to be read before what you look
/// at; -1 waits for ever. `CONSUL_NO_CHANGE` when it is not after this time; `CONSUL_ERR_CANCELLED` or `CONSUL_ERR_CLOSED` once it is left or its
/// client is closed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_cluster_wait_change(
    cluster: *const consul_cluster,
    version: u64,
    timeout_ms: i64,
) -> consul_status {
    // SAFETY: handles are checked; it blocks.
    unsafe { consul_cluster_wait_change_async(cluster, version, timeout_ms, ptr::null()) }
}

/// As `consul_cluster_wait_change`, which it is where `async` is NULL; else the end of the wait arrives
/// in a queue. `consul_cluster_set_queue` tells of each change without being asked again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_cluster_wait_change_async(
    cluster: *const consul_cluster,
    version: u64,
    timeout_ms: i64,
    r#async: *const consul_async,
) -> consul_status {
    guard(|| {
        // SAFETY: pointers as the header asks for.
        let ending = unsafe { asynchronous::ending(r#async) }?;
        let cluster = handle::get(cluster)?.styled(ending.style());
        let changed = cluster.wait_change(version, queue::wait(timeout_ms)?)?;
        ending.end(changed, |state| state.map_or(Status::NoChange, |_| Status::Ok))
    })
}

/// Its own id; NULL for a handle that is not live. Borrowed: valid until the cluster is freed.
#[unsafe(no_mangle)]
pub extern "C" fn consul_cluster_id(cluster: *const consul_cluster) -> *const c_char {
    handle::read(cluster, ptr::null(), |cluster| cluster.id.as_ptr())
}

/// 0 before anything was found; it grows with each change of nodes, leader or ring, and when this node
/// begins or ceases to lead.
#[unsafe(no_mangle)]
pub extern "C" fn consul_cluster_version(cluster: *const consul_cluster) -> u64 {
    handle::read(cluster, 0, |cluster| cluster.glance().version())
}

/// The same of the ring alone: it grows when some keys belong to another node than before.
#[unsafe(no_mangle)]
pub extern "C" fn consul_cluster_ring_version(cluster: *const consul_cluster) -> u64 {
    handle::read(cluster, 0, |cluster| cluster.glance().ring().version())
}

/// How long ago Consul confirmed the list of nodes; `UINT64_MAX` when it never did. While Consul is
/// away the last state stays, and this grows.
#[unsafe(no_mangle)]
pub extern "C" fn consul_cluster_age_ms(cluster: *const consul_cluster) -> u64 {
    handle::read(cluster, 0, |cluster| milliseconds(cluster.age()))
}

/// Everybody who is or was a member, by id: alive, suspect, and for ten minutes at least those that
/// have left. Free it with `consul_cluster_nodes_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_cluster_list_nodes(
    cluster: *const consul_cluster,
    out: *mut *mut consul_cluster_nodes,
) -> consul_status {
    guard(|| {
        // SAFETY: pointers as the header asks for.
        let out = unsafe { output::out(out) }?;
        out.give(Object::State(Nodes::all(handle::get(cluster)?.dressed())))
    })
}

/// How many nodes live.
#[unsafe(no_mangle)]
pub extern "C" fn consul_cluster_living(cluster: *const consul_cluster) -> usize {
    handle::read(cluster, 0, |cluster| cluster.glance().living())
}

/// Whether as many nodes live as `consul_cluster_spec_set_min_nodes` says.
#[unsafe(no_mangle)]
pub extern "C" fn consul_cluster_has_enough_nodes(cluster: *const consul_cluster) -> bool {
    handle::read(cluster, false, |cluster| cluster.has_enough_nodes())
}

/// The node that a key belongs to; NULL before anything was found. Takes no lock. Borrowed: valid
/// until the calling thread looks up again, in any ring or cluster.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_cluster_node_for_key(
    cluster: *const consul_cluster,
    key: *const u8,
    key_len: usize,
) -> *const consul_cluster_node {
    handle::read(cluster, ptr::null(), |cluster| {
        // SAFETY: pointers as the header asks for.
        let Ok(key) = (unsafe { input::bytes(key, key_len, "key") }) else { return ptr::null() };
        cluster.node_for_key(key)
    })
}

/// The node that a key belongs to, and those that it would belong to without the ones before: `count`
/// different ones, or all of the ring where there are fewer. Free it with `consul_cluster_nodes_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_cluster_replicas_for_key(
    cluster: *const consul_cluster,
    key: *const u8,
    key_len: usize,
    count: usize,
    out: *mut *mut consul_cluster_nodes,
) -> consul_status {
    guard(|| {
        // SAFETY: pointers as the header asks for.
        let out = unsafe { output::out(out) }?;
        let dressed = handle::get(cluster)?.dressed();
        // SAFETY: as above.
        let key = unsafe { input::bytes(key, key_len, "key") }?;
        let places = dressed.state.places_for_key(key, count);
        out.give(Object::State(Nodes::some(dressed, places)))
    })
}

/// Whether this node leads, judged by the clock at this moment.
#[unsafe(no_mangle)]
pub extern "C" fn consul_cluster_is_leader(cluster: *const consul_cluster) -> bool {
    handle::read(cluster, false, |cluster| cluster.is_leader())
}

/// The id of the node that leads: as it was seen last where that is another one, and this node's
/// exactly while `consul_cluster_is_leader` says so. `CONSUL_NOT_FOUND` when none does. Free it with
/// `consul_text_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_cluster_leader(
    cluster: *const consul_cluster,
    out: *mut *mut consul_text,
) -> consul_status {
    guard(|| {
        // SAFETY: pointers as the header asks for.
        let out = unsafe { output::out(out) }?;
        match handle::get(cluster)?.leader() {
            Some(leader) => out.give(leader.into_bytes().into()),
            None => Ok(Status::NotFound),
        }
    })
}

/// Changes its weight, 1 to 1,000. Returns at once.
#[unsafe(no_mangle)]
pub extern "C" fn consul_cluster_set_weight(
    cluster: *const consul_cluster,
    weight: u32,
) -> consul_status {
    guard(|| {
        handle::get(cluster)?.set_weight(weight)?;
        Ok(Status::Ok)
    })
}

/// Says something of itself; a NULL for `value` takes it back. Returns at once.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_cluster_set_meta(
    cluster: *const consul_cluster,
    key: *const c_char,
    value: *const c_char,
) -> consul_status {
    guard(|| {
        let cluster = handle::get(cluster)?;
        // SAFETY: pointers as the header asks for.
        let key = unsafe { input::required_str(key, "key") }?;
        // SAFETY: as above.
        let value = unsafe { input::optional_str(value, "value") }?;
        cluster.set_metadata(key, value)?;
        Ok(Status::Ok)
    })
}

/// Has each change arrive in a queue from now on, as events of the types `CONSUL_EVENT_CLUSTER_...`
/// under `tag`, without counting among the calls in flight. In one queue at a time; `queue` may be
/// NULL, which ends that without an event. `CONSUL_ERR_CANCELLED` or `CONSUL_ERR_CLOSED` once it is
/// left or its client is closed.
#[unsafe(no_mangle)]
pub extern "C" fn consul_cluster_set_queue(
    cluster: *const consul_cluster,
    queue: *mut consul_queue,
    tag: u64,
) -> consul_status {
    guard(|| {
        let cluster = handle::get(cluster)?;
        let queue = handle::get_optional(queue.cast_const())?;
        let attach = |queue: &Queue| cluster_feed::attach(queue, tag);
        cluster.set_listener(queue.as_deref().map(attach).transpose()?)?;
        Ok(Status::Ok)
    })
}

/// Leaves: gives up the lead, deletes its key, so that the others know at once, destroys its session,
/// and says how that went. After an error the library goes on trying in the background for two TTLs.
/// `CONSUL_OK` also when it was left before. What was found stays to be read.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_cluster_leave(
    cluster: *const consul_cluster,
    r#async: *const consul_async,
) -> consul_status {
    guard(|| {
        // SAFETY: pointers as the header asks for.
        let ending = unsafe { asynchronous::ending(r#async) }?;
        let cluster = handle::get(cluster)?.styled(ending.style());
        ending.end(cluster.leave()?, ok)
    })
}

/// Ends it: calls that wait in it end with `CONSUL_ERR_CANCELLED`, and it is left in the background.
/// NULL is fine.
#[unsafe(no_mangle)]
pub extern "C" fn consul_cluster_free(cluster: *mut consul_cluster) {
    handle::free(cluster);
}
