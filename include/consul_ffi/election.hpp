/// Leader election.

#ifndef CONSUL_FFI_ELECTION_HPP
#define CONSUL_FFI_ELECTION_HPP

#include "answers.hpp"
#include "calls.hpp"
#include "queue.hpp"
#include "session.hpp"
#include "stats.hpp"

CONSUL_FFI_NAMESPACE_BEGIN
namespace detail {

template <>
struct answer<consul_leader> {
    using view = leadership;
    static view at(const consul_leader *handle, std::size_t) noexcept {
        return view(consul_leader_row(handle));
    }
};

} // namespace detail

/// Who led when it was asked, reached by `->`.
using leader = single<consul_leader>;

/// What an election is made from: its key, with an empty value and a session of its own for each
/// term, whose TTL and lock-delay are 15 s unless set otherwise.
class election_spec : public detail::election_spec_setters<election_spec> {
public:
    explicit election_spec(const c_text &key) { create(consul_election_spec_new, key); }
};

/// What an election asks Consul for. With `election.on(queue, tag)` none of it blocks.
class election_calls : public detail::calls<consul_election> {
public:
    using calls::calls;

    /// Campaigns no more, and gives the key back where this candidate leads: another one leads at
    /// once, without a lock-delay. It goes on observing. That it did not lead is no error. After any
    /// error it does not lead either, and the library goes on giving the key back in the background.
    result<void> resign() const { return run(consul_election_resign); }

    /// Changes what the others read while this candidate leads: at once where it does, and for all
    /// its terms from now on. `err_lock_lost` where it turns out not to lead any more.
    result<void> set_value(const bytes &value) const {
        return run(consul_election_set_value, value.data(), value.size());
    }

    /// Waits until this candidate leads. `no_change` when it does not after this time; the longest
    /// duration waits for ever.
    result<void> wait_elected(
        std::chrono::milliseconds timeout = (std::chrono::milliseconds::max)()) const {
        return run(consul_election_wait_elected_async, detail::patience(timeout));
    }

    /// Waits until somebody leads. `no_change` when nobody does after this time.
    result<consul::leader> wait_leader(
        std::chrono::milliseconds timeout = (std::chrono::milliseconds::max)()) const {
        return get<consul::leader>(consul_election_wait_leader_async, detail::patience(timeout));
    }

    /// Waits for something newer than this version of a `leader`. `no_change` when there was
    /// nothing.
    result<consul::leader> wait_change(
        std::uint64_t version,
        std::chrono::milliseconds timeout = (std::chrono::milliseconds::max)()) const {
        return get<consul::leader>(consul_election_wait_change_async, version,
                                   detail::patience(timeout));
    }
};

/// A candidate, or an observer, of an election by a key. It campaigns in the background from its
/// start until it resigns, and again after a loss. Move-only. Every call is for any thread. Its end
/// never blocks: waits in it end with `err_cancelled`, and it resigns in the background, which
/// its client's end waits for.
///
///     auto election = client.election(consul::election_spec("app/leader").value("node-1")).value();
///     if (election.wait_elected())
///         while (election.is_leader()) work(election.fencing_token());
class election : public detail::owner<election_calls> {
public:
    /// Empty: never leads, and every call gives `err_handle`.
    election() noexcept = default;
    /// Takes the handle over.
    explicit election(consul_election *handle) noexcept : owner(handle) {}

    /// Campaigns from now on, if it does not: after it resigned, or only observed.
    result<void> campaign() const { return detail::invoke(consul_election_campaign, c_value()); }

    /// True while this candidate leads, judged by the clock at this moment. Makes no request.
    bool is_leader() const noexcept { return consul_election_is_leader(c_value()); }

    /// How long it is known to lead if nothing is heard of Consul from now on.
    std::chrono::milliseconds remaining() const noexcept {
        return detail::duration<std::chrono::milliseconds>(consul_election_remaining_ms(c_value()));
    }

    /// The index of the write that began this candidate's last term; 0 when there was none. It grows
    /// with each term of anybody, so a store that refuses lower tokens than it has seen is safe from
    /// late writers.
    std::uint64_t fencing_token() const noexcept {
        return consul_election_fencing_token(c_value());
    }

    /// The id of the session that this candidate leads with. `not_found` while it does not lead.
    result<std::string> session_id() const {
        return detail::fetch_text(consul_election_session_id, c_value());
    }

    /// Who leads, as far as Consul has told. Makes no request.
    result<consul::leader> leader() const {
        return detail::fetch<consul::leader>(consul_election_leader, c_value());
    }

    /// Has what happens arrive in a queue from now on, as events of the types
    /// `event_type::election_...`, without counting among the calls in flight; at once of who leads
    /// where that is known. In one queue at a time; `queue.cancel` of its tag ends that.
    result<void> set_queue(const consul::queue &queue, std::uint64_t tag = 0) const {
        if (queue.c_value() == nullptr) {
            return consul::error(consul::status::err_handle);
        }
        return detail::invoke(consul_election_set_queue, c_value(), queue.c_value(), tag);
    }

    /// Ends that, without an event.
    result<void> unset_queue() const {
        consul_queue *none = nullptr;
        return detail::invoke(consul_election_set_queue, c_value(), none, std::uint64_t(0));
    }

    /// How it is getting on.
    result<consul::stats> stats() const {
        return detail::fetch<consul::stats>(consul_election_stats, c_value());
    }

    consul::error refused() const { return consul::error(); }
    const consul_election *c_value() const noexcept { return handle_; }
};

CONSUL_FFI_NAMESPACE_END

#endif
