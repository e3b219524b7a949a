/// Semaphores.

#ifndef CONSUL_FFI_SEMAPHORE_HPP
#define CONSUL_FFI_SEMAPHORE_HPP

#include "answers.hpp"
#include "holding.hpp"

CONSUL_FFI_NAMESPACE_BEGIN

/// What a semaphore is made from: its prefix and its number of slots, the same for all who use it,
/// with a session of its own whose TTL is 15 s unless set otherwise.
class semaphore_spec : public detail::semaphore_spec_setters<semaphore_spec> {
public:
    semaphore_spec(const c_text &prefix, std::uint64_t limit)
        : prefix_(prefix.c_value() == nullptr ? "" : prefix.c_value()) {
        create(consul_semaphore_spec_new, prefix, limit);
    }

    /// The prefix. Borrowed.
    const std::string &prefix() const & noexcept { return prefix_; }
    void prefix() const && = delete;

private:
    std::string prefix_;
};

/// The functions of the library for a semaphore.
template <>
struct detail::functions<consul_semaphore> {
    static constexpr auto acquire = consul_semaphore_acquire;
    static constexpr auto try_acquire = consul_semaphore_try_acquire;
    static constexpr auto release = consul_semaphore_release;
    static constexpr auto destroy = consul_semaphore_destroy;
    static constexpr auto stop = consul_semaphore_stop;
    static constexpr auto is_held = consul_semaphore_is_held;
    static constexpr auto remaining_ms = consul_semaphore_remaining_ms;
    static constexpr auto lost_reason = consul_semaphore_lost_reason;
    static constexpr auto session_id = consul_semaphore_session_id;
    static constexpr auto wait_lost = consul_semaphore_wait_lost_async;
    static constexpr auto set_queue = consul_semaphore_set_queue;
    static constexpr auto stats = consul_semaphore_stats;
};

/// What a semaphore asks Consul for. With `semaphore.on(queue, tag)` none of it blocks.
class semaphore_calls : public detail::holding_calls<consul_semaphore> {
public:
    using holding_calls::holding_calls;
};

/// One of a number of slots, which a session holds; the official client's semaphores share them.
/// For two slots, make two. Move-only. Every call is for any thread. Its end never blocks: calls that
/// wait in it end with `err_cancelled`, and a slot that it holds is released in the background, which
/// the client's end waits for. `release` does it here and now, and says whether it worked. An acquire
/// also gives `err_limit_conflict`, when the semaphore exists with another limit.
class semaphore : public detail::holding<semaphore_calls> {
public:
    /// Empty: never held, and every call gives `err_handle`.
    semaphore() noexcept = default;
    /// Takes the handle over.
    explicit semaphore(consul_semaphore *handle) noexcept : holding(handle) {}

    /// The ids of the sessions that held all slots when an acquire looked last; none where one was
    /// free.
    result<string_list> holders() const {
        return detail::fetch<string_list>(consul_semaphore_holders, c_value());
    }
};

/// A slot that was acquired, for as long as this lives; as `lock_guard`.
using semaphore_guard = detail::guard<semaphore>;

CONSUL_FFI_NAMESPACE_END

#endif
