/// Watches: queries that the library keeps asking.

#ifndef CONSUL_FFI_WATCH_HPP
#define CONSUL_FFI_WATCH_HPP

#include "calls.hpp"
#include "live_view.hpp"
#include "options.hpp"
#include "stats.hpp"

CONSUL_FFI_NAMESPACE_BEGIN

/// What to watch, and how to be told of it.
///
///     consul::watch_spec web(consul::watch_kind::service, "web");
///     web.add_tag("v1").policy(consul::policy::passing_or_warning);
class watch_spec : public detail::watch_spec_setters<watch_spec> {
public:
    /// Services, nodes and events need no name.
    explicit watch_spec(watch_kind kind, const c_text &name = nullptr) {
        create(consul_watch_spec_new, kind, name);
    }
};

/// What can be waited for in a watch. With `watch.on(queue, tag)` none of it blocks.
class watch_calls : public detail::calls<consul_watch> {
public:
    using calls::calls;

    /// Waits until there is a state to read, if only that there is nothing; the longest duration
    /// waits for ever. `err_timeout` when there is none in time, with Consul's last failure in its
    /// message; `err_cancelled` once it is stopped, `err_closed` once its client is closed.
    result<void> wait_ready(
        std::chrono::milliseconds timeout = (std::chrono::milliseconds::max)()) const {
        return run(consul_watch_wait_ready_async, detail::patience(timeout));
    }

    /// Waits until its version is above this one, such as a view's. `no_change` when it is not after
    /// this time.
    result<void> wait_newer(
        std::uint64_t version,
        std::chrono::milliseconds timeout = (std::chrono::milliseconds::max)()) const {
        return run(consul_watch_wait_newer, version, detail::patience(timeout));
    }
};

/// A query that the library keeps asking until it is stopped. It rides out failures, asks no more
/// often than it must, and tells only what has changed. Move-only. Its end stops it; its views can
/// still be read.
class watch : public detail::owner<watch_calls> {
public:
    /// Empty: every call gives `err_handle`.
    watch() noexcept = default;
    /// Takes the handle over.
    explicit watch(consul_watch *handle) noexcept : owner(handle) {}

    /// Makes a view, at the newest state.
    result<consul::view> view() const {
        return detail::fetch<consul::view>(consul_watch_view, c_value());
    }

    /// Stops it: its last event arrives behind those that were not taken yet. What was found stays
    /// to be read. `ok` also when it had ended.
    result<void> stop() const { return detail::invoke(consul_watch_stop, c_value()); }

    /// How it is getting on, all at one moment; what follows asks for one thing each.
    result<consul::stats> stats() const {
        return detail::fetch<consul::stats>(consul_watch_stats, c_value());
    }

    /// The version of the newest state; 0 before anything was found. It grows with each state.
    std::uint64_t version() const noexcept { return consul_watch_version(c_value()); }

    /// How long ago Consul gave its last good answer; the longest duration when it never did.
    std::chrono::milliseconds last_success_age() const noexcept {
        return detail::duration<std::chrono::milliseconds>(
            consul_watch_last_success_age_ms(c_value()));
    }

    /// How many requests have failed since the last good answer.
    std::uint32_t consecutive_failures() const noexcept {
        return consul_watch_consecutive_failures(c_value());
    }

    /// The index of the last good answer.
    std::uint64_t index() const noexcept { return consul_watch_index(c_value()); }

    /// How many requests were made so far, those for other watches of the same thing included.
    std::uint64_t requests() const noexcept { return consul_watch_requests(c_value()); }

    /// True while a request is with Consul.
    bool is_in_flight() const noexcept { return consul_watch_is_in_flight(c_value()); }

    /// True while a loss above the floor is held back.
    bool is_holding_back() const noexcept { return consul_watch_is_holding_back(c_value()); }

    /// What failed last, even when all is well again; `ok` when nothing ever did. For one thread at
    /// a time.
    consul::error last_error() const {
        return consul::error::of(consul_watch_last_error(c_value()));
    }

    /// Why the last-good file could not be written the last time; `ok` when it could. For one
    /// thread at a time.
    consul::error last_good_error() const {
        return consul::error::of(consul_watch_last_good_error(c_value()));
    }

    /// The handle as C has it. Borrowed.
    const consul_watch *c_value() const noexcept { return handle_; }
};

CONSUL_FFI_NAMESPACE_END

#endif
