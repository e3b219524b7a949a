/// Services that the library keeps registered.

#ifndef CONSUL_FFI_KEPT_SERVICE_HPP
#define CONSUL_FFI_KEPT_SERVICE_HPP

#include "calls.hpp"
#include "specs.hpp"
#include "stats.hpp"

CONSUL_FFI_NAMESPACE_BEGIN

/// A service that stays registered: with a TTL of 15 s and a heartbeat in the background, passing
/// from the start, unless it is set otherwise.
///
///     consul::service_spec web("web");
///     web.port(8080);
///     consul::kept_service_spec kept(web);
///     kept.deregister_after(std::chrono::minutes(10));
class kept_service_spec : public detail::kept_service_spec_setters<kept_service_spec> {
public:
    explicit kept_service_spec(const service_spec &service) {
        create(consul_kept_service_spec_new, service);
    }
};

/// What a kept service asks its agent for. With `service.on(queue, tag)` none of it blocks.
class kept_service_calls : public detail::calls<consul_kept_service> {
public:
    using calls::calls;

    /// Registers it, and keeps it registered from then on. An error says how the first try went:
    /// the library goes on trying all the same. `ok` also when it was started before, `err_closed`
    /// when it or its client was closed.
    result<void> start() const { return run(consul_kept_service_start); }

    /// Deregisters it and says how that went. After an error the library goes on trying in the
    /// background for two TTLs, a minute at least.
    result<void> close() const { return run(consul_kept_service_close); }

    /// Puts it into maintenance, or ends that. An agent that loses the service gets it back in
    /// maintenance. `not_found` when it is not registered.
    result<void> maintenance(bool enable, const c_text &reason = nullptr) const {
        return run(consul_kept_service_maintenance, enable, reason);
    }
};

/// A service that the library keeps registered, with its heartbeat: registered again, with the
/// status that it had, when the agent has lost it. Move-only. Its end never blocks: the service is
/// deregistered in the background, which its client's end waits for, unless it was stopped. `close` does
/// it here and now.
class kept_service : public detail::owner<kept_service_calls> {
public:
    /// Empty: every call gives `err_handle`.
    kept_service() noexcept = default;
    /// Takes the handle over.
    explicit kept_service(consul_kept_service *handle) noexcept : owner(handle) {}

    /// Lets it alone from now on: it stays registered, and its heartbeat ends. Returns at once. It
    /// can be started again.
    result<void> stop() const { return detail::invoke(consul_kept_service_stop, handle_); }

    /// Says how the program is from now on: `passing`, `warning` or `critical`. `note` is for
    /// people; every change of it wakes all who watch the service. Returns at once.
    /// `err_argument` when the service has no TTL.
    result<void> set_status(const c_text &status, const c_text &note = nullptr) const {
        return detail::invoke(consul_kept_service_set_status, handle_, status, note);
    }

    /// Says that the program is as it said last. One that must pat does so at least once a TTL.
    result<void> pat() const { return detail::invoke(consul_kept_service_pat, handle_); }

    /// Changes what is registered; nothing is sent when it is the same. Its id stays, or this is
    /// `err_argument`. Returns at once.
    result<void> set_spec(const service_spec &spec) const {
        return detail::invoke(consul_kept_service_set_spec, handle_, spec);
    }

    /// Registers it anew with this token, and uses it from then on; without one, the client's.
    /// Returns at once.
    result<void> set_token(const c_text &token) const {
        return detail::invoke(consul_kept_service_set_token, handle_, token);
    }

    /// What the program said last, or `critical` when it must pat and was silent for a TTL. Empty
    /// for an empty one.
    std::string_view status() const noexcept {
        return text_of(consul_kept_service_status(handle_));
    }

    /// The id that it is registered by. Borrowed.
    std::string_view id() const & noexcept { return text_of(consul_kept_service_id(handle_)); }
    void id() && = delete;

    /// The id of the TTL check that the library reports on. Borrowed.
    std::string_view check_id() const & noexcept {
        return text_of(consul_kept_service_check_id(handle_));
    }
    void check_id() && = delete;

    /// Whether the agent is known to have it, as of the last exchange.
    bool is_registered() const noexcept { return consul_kept_service_is_registered(handle_); }

    /// How often it was written to an agent: 1 after the start, and more each time it was lost or
    /// changed.
    std::uint64_t registrations() const noexcept {
        return consul_kept_service_registrations(handle_);
    }

    /// How it is getting on.
    result<consul::stats> stats() const {
        return detail::fetch<consul::stats>(consul_kept_service_stats, handle_);
    }

private:
    static std::string_view text_of(const char *text) noexcept {
        return text == nullptr ? std::string_view() : text;
    }
};

CONSUL_FFI_NAMESPACE_END

#endif
