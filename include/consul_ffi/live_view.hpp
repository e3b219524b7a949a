/// Views of what a watch has found, and the picking of instances.

#ifndef CONSUL_FFI_LIVE_VIEW_HPP
#define CONSUL_FFI_LIVE_VIEW_HPP

#include "answers.hpp"

CONSUL_FFI_NAMESPACE_BEGIN
namespace detail {

template <>
struct answer<consul_lease> {
    using view = service_entry;
    static view at(const consul_lease *handle, std::size_t) noexcept {
        return view(consul_lease_service_entry(handle));
    }
};

/// The rows of a view, borrowed; none where its watch is of something else.
template <class Row, auto At>
class view_rows : public range<view_rows<Row, At>> {
public:
    using value_type = Row;

    view_rows() noexcept = default;
    explicit view_rows(const consul_view *handle) noexcept : handle_(handle) {}

    std::size_t size() const noexcept {
        return At(handle_, 0) == nullptr ? 0 : consul_view_count(handle_);
    }
    Row operator[](std::size_t index) const noexcept { return Row(At(handle_, index)); }

private:
    const consul_view *handle_ = nullptr;
};

/// A row that may not be there.
template <class View, class Row>
std::optional<View> found(const Row *row) noexcept {
    return row == nullptr ? std::nullopt : std::optional<View>(View(row));
}

} // namespace detail

/// A use of an instance, which ends with it. Reach the instance by `->`; it stays the same wherever
/// the view moves. Move-only.
using lease = single<consul_lease>;

/// A reader's own look at what a watch has found. It stands still: its rows are valid, and say the
/// same, until `refresh` or `wait` moves it to a newer state, or it ends. So one thread at a time
/// uses a view, and each thread that reads has one of its own. Reading takes no lock and makes no
/// system call.
///
/// What was found stays when Consul cannot be asked, or the watch has ended: the view is
/// `view_state::stale` then. Move-only; empty when moved from.
class view {
public:
    using handle_type = consul_view;

    using pair_range = detail::view_rows<kv_pair, consul_view_kv_at>;
    using instance_range = detail::view_rows<service_entry, consul_view_service_entry_at>;
    using service_name_range = detail::view_rows<service_name, consul_view_service_name_at>;
    using node_range = detail::view_rows<node, consul_view_node_at>;
    using check_range = detail::view_rows<check, consul_view_check_at>;
    using user_event_range = detail::view_rows<user_event, consul_view_user_event_at>;

    /// Empty: without rows, and its calls give `err_handle`.
    view() noexcept = default;
    /// Takes the handle over.
    explicit view(consul_view *handle) noexcept : handle_(handle) {}

    /// Moves to the newest state, and ends the rows that were read. `no_change`, and nothing is
    /// ended, when it is there already.
    result<void> refresh() { return detail::invoke(consul_view_refresh, handle_.get()); }

    /// Waits this long for a newer state and moves there; the longest duration waits for ever.
    /// `no_change` when there was none. `err_cancelled` once the watch has ended, `err_closed` once
    /// its client was closed.
    result<void> wait(std::chrono::milliseconds timeout = (std::chrono::milliseconds::max)()) {
        return detail::invoke(consul_view_wait, handle_.get(), detail::patience(timeout));
    }

    /// The version of the state that it stands at; 0 before anything was found.
    std::uint64_t version() const noexcept { return consul_view_version(c_value()); }

    /// The index of the answer that it stands at; 0 when it had none or comes from a file.
    std::uint64_t index() const noexcept { return consul_view_index(c_value()); }

    /// How far it can be trusted.
    view_state state() const noexcept {
        return static_cast<view_state>(consul_view_state(c_value()));
    }

    /// Whether it may be read: always, but in the state `expired`, where it reads as if there were
    /// nothing. The error is that for which Consul cannot be asked.
    result<void> readable() const { return detail::invoke(consul_view_check, c_value()); }

    /// How long ago Consul confirmed the watch's newest state, as far as an answer can tell: a
    /// query that is held confirms nothing until it ends. The longest duration when it never did.
    std::chrono::milliseconds age() const noexcept {
        return detail::duration<std::chrono::milliseconds>(consul_view_age_ms(c_value()));
    }

    /// How many things there are; of a path 1, or 0 when it was answered with a 404.
    std::size_t size() const noexcept { return consul_view_count(c_value()); }
    bool empty() const noexcept { return size() == 0; }

    // What was found, borrowed until the view moves or ends. Each range is empty where the watch is
    // of something else.

    /// The pairs of a key or a prefix, sorted by key.
    pair_range pairs() const & noexcept { return pair_range(c_value()); }
    /// The instances of a service, sorted by node and id, or by distance where the options say
    /// near.
    instance_range instances() const & noexcept { return instance_range(c_value()); }
    /// The names of the services, sorted.
    service_name_range service_names() const & noexcept { return service_name_range(c_value()); }
    /// The nodes, sorted by name.
    node_range nodes() const & noexcept { return node_range(c_value()); }
    /// The checks, sorted by node and id.
    check_range checks() const & noexcept { return check_range(c_value()); }
    /// The user events, the oldest first.
    user_event_range user_events() const & noexcept { return user_event_range(c_value()); }
    /// The body of a path's answer.
    std::string_view body() const & noexcept {
        return detail::text(consul_view_body(c_value()), consul_view_body_len(c_value()));
    }

    /// The pair of this key, in a view of a key or a prefix.
    std::optional<kv_pair> find_pair(const c_text &key) const & {
        return find<kv_pair>(consul_view_find_kv, key);
    }

    /// The instance of this id, in a view of a service; the first one where several nodes use it.
    std::optional<service_entry> find_instance(const c_text &id) const & {
        return find<service_entry>(consul_view_find_service_entry, id);
    }

    /// Picks an instance of a service that passes, or warns where the watch takes those too,
    /// without a lock. `key` is for `pick::hash`. Nothing when there is none to pick, and where
    /// `lease` says `err_argument`.
    std::optional<service_entry> pick(consul::pick how, const bytes &key = "") const & noexcept {
        return detail::found<service_entry>(
            consul_view_pick(c_value(), detail::pass(how), key.data(), key.size()));
    }

    // What they borrow would be gone at the end of the line: name the view first.
    void pairs() && = delete;
    void instances() && = delete;
    void service_names() && = delete;
    void nodes() && = delete;
    void checks() && = delete;
    void user_events() && = delete;
    void body() && = delete;
    void find_pair(const c_text &) && = delete;
    void find_instance(const c_text &) && = delete;
    void pick(consul::pick, const bytes & = "") && = delete;

    /// As `pick`, and counts a use of the instance until the lease ends. `not_found` when there is
    /// none to pick, `err_argument` when the view cannot pick in this way, the error of `readable` when
    /// it may not be read.
    result<consul::lease> lease(consul::pick how, const bytes &key = "") const {
        return detail::fetch<consul::lease>(consul_view_lease, c_value(), how, key.data(),
                                            key.size());
    }

    /// The handle as C has it. Borrowed.
    const consul_view *c_value() const noexcept { return handle_.get(); }

private:
    /// A text that C would cut is the name of nothing.
    template <class View, class Find>
    std::optional<View> find(Find function, const c_text &name) const {
        return name.refused().is_error() ? std::nullopt
                                         : detail::found<View>(function(c_value(), name.c_value()));
    }

    detail::owned<consul_view> handle_;
};

CONSUL_FFI_NAMESPACE_END

#endif
