//! # Clusters
//!
//! A node joins a cluster of nodes, and sees who else is in it, who leads, and who owns which key.
//! Each member has a key of its own that its session holds, `tsdb/cluster/nodes/ID`, with its id,
//! address, weight and metadata as JSON. Members that come and go do not reshuffle the keys, and
//! while Consul is away the last state stays.
//!
//! ```c
//! consul_cluster_spec *spec = NULL;
//! consul_cluster *cluster = NULL;
//! consul_cluster_spec_new("node-1", "10.0.0.1:7000", &spec);
//! consul_cluster_spec_set_min_nodes(spec, 3);
//! consul_cluster_join(client, spec, &cluster);
//! consul_cluster_spec_free(spec);
//! if (consul_cluster_wait_joined(cluster, 5000) == CONSUL_OK) {
//!     const consul_cluster_node *node =
//!         consul_cluster_node_for_key(cluster, (const uint8_t *)"AAPL", 4);
//!     printf("AAPL is at %s\n", node->address);
//! }
//! consul_cluster_leave(cluster, NULL);
//! consul_cluster_free(cluster);
//! ```

use super::description::change;
use super::guard::guard;
use super::handle::{self, Handle};
pub use super::kind::consul_cluster_spec;
use super::options::{self, consul_options};
use super::status::consul_status;
use super::{input, output};
use crate::recipes::cluster::ClusterSpec;
use std::ffi::c_char;
use std::time::Duration;

impl Handle for consul_cluster_spec {
    type Object = ClusterSpec;
}

/// Describes a node of a cluster: its id, which no other member has, and where it is reached, in its
/// own words; `address` may be NULL. It has the weight 1, is under `tsdb/cluster/`, lives by a session
/// of 15 s, and runs for leader. Everything in it is checked by `consul_cluster_join`. Free it with
/// `consul_cluster_spec_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_cluster_spec_new(
    id: *const c_char,
    address: *const c_char,
    out: *mut *mut consul_cluster_spec,
) -> consul_status {
    guard(|| {
        // SAFETY: pointers as the header asks for.
        let out = unsafe { output::out(out) }?;
        // SAFETY: as above.
        let id = unsafe { input::required_str(id, "id") }?;
        // SAFETY: as above.
        let address = unsafe { input::optional_str(address, "address") }?;
        out.give(ClusterSpec::new(id, address.unwrap_or_default()))
    })
}

/// How large its share of the keys is, beside the others' weights: 1 to 1,000.
#[unsafe(no_mangle)]
pub extern "C" fn consul_cluster_spec_set_weight(
    spec: *mut consul_cluster_spec,
    weight: u32,
) -> consul_status {
    change(spec, |spec| Ok(spec.weight(weight)))
}

/// Something that it says of itself. A key that is added again has the new value.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_cluster_spec_add_meta(
    spec: *mut consul_cluster_spec,
    key: *const c_char,
    value: *const c_char,
) -> consul_status {
    // SAFETY: pointers as the header asks for.
    change(spec, |spec| unsafe {
        let key = input::required_str(key, "key")?;
        Ok(spec.metadata(key, input::required_str(value, "value")?))
    })
}

/// Under which keys the cluster is: its members under `nodes/` there, its leader at `leader`. A slash
/// in front is left out, as Consul's HTTP server does, and one at the end is added.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_cluster_spec_set_prefix(
    spec: *mut consul_cluster_spec,
    prefix: *const c_char,
) -> consul_status {
    // SAFETY: pointers as the header asks for.
    change(spec, |spec| unsafe { Ok(spec.prefix(input::required_str(prefix, "prefix")?)) })
}

/// Under which keys the members are, where that is somewhere else.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_cluster_spec_set_nodes_prefix(
    spec: *mut consul_cluster_spec,
    prefix: *const c_char,
) -> consul_status {
    // SAFETY: pointers as the header asks for.
    change(spec, |spec| unsafe { Ok(spec.nodes_prefix(input::required_str(prefix, "prefix")?)) })
}

