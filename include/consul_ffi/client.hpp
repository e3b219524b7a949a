/// The client.

#ifndef CONSUL_FFI_CLIENT_HPP
#define CONSUL_FFI_CLIENT_HPP

#include "acl.hpp"
#include "agent.hpp"
#include "catalog.hpp"
#include "cluster.hpp"
#include "election.hpp"
#include "embedded.hpp"
#include "event.hpp"
#include "health.hpp"
#include "health_report.hpp"
#include "kept_service.hpp"
#include "kv.hpp"
#include "lock.hpp"
#include "operator.hpp"
#include "response.hpp"
#include "snapshot.hpp"
#include "semaphore.hpp"
#include "stats.hpp"
#include "txn.hpp"
#include "watch.hpp"

CONSUL_FFI_NAMESPACE_BEGIN

/// All that a client can be asked for. With `client.on(queue, tag)` none of it blocks.
class client_calls : public detail::calls<consul_client> {
public:
    using calls::calls;

    kv_calls kv() const noexcept { return kv_calls(handle_, async_); }
    session_calls session() const noexcept { return session_calls(handle_, async_); }
    health_calls health() const noexcept { return health_calls(handle_, async_); }
    agent_calls agent() const noexcept { return agent_calls(handle_, async_); }
    catalog_calls catalog() const noexcept { return catalog_calls(handle_, async_); }
    event_calls event() const noexcept { return event_calls(handle_, async_); }
    status_calls status() const noexcept { return status_calls(handle_, async_); }
    acl_calls acl() const noexcept { return acl_calls(handle_, async_); }
    operator_calls operators() const noexcept { return operator_calls(handle_, async_); }
    snapshot_calls snapshot() const noexcept { return snapshot_calls(handle_, async_); }

    /// Applies all operations or none. `conflict` when it was rolled back for what it found,
    /// `err_denied` when the token may not do one of its operations, `err_unsupported` when this Consul
    /// does not know one: `answer()` of the result then has the errors. One that changes something is sent once; after an error whose outcome
    /// is unknown it may have been applied. It may be committed again, by any client.
    result<txn_result> commit(const txn &operations, const options &settings = {}) const {
        return get<txn_result>(consul_txn_commit, operations, settings);
    }

    /// Sends any request. `method` is GET, PUT, POST or DELETE; `target` is the path from `/v1/` on
    /// with its query, both percent-encoded. `ok` for every 2xx, and for the 429 and 503 by which
    /// Consul reports health; `not_found` for 404, whose response `answer()` of the result has.
    result<response> request(const c_text &method, const c_text &target, const bytes &body = "",
                             const c_text &content_type = nullptr,
                             const options &settings = {}) const {
        const std::uint8_t *data = body.size() == 0 ? nullptr : body.data();
        return get<response>(consul_request, detail::aside{method}, target, data, body.size(),
                             content_type, settings);
    }

    /// Deregisters the services that are kept registered, releases the locks that are held, ends
    /// the sessions that are kept alive, and shuts it down: from then on calls give `err_closed`.
    /// `err_timeout` when it took longer: what is left at Consul ends by its TTL.
    result<void> close(std::chrono::milliseconds timeout = std::chrono::seconds(10)) const {
        return run(consul_client_close_async, timeout);
    }

    /// Starts a watch; that Consul is away is no error. `client.on(queue, tag).watch(spec)` has its
    /// events in the queue, without counting among the calls in flight, and `queue.cancel` stops
    /// it; one of the client itself is only read by views. `err_argument` when it can never be
    /// asked or a setting is not allowed, `err_io` when its last-good file cannot be read.
    result<consul::watch> watch(const watch_spec &spec) const {
        if (async_ && async_->queue == nullptr) {
            return consul::error(consul::status::err_handle);
        }
        const consul_async to = async_.value_or(consul_async{nullptr, 0});
        return detail::fetch<consul::watch>(consul_watch_start, handle_, spec, to.queue, to.tag);
    }
};

/// Talks to a Consul agent, or to the servers of one cluster. One is enough for a process; any number of threads may use it at
/// once. Move-only. Its end closes it, unless that was done: for a second at most it waits until what
/// it holds and what is being released is given back, of which nobody is told how it went. `close`
/// waits for longer and says it. What is in flight on other threads ends with `err_closed`.
class client : public detail::owner<client_calls> {
public:
    /// Empty: every call gives `err_handle`.
    client() noexcept = default;
    /// Takes the handle over.
    explicit client(consul_client *handle) noexcept : owner(handle) {}

    client(client &&) noexcept = default;
    client &operator=(client &&other) noexcept {
        if (this != &other) {
            give_back();
            owner::operator=(std::move(other));
        }
        return *this;
    }
    ~client() { give_back(); }

    /// Makes a client; it connects on first use. `err_config` or `err_tls` when a setting, or a
    /// file that it names, cannot be used; `err_unsupported` when the library does not fit the
    /// header.
    static result<client> create(const config &settings) {
        if (const auto fits = check_library(); !fits) {
            return fits.error();
        }
        return detail::fetch<client>(consul_client_new, settings);
    }

    /// Makes a client from the environment: `CONSUL_HTTP_ADDR` and the other official names.
    static result<client> create() { return create(config()); }

    /// Takes this configuration from now on: addresses, token, TLS, limits, times, all of it. No call
    /// fails for it, and sessions, locks, watches and kept services live on. After an error nothing
    /// has changed.
    result<void> reload(const config &settings) const {
        return detail::invoke(consul_client_reload, handle_, settings);
    }

