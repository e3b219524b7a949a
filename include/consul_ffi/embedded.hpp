/// The embedded agent of a client.

#ifndef CONSUL_FFI_EMBEDDED_HPP
#define CONSUL_FFI_EMBEDDED_HPP

#include "call.hpp"

CONSUL_FFI_NAMESPACE_BEGIN

/// The Consul agent in memory of a client whose address is `embedded:`, for tests: its clock, which
/// can be turned on, and faults to order. Where there is a `prefix`, a fault meets only requests
/// whose path begins with that, such as `/v1/kv/`. Every call gives `err_unsupported` when the
/// client's agent is not embedded. Valid as long as the client.
class embedded_agent {
public:
    explicit embedded_agent(const consul_client *client) noexcept : client_(client) {}

    /// Turns the clock on. What is due until then has happened when this returns.
    result<void> advance(std::chrono::milliseconds time) const {
        return detail::invoke(consul_embedded_advance, client_, time);
    }

    /// How long the agent has lived by its own clock.
    result<std::chrono::milliseconds> now() const {
        std::uint64_t now = 0;
        consul::error outcome = detail::invoke(consul_embedded_now, client_, &now);
        if (outcome.is_error()) {
            return outcome;
        }
        return std::chrono::milliseconds(now);
    }

    /// Lets every request wait this long, by the agent's clock, before it is looked at; 0 ends that.
    result<void> set_latency(std::chrono::milliseconds latency,
                             const c_text &prefix = nullptr) const {
        return detail::invoke(consul_embedded_set_latency, client_, prefix, latency);
    }

    /// Answers the next `count` requests with this HTTP status, 400 to 599, and text, and does
    /// nothing for them; 0 takes the order back.
    result<void> fail_next(std::uint64_t count, std::uint32_t http_status,
                           const c_text &text = nullptr, const c_text &prefix = nullptr) const {
        return detail::invoke(consul_embedded_fail_next, client_, prefix, count, http_status, text);
    }

    /// Takes the leader away, or gives one back.
    result<void> no_leader(bool is_gone, const c_text &prefix = nullptr) const {
        return detail::invoke(consul_embedded_no_leader, client_, prefix, is_gone);
    }

    /// Does what the next `count` requests ask for and loses the answers; 0 takes the order back.
    result<void> lose_answers(std::uint64_t count, const c_text &prefix = nullptr) const {
        return detail::invoke(consul_embedded_lose_answers, client_, prefix, count);
    }

    /// Takes every order of a fault back, whatever its prefix.
    result<void> reset_faults() const {
        return detail::invoke(consul_embedded_reset_faults, client_);
    }

private:
    const consul_client *client_;
};

CONSUL_FFI_NAMESPACE_END

#endif