/// The key of the leader, where that is somewhere else.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_cluster_spec_set_leader_key(
    spec: *mut consul_cluster_spec,
    key: *const c_char,
) -> consul_status {
    // SAFETY: pointers as the header asks for.
    change(spec, |spec| unsafe { Ok(spec.leader_key(input::required_str(key, "key")?)) })
}

/// How long its session lives without being renewed: a member that dies is suspect after one to two
/// of these. 10,000 ms (`min_session_ttl_ms`) to 24 h.
#[unsafe(no_mangle)]
pub extern "C" fn consul_cluster_spec_set_ttl_ms(
    spec: *mut consul_cluster_spec,
    ttl_ms: u64,
) -> consul_status {
    change(spec, |spec| Ok(spec.ttl(Duration::from_millis(ttl_ms))))
}

/// How many living members are enough (`consul_cluster_has_enough_nodes`); 1 unless set.
#[unsafe(no_mangle)]
pub extern "C" fn consul_cluster_spec_set_min_nodes(
    spec: *mut consul_cluster_spec,
    min_nodes: u32,
) -> consul_status {
    change(spec, |spec| Ok(spec.min_nodes(usize::try_from(min_nodes).unwrap_or(usize::MAX))))
}

/// Whether it runs for leader, as it does unless set. One that does not still sees who leads.
#[unsafe(no_mangle)]
pub extern "C" fn consul_cluster_spec_set_campaigns(
    spec: *mut consul_cluster_spec,
    campaigns: bool,
) -> consul_status {
    change(spec, |spec| Ok(spec.campaigns(campaigns)))
}

/// For how long nobody can lead after a leader has died: 0 to 60,000 ms, 15,000 unless set. Not after
/// one that left.
#[unsafe(no_mangle)]
pub extern "C" fn consul_cluster_spec_set_lock_delay_ms(
    spec: *mut consul_cluster_spec,
    lock_delay_ms: u64,
) -> consul_status {
    change(spec, |spec| Ok(spec.lock_delay(Duration::from_millis(lock_delay_ms))))
}

/// How long a member whose session ended stays in the ring, since it may come back; 5,000 ms unless
/// set. One that leaves is out of it at once.
#[unsafe(no_mangle)]
pub extern "C" fn consul_cluster_spec_set_leave_after_ms(
    spec: *mut consul_cluster_spec,
    leave_after_ms: u64,
) -> consul_status {
    change(spec, |spec| Ok(spec.leave_after(Duration::from_millis(leave_after_ms))))
}

/// How long a member that was out of the ring has to last before it is in it again; 10,000 ms unless
/// set. One that is new is in it at once.
#[unsafe(no_mangle)]
pub extern "C" fn consul_cluster_spec_set_join_after_ms(
    spec: *mut consul_cluster_spec,
    join_after_ms: u64,
) -> consul_status {
    change(spec, |spec| Ok(spec.join_after(Duration::from_millis(join_after_ms))))
}

/// How long the ring stays as it is when more than half of it is lost together, which is an outage
/// rather than they; 60,000 ms unless set. As long as nobody lives at all it stays in any case.
#[unsafe(no_mangle)]
pub extern "C" fn consul_cluster_spec_set_outage_hold_ms(
    spec: *mut consul_cluster_spec,
    outage_hold_ms: u64,
) -> consul_status {
    change(spec, |spec| Ok(spec.outage_hold(Duration::from_millis(outage_hold_ms))))
}

/// With what token, datacenter, namespace and partition it is done; `options` may be NULL, for the
/// client's. The rest of the options is not used.
#[unsafe(no_mangle)]
pub extern "C" fn consul_cluster_spec_set_options(
    spec: *mut consul_cluster_spec,
    options: *const consul_options,
) -> consul_status {
    change(spec, |spec| Ok(spec.options(&*options::chosen(options)?)))
}

/// Ends a description; clusters that were joined with it stay. NULL is fine.
#[unsafe(no_mangle)]
pub extern "C" fn consul_cluster_spec_free(spec: *mut consul_cluster_spec) {
    handle::free(spec);
}
