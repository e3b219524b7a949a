/// Rings of consistent hashes.

#ifndef CONSUL_FFI_RING_HPP
#define CONSUL_FFI_RING_HPP

#include "answers.hpp"

#include <vector>

CONSUL_FFI_NAMESPACE_BEGIN

/// Tells which node a key belongs to, the same in every program and language. Move-only. Any thread
/// may look up while another one changes it.
///
///     auto ring = consul::ring::create().value();
///     ring.add("cache-1");
///     ring.add("cache-2", 2);
///     std::string_view node = ring.node_for_key("user/17");
class ring {
public:
    using handle_type = consul_ring;

    /// Takes the handle over.
    explicit ring(consul_ring *handle) noexcept : handle_(handle) {}

    /// A ring without nodes, which have this many points for each unit of their weight: 1 to
    /// 10,000; 0 for 160.
    static result<ring> create(std::uint32_t virtual_nodes = 0) {
        return detail::fetch<ring>(consul_ring_new, virtual_nodes);
    }

    /// Adds a node of this weight, 1 to 1,000, or gives one that is there this weight.
    result<void> add(const c_text &node, std::uint32_t weight = 1) const {
        return detail::invoke(consul_ring_add, c_value(), node, weight);
    }

    /// Removes a node. `not_found` when it was not there.
    result<void> remove(const c_text &node) const {
        return detail::invoke(consul_ring_remove, c_value(), node);
    }

    /// Gives the ring these nodes and no others, in one step; without weights, of 1 each.
    /// `err_argument` when there are not as many weights as nodes.
    result<void> set(const std::vector<std::string> &nodes,
                     const std::vector<std::uint32_t> &weights = {}) const {
        if (!weights.empty() && weights.size() != nodes.size()) {
            return consul::error(consul::status::err_argument);
        }
        std::vector<const char *> names;
        for (const std::string &node : nodes) {
            names.push_back(node.c_str());
        }
        const std::uint32_t *numbers = weights.empty() ? nullptr : weights.data();
        return detail::invoke(consul_ring_set, c_value(), names.data(), names.size(), numbers);
    }

    /// The node that a key belongs to; empty where there are no nodes. Borrowed: valid until this
    /// thread looks up again, in any ring or cluster.
    std::string_view node_for_key(const bytes &key) const noexcept {
        const char *node = consul_ring_node_for_key(c_value(), key.data(), key.size());
        return node == nullptr ? std::string_view() : node;
    }

    /// The node that a key belongs to, and those that it would belong to without the ones before:
    /// `count` different nodes, or all where there are fewer.
    result<string_list> replicas_for_key(const bytes &key, std::size_t count) const {
        return detail::fetch<string_list>(consul_ring_replicas_for_key, c_value(), key.data(),
                                      key.size(), count);
    }

    /// The names of the nodes, sorted.
    result<string_list> nodes() const { return detail::fetch<string_list>(consul_ring_nodes, c_value()); }

    /// How many nodes there are.
    std::size_t count() const noexcept { return consul_ring_count(c_value()); }

    /// The weight of a node; 0 when it is not there.
    std::uint32_t weight(const char *node) const noexcept {
        return consul_ring_weight(c_value(), node);
    }

    /// 0 for a ring that never had a node, and one more with each change.
    std::uint64_t version() const noexcept { return consul_ring_version(c_value()); }

    /// The handle as C has it. Borrowed.
    const consul_ring *c_value() const noexcept { return handle_.get(); }

private:
    detail::owned<consul_ring> handle_;
};

CONSUL_FFI_NAMESPACE_END

#endif
