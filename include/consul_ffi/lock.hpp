/// Locks.

#ifndef CONSUL_FFI_LOCK_HPP
#define CONSUL_FFI_LOCK_HPP

#include "holding.hpp"

CONSUL_FFI_NAMESPACE_BEGIN

/// What a lock is made from: its key, with an empty value and a session of its own whose TTL and
/// lock-delay are 15 s unless set otherwise.
class lock_spec : public detail::lock_spec_setters<lock_spec> {
public:
    explicit lock_spec(const c_text &key)
        : key_(key.c_value() == nullptr ? "" : key.c_value()) {
        create(consul_lock_spec_new, key);
    }

    /// The key. Borrowed.
    const std::string &key() const & noexcept { return key_; }
    void key() const && = delete;

private:
    std::string key_;
};

/// The functions of the library for a lock.
template <>
struct detail::functions<consul_lock> {
    static constexpr auto acquire = consul_lock_acquire;
    static constexpr auto try_acquire = consul_lock_try_acquire;
    static constexpr auto release = consul_lock_release;
    static constexpr auto destroy = consul_lock_destroy;
    static constexpr auto stop = consul_lock_stop;
    static constexpr auto is_held = consul_lock_is_held;
    static constexpr auto remaining_ms = consul_lock_remaining_ms;
    static constexpr auto lost_reason = consul_lock_lost_reason;
    static constexpr auto session_id = consul_lock_session_id;
    static constexpr auto wait_lost = consul_lock_wait_lost_async;
    static constexpr auto set_queue = consul_lock_set_queue;
    static constexpr auto stats = consul_lock_stats;
};

/// What a lock asks Consul for. With `lock.on(queue, tag)` none of it blocks.
class lock_calls : public detail::holding_calls<consul_lock> {
public:
    using holding_calls::holding_calls;

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
/// `err_cancelled`, and if it is held it is released in the background, which the client's end waits
/// for. `release` does it here and now, and says whether it worked.
class lock : public detail::holding<lock_calls> {
public:
    /// Empty: never held, and every call gives `err_handle`.
    lock() noexcept = default;
    /// Takes the handle over.
    explicit lock(consul_lock *handle) noexcept : holding(handle) {}

    /// The index of the write that acquired the key last; 0 when there was none. It grows with each
    /// acquisition by anybody, so a store that refuses lower tokens than it has seen is safe from
    /// late writers.
    std::uint64_t fencing_token() const noexcept { return consul_lock_fencing_token(c_value()); }

    /// The id of the session that held the key when an acquire looked last. `not_found` where
    /// nobody does, which while an acquire waits means the lock-delay.
    result<std::string> holder() const { return detail::fetch_text(consul_lock_holder, c_value()); }
};

/// A lock that was acquired, for as long as this lives. Reach the lock by `->`: it may be lost
/// meanwhile, which `is_held` and `wait_lost` tell. Its end releases the lock and waits for that, 5 s
/// at most, and then for its own session's end, the client's `timeout_ms` at most; after an error, which
/// nobody is told, that goes on in the background. `guard->on(queue).release()` before is for who may not wait.
///
///     auto guard = client.hold(consul::lock_spec("app/leader"), std::chrono::seconds(5));
///     if (guard) work(guard->fencing_token());
using lock_guard = detail::guard<lock>;

CONSUL_FFI_NAMESPACE_END

#endif
