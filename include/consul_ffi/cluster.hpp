/// Clusters.

#ifndef CONSUL_FFI_CLUSTER_HPP
#define CONSUL_FFI_CLUSTER_HPP

#include "answers.hpp"
#include "calls.hpp"
#include "queue.hpp"
#include "stats.hpp"

CONSUL_FFI_NAMESPACE_BEGIN

/// What a node joins a cluster with: its id, which no other member has, and where it is reached.
class cluster_spec : public detail::cluster_spec_setters<cluster_spec> {
public:
    explicit cluster_spec(const c_text &id, const c_text &address = nullptr) {
        create(consul_cluster_spec_new, id, address);
    }
};

/// What a cluster asks Consul for. With `cluster.on(queue, tag)` none of it blocks.
class cluster_calls : public detail::calls<consul_cluster> {
public:
    using calls::calls;

    /// Leaves: gives up the lead, deletes its key, so that the others know at once, destroys its
    /// session, and says how that went. After an error the library goes on trying in the
    /// background. What was found stays to be read.
    result<void> leave() const { return run(consul_cluster_leave); }

    /// Waits until it has joined and sees itself among the nodes. `err_timeout` when it has not in
    /// time, with the last failure in the message; the longest duration waits for ever.
    result<void> wait_joined(
        std::chrono::milliseconds timeout = (std::chrono::milliseconds::max)()) const {
        return run(consul_cluster_wait_joined_async, detail::patience(timeout));
    }

    /// Waits until the version is above this one, which is to be read before what you look at.
    /// `no_change` when it is not after this time.
    result<void> wait_change(
        std::uint64_t version,
        std::chrono::milliseconds timeout = (std::chrono::milliseconds::max)()) const {
        return run(consul_cluster_wait_change_async, version, detail::patience(timeout));
    }
};

/// A node's part in a cluster: who is in it, who leads, and who owns which key. Move-only. Every call
/// is for any thread. Its end never blocks: it is left in the background, which its client's end waits
/// for. `leave` does it here and now.
///
///     auto cluster = client.join(consul::cluster_spec("node-1", "10.0.0.1:7000")).value();
///     cluster.wait_joined(std::chrono::seconds(5)).value();
///     std::cout << cluster.node_for_key("AAPL").address() << '\n';
class cluster : public detail::owner<cluster_calls> {
public:
    /// Empty: nobody is in it, and every call gives `err_handle`.
    cluster() noexcept = default;
    /// Takes the handle over.
    explicit cluster(consul_cluster *handle) noexcept : owner(handle) {}

    /// Its own id. Borrowed.
    std::string_view id() const & noexcept {
        const char *id = consul_cluster_id(c_value());
        return id == nullptr ? std::string_view() : id;
    }
    void id() && = delete;

    /// 0 before anything was found; it grows with each change of nodes, leader or ring.
    std::uint64_t version() const noexcept { return consul_cluster_version(c_value()); }

    /// The same of the ring alone: it grows when some keys belong to another node than before.
    std::uint64_t ring_version() const noexcept { return consul_cluster_ring_version(c_value()); }

    /// How long ago Consul confirmed the list of nodes; the longest duration when it never did.
    std::chrono::milliseconds age() const noexcept {
        return detail::duration<std::chrono::milliseconds>(consul_cluster_age_ms(c_value()));
    }

    /// Everybody who is or was a member, by id.
    result<cluster_node_list> nodes() const {
        return detail::fetch<cluster_node_list>(consul_cluster_list_nodes, c_value());
    }

    /// How many nodes live.
    std::size_t living() const noexcept { return consul_cluster_living(c_value()); }

    /// Whether as many nodes live as the description's `min_nodes` says.
    bool has_enough_nodes() const noexcept { return consul_cluster_has_enough_nodes(c_value()); }

    /// The node that a key belongs to; an empty row before anything was found. Borrowed: valid until
    /// this thread looks up again, in any ring or cluster.
    cluster_node node_for_key(const bytes &key) const noexcept {
        return cluster_node(consul_cluster_node_for_key(c_value(), key.data(), key.size()));
    }

    /// The node that a key belongs to, and those that it would belong to without the ones before:
    /// `count` different ones, or all of the ring where there are fewer.
    result<cluster_node_list> replicas_for_key(const bytes &key, std::size_t count) const {
        return detail::fetch<cluster_node_list>(consul_cluster_replicas_for_key, c_value(),
                                                    key.data(), key.size(), count);
    }

    /// Whether this node leads, judged by the clock at this moment.
    bool is_leader() const noexcept { return consul_cluster_is_leader(c_value()); }

    /// The id of the node that leads, as it was seen last. `not_found` when none does.
    result<std::string> leader() const {
        return detail::fetch_text(consul_cluster_leader, c_value());
    }

    /// Changes its weight, 1 to 1,000. Returns at once.
    result<void> set_weight(std::uint32_t weight) const {
        return detail::invoke(consul_cluster_set_weight, c_value(), weight);
    }

    /// Says something of itself; without a value, takes it back. Returns at once.
    result<void> set_meta(const c_text &key, const c_text &value) const {
        return detail::invoke(consul_cluster_set_meta, c_value(), key, value);
    }

    /// Has each change arrive in a queue from now on, as events of the types
    /// `event_type::cluster_...`, without counting among the calls in flight. In one queue at a time;
    /// `queue.cancel` of its tag ends that.
    result<void> set_queue(const consul::queue &queue, std::uint64_t tag = 0) const {
        if (queue.c_value() == nullptr) {
            return consul::error(consul::status::err_handle);
        }
        return detail::invoke(consul_cluster_set_queue, c_value(), queue.c_value(), tag);
    }

    /// Ends that, without an event.
    result<void> unset_queue() const {
        consul_queue *none = nullptr;
        return detail::invoke(consul_cluster_set_queue, c_value(), none, std::uint64_t(0));
    }

    /// How its own part is getting on.
    result<consul::stats> stats() const {
        return detail::fetch<consul::stats>(consul_cluster_stats, c_value());
    }

    consul::error refused() const { return consul::error(); }
    const consul_cluster *c_value() const noexcept { return handle_; }
};

CONSUL_FFI_NAMESPACE_END

#endif