    /// Takes this token from now on, and registers anew what is kept registered with the client's; a
    /// null pointer for the one that was configured.
    result<void> set_token(const c_text &token) const {
        return detail::invoke(consul_client_set_token, handle_, token);
    }

    /// How many addresses it has.
    std::size_t endpoint_count() const noexcept { return consul_client_endpoint_count(handle_); }

    /// How one of its addresses is getting on, in the order of the setting `address`; `not_found`
    /// past the last.
    result<stats> endpoint_stats(std::size_t position) const {
        return detail::fetch<stats>(consul_client_endpoint_stats, handle_, position);
    }

    /// Has changes of its addresses arrive in a queue from now on, as events of the type
    /// `event_type::endpoint_changed`, whose result is an `endpoint_change_list`, without counting among
    /// the calls in flight; in one queue at a time. The last one has the type
    /// `event_type::endpoint_ended`. `err_closed` once the client is closed.
    result<void> set_endpoint_queue(const consul::queue &queue, std::uint64_t tag = 0) const {
        if (queue.c_value() == nullptr) {
            return consul::error(consul::status::err_handle);
        }
        return detail::invoke(consul_client_set_endpoint_queue, handle_, queue.c_value(), tag);
    }

    /// Has them arrive nowhere.
    result<void> unset_endpoint_queue() const {
        consul_queue *none = nullptr;
        return detail::invoke(consul_client_set_endpoint_queue, handle_, none, std::uint64_t(0));
    }

    /// Where its calls go at the moment: `http://127.0.0.1:8500`. Borrowed.
    std::string_view endpoint() const & noexcept {
        const char *endpoint = consul_client_endpoint(handle_);
        return endpoint == nullptr ? std::string_view() : endpoint;
    }
    void endpoint() && = delete;

    /// Makes a lock. Sends nothing. `err_argument` when a key, TTL, lock-delay or window cannot be.
    result<consul::lock> lock(const lock_spec &spec) const {
        return detail::fetch<consul::lock>(consul_lock_new, handle_, spec);
    }
    result<consul::lock> lock(const c_text &key) const {
        lock_spec spec(key);
        return lock(spec);
    }

    /// Makes a lock and acquires it, waiting this long at most; as `lock::acquire`.
    result<lock_guard> hold(const lock_spec &spec, std::chrono::milliseconds timeout) const {
        result<consul::lock> made = lock(spec);
        return made ? lock_guard::acquire(std::move(*made), timeout, spec.key().c_str())
                    : made.error();
    }
    result<lock_guard> hold(const c_text &key, std::chrono::milliseconds timeout) const {
        return hold(lock_spec(key), timeout);
    }

    /// Makes a semaphore. Sends nothing. `err_argument` when a prefix, limit, TTL or window cannot
    /// be.
    result<consul::semaphore> semaphore(const semaphore_spec &spec) const {
        return detail::fetch<consul::semaphore>(consul_semaphore_new, handle_, spec);
    }
    result<consul::semaphore> semaphore(const c_text &prefix, std::uint64_t limit) const {
        semaphore_spec spec(prefix, limit);
        return semaphore(spec);
    }

    /// Makes a semaphore and acquires a slot, waiting this long at most; as `semaphore::acquire`.
    result<semaphore_guard> hold(const semaphore_spec &spec,
                                 std::chrono::milliseconds timeout) const {
        result<consul::semaphore> made = semaphore(spec);
        return made ? semaphore_guard::acquire(std::move(*made), timeout, spec.prefix().c_str())
                    : made.error();
    }

    /// Makes a service to keep registered. Sends nothing: `start` does. `err_argument` when
    /// something in the description cannot be.
    result<consul::kept_service> kept_service(const kept_service_spec &spec) const {
        return detail::fetch<consul::kept_service>(consul_kept_service_new, handle_, spec);
    }

    /// Starts an election: observes its key, and campaigns unless it is only to observe. That Consul
    /// is away is no error. `err_argument` when a key, TTL, lock-delay or window cannot be.
    result<consul::election> election(const election_spec &spec) const {
        return detail::fetch<consul::election>(consul_election_start, handle_, spec);
    }
    result<consul::election> election(const c_text &key) const {
        election_spec spec(key);
        return election(spec);
    }

    /// Joins a cluster: begins to, and goes on in the background until it is left. That Consul is away
    /// is no error, and neither is that another member has the id: that is waited for.
    /// `err_argument` when something in the description cannot be.
    result<cluster> join(const cluster_spec &spec) const {
        return detail::fetch<cluster>(consul_cluster_join, handle_, spec);
    }

    /// Makes a report of the program's health that also tells how the client's services, locks and
    /// sessions are getting on and whether its agent answers, which does not decide the status.
    result<consul::health_report> health_report() const {
        return detail::fetch<consul::health_report>(consul_health_report_new, handle_);
    }

    /// The agent in memory of a client whose address is `embedded:`. Valid as long as the client.
    embedded_agent embedded() const & noexcept { return embedded_agent(handle_); }
    void embedded() && = delete;

private:
    /// What still lives on it, and what is on its way back already. Nothing is a matter of
    /// microseconds.
    void give_back() const noexcept {
        if (handle_ != nullptr) {
            constexpr std::uint64_t at_most_ms = 1000;
            (void)consul_client_close(handle_, at_most_ms);
        }
    }
};

CONSUL_FFI_NAMESPACE_END

#endif
