/// Locks.

#ifndef CONSUL_FFI_LOCK_HPP
#define CONSUL_FFI_LOCK_HPP

#include "calls.hpp"
#include "queue.hpp"
#include "session.hpp"
#include "stats.hpp"

CONSUL_FFI_NAMESPACE_BEGIN

/// What a lock is made from: its key, with an empty value and a session of its own whose TTL and
/// lock-delay are 15 s unless set otherwise.
class lock_spec : public detail::lock_spec_setters<lock_spec> {
public:
    explicit lock_spec(const c_text &key) { create(consul_lock_spec_new, key); }
};

/// What a lock asks Consul for. With `lock.on(queue, tag)` none of it blocks.
class lock_calls : public detail::calls<consul_lock> {
public:
    using calls::calls;

    /// Acquires it, waiting this long at most: 0 tries once, the longest duration waits for ever.
    /// `held` when somebody else held it, or its lock-delay lasted, until the time was over. It
    /// rides out failures that pass. A lock that was lost can be acquired again.
    result<void> acquire(std::chrono::milliseconds timeout) const {
        return run(consul_lock_acquire, timeout);
    }

    /// Acquires it if nobody else holds it, without waiting.
    result<void> try_acquire() const { return run(consul_lock_try_acquire); }

    /// Releases it, then destroys its own session. `err_not_held` when it was not held,
    /// `err_lock_lost` when it was lost before. After any other error it is not held either, and
    /// the library goes on releasing it in the background.
    result<void> release() const { return run(consul_lock_release); }

    /// Deletes the key if nobody holds it. `ok` also when it did not exist, `held` when it is in
    /// use.
    result<void> destroy() const { return run(consul_lock_destroy); }

    /// Writes another key only while this lock is held, whatever its holder believes: Consul checks
    /// it in the same transaction. `err_not_held` or `err_lock_lost` when it is not held any more;
    /// nothing was written then.
    result<void> put(const c_text &key, const bytes &value, std::uint64_t flags = 0,
                     const options &settings = {}) const {
        return run(consul_lock_put, key, value.data(), value.size(), flags, settings);
    }
};

/// A key that a session holds; it excludes the official client's locks and is excluded by them.
/// Move-only. Every call is for any thread. Its end never blocks: calls that wait in it end with
/// `err_cancelled`, and if it is held it is released in the background, which `client.close` waits
/// for. `release` does it here and now, and says whether it worked.
class lock : public detail::owner<lock_calls> {
public:
    /// Empty: never held, and every call gives `err_handle`.
    lock() noexcept = default;
    /// Takes the handle over.
    explicit lock(consul_lock *handle) noexcept : owner(handle) {}

    /// Ends calls that wait in it on other threads with `err_cancelled`, at once. A held lock stays
    /// held.
    result<void> stop() const { return detail::invoke(consul_lock_stop, c_value()); }

    /// True while it is held, judged by the clock at this moment.
    bool is_held() const noexcept { return consul_lock_is_held(c_value()); }

    /// How long it is known to be held if nothing is heard of Consul from now on.
    std::chrono::milliseconds remaining() const noexcept {
        return detail::duration<std::chrono::milliseconds>(consul_lock_remaining_ms(c_value()));
    }

    /// The index of the write that acquired the key last; 0 when there was none. It grows with each
    /// acquisition by anybody, so a store that refuses lower tokens than it has seen is safe from
    /// late writers.
    std::uint64_t fencing_token() const noexcept { return consul_lock_fencing_token(c_value()); }

    /// Why it was lost; `none` when it was not, and from the next acquire on.
    consul::lost_reason lost_reason() const noexcept {
        return static_cast<consul::lost_reason>(consul_lock_lost_reason(c_value()));
    }

    /// The id of the session that holds it. `not_found` while it is not held.
    result<std::string> session_id() const {
        return detail::fetch_text(consul_lock_session_id, c_value());
    }

    /// The id of the session that held the key when an acquire looked last. `not_found` where
    /// nobody does, which while an acquire waits means the lock-delay.
    result<std::string> holder() const { return detail::fetch_text(consul_lock_holder, c_value()); }

    /// Waits until it is lost: `err_lock_lost`. `no_change` when it is still held after this time;
    /// the longest duration waits for ever. `err_not_held` when it was never held or is released.
    result<void> wait_lost(
        std::chrono::milliseconds timeout = (std::chrono::milliseconds::max)()) const {
        return detail::invoke(consul_lock_wait_lost, c_value(), detail::patience(timeout));
    }

    /// Has each loss arrive in a queue from now on, as an event of the type `event_type::lock_lost`
    /// whose error tells why, without counting among the calls in flight; at once where it is lost
    /// already. A release is no loss. In one queue at a time; `queue.cancel` of its tag ends that.
    result<void> set_queue(const consul::queue &queue, std::uint64_t tag = 0) const {
        if (queue.c_value() == nullptr) {
            return consul::error(consul::status::err_handle);
        }
        return detail::invoke(consul_lock_set_queue, c_value(), queue.c_value(), tag);
    }

    /// Ends that, without an event.
    result<void> unset_queue() const {
        consul_queue *none = nullptr;
        return detail::invoke(consul_lock_set_queue, c_value(), none, std::uint64_t(0));
    }

    /// How it is getting on to see that it is still held.
    result<consul::stats> stats() const {
        return detail::fetch<consul::stats>(consul_lock_stats, c_value());
    }

    consul::error refused() const { return consul::error(); }
    const consul_lock *c_value() const noexcept { return handle_; }
};

/// A lock that was acquired, for as long as this lives. Reach the lock by `->`: it may be lost
/// meanwhile, which `is_held` and `wait_lost` tell. Its end releases without blocking, as a lock's.
///
///     auto guard = client.hold(consul::lock_spec("app/leader"), std::chrono::seconds(5));
///     if (guard) work(guard->fencing_token());
class [[nodiscard]] lock_guard {
public:
    /// Acquires the lock and takes it over; as `lock::acquire` where that does not work.
    static result<lock_guard> acquire(consul::lock lock, std::chrono::milliseconds timeout) {
        const result<void> acquired = lock.acquire(timeout);
        if (!acquired) {
            return acquired.error();
        }
        return lock_guard(std::move(lock));
    }

    const consul::lock *operator->() const noexcept { return &lock_; }
    const consul::lock &operator*() const noexcept { return lock_; }

private:
    explicit lock_guard(consul::lock lock) noexcept : lock_(std::move(lock)) {}

    consul::lock lock_;
};

CONSUL_FFI_NAMESPACE_END

#endif
