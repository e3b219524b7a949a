/// What reads answer with: many rows, or one. An answer owns its rows; views of them are borrowed.

#ifndef CONSUL_FFI_ANSWERS_HPP
#define CONSUL_FFI_ANSWERS_HPP

#include "call.hpp"
#include "rows.hpp"

CONSUL_FFI_NAMESPACE_BEGIN
namespace detail {

/// The rows of an answer, borrowed.
template <class Handle>
class rows : public range<rows<Handle>> {
public:
    using value_type = typename answer<Handle>::view;

    rows() noexcept = default;
    explicit rows(const Handle *handle) noexcept : handle_(handle) {}

    std::size_t size() const noexcept { return answer<Handle>::count(handle_); }
    value_type operator[](std::size_t index) const noexcept {
        return answer<Handle>::at(handle_, index);
    }

private:
    const Handle *handle_ = nullptr;
};

} // namespace detail

/// Rows, as a range of views. Move-only; empty when moved from.
template <class Handle>
class list {
public:
    using handle_type = Handle;
    using value_type = typename detail::answer<Handle>::view;
    using iterator = detail::iterator<detail::rows<Handle>>;
    using const_iterator = iterator;

    /// Takes the handle over.
    explicit list(Handle *handle) noexcept : handle_(handle) {}

    iterator begin() const & noexcept { return rows().begin(); }
    iterator end() const & noexcept { return rows().end(); }
    std::size_t size() const noexcept { return rows().size(); }
    bool empty() const noexcept { return size() == 0; }

    /// An empty row past the end.
    value_type operator[](std::size_t index) const & noexcept { return rows()[index]; }

    // What they borrow would be gone at the end of the line: name the answer first.
    void begin() && = delete;
    void end() && = delete;
    void operator[](std::size_t) && = delete;

    /// What the answer's headers say; members have none.
    consul::meta meta() const noexcept { return detail::answer<Handle>::meta(c_value()); }

    /// The handle as C has it. Borrowed.
    const Handle *c_value() const noexcept { return handle_.get(); }

private:
    detail::rows<Handle> rows() const noexcept { return detail::rows<Handle>(c_value()); }

    detail::owned<Handle> handle_;
};

/// One row, reached by `->`. Move-only; an empty row when moved from.
template <class Handle>
class single {
public:
    using handle_type = Handle;
    using value_type = typename detail::answer<Handle>::view;

    /// Takes the handle over.
    explicit single(Handle *handle) noexcept : handle_(handle) {}

    value_type operator*() const & noexcept { return detail::answer<Handle>::at(c_value(), 0); }
    detail::arrow<value_type> operator->() const & noexcept { return {**this}; }

    // What they borrow would be gone at the end of the line: name the answer first.
    void operator*() && = delete;
    void operator->() && = delete;

    /// What the answer's headers say; an agent about itself says nothing.
    consul::meta meta() const noexcept { return detail::answer<Handle>::meta(c_value()); }

    /// The handle as C has it. Borrowed.
    const Handle *c_value() const noexcept { return handle_.get(); }

private:
    detail::owned<Handle> handle_;
};

/// Checks, with what they come to.
class check_list : public list<consul_checks> {
public:
    using list::list;

    /// The worst of them: `maintenance`, `critical`, `warning` or `passing`, which is also what no
    /// checks come to. Empty when one has a status that is none of Consul's words.
    std::string_view aggregated_status() const noexcept {
        const char *status = consul_checks_aggregated_status(c_value());
        return status == nullptr ? std::string_view() : status;
    }
};

/// Services, with the node that they are on.
class service_list : public list<consul_services> {
public:
    using list::list;

    /// Empty where the answer is not about a node. Borrowed.
    consul::node node() const & noexcept { return consul::node(consul_services_node(c_value())); }
    void node() && = delete;
};

using kv_entry = single<consul_kv>;
using kv_list = list<consul_kv>;
using string_list = list<consul_keys>;
using session_entry = single<consul_sessions>;
using session_list = list<consul_sessions>;
using agent_service = single<consul_services>;
using instance = single<consul_service_entries>;
using instance_list = list<consul_service_entries>;
using node_list = list<consul_nodes>;
using service_name_list = list<consul_service_names>;
using member_list = list<consul_members>;
using cluster_node_list = list<consul_cluster_nodes>;
using endpoint_change_list = list<consul_endpoint_changes>;
using fired_event = single<consul_user_events>;
using user_event_list = list<consul_user_events>;
using raft_peer_list = list<consul_raft_peers>;

CONSUL_FFI_NAMESPACE_END

#endif
