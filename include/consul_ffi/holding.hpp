/// What locks and semaphores have alike.

#ifndef CONSUL_FFI_HOLDING_HPP
#define CONSUL_FFI_HOLDING_HPP

#include "calls.hpp"
#include "queue.hpp"
#include "session.hpp"
#include "stats.hpp"

CONSUL_FFI_NAMESPACE_BEGIN
namespace detail {

/// The functions of the library for a type of handle.
template <class Handle>
struct functions;

template <class Handle>
class holding_calls : public calls<Handle> {
public:
    using calls<Handle>::calls;

    /// Acquires it, waiting this long at most: 0 tries once, the longest duration waits for ever.
    /// `held` when others held it, or its lock-delay lasted, until the time was over. It rides out
    /// failures that pass. What was lost can be acquired again.
    result<void> acquire(std::chrono::milliseconds timeout) const {
        return this->run(functions<Handle>::acquire, timeout);
    }

    /// Acquires it if that needs no waiting.
    result<void> try_acquire() const { return this->run(functions<Handle>::try_acquire); }

    /// Releases it, then destroys its own session. `err_not_held` when it was not held,
    /// `err_lock_lost` when it was lost before. After any other error it is not held either, and
    /// the library goes on releasing it in the background.
    result<void> release() const { return this->run(functions<Handle>::release); }

    /// Deletes what stands at Consul if nobody holds it. `ok` also when it did not exist, `held`
    /// when it is in use.
    result<void> destroy() const { return this->run(functions<Handle>::destroy); }

    /// Waits until it is lost: `err_lock_lost`. `no_change` when it is still held after this time;
    /// the longest duration waits for ever. `err_not_held` when it was never held or is released.
    result<void> wait_lost(
        std::chrono::milliseconds timeout = (std::chrono::milliseconds::max)()) const {
        return this->run(functions<Handle>::wait_lost, patience(timeout));
    }
};

template <class Calls>
class holding : public owner<Calls> {
    using of = functions<typename Calls::handle_type>;

public:
    using handle_type = typename Calls::handle_type;
    using owner<Calls>::owner;

    /// Ends calls that wait in it on other threads with `err_cancelled`, at once. What is held
    /// stays held.
    result<void> stop() const { return invoke(of::stop, c_value()); }

    /// True while it is held, judged by the clock at this moment.
    bool is_held() const noexcept { return of::is_held(c_value()); }

    /// How long it is known to be held if nothing is heard of Consul from now on.
    std::chrono::milliseconds remaining() const noexcept {
        return duration<std::chrono::milliseconds>(of::remaining_ms(c_value()));
    }

    /// Why it was lost; `none` when it was not, and from the next acquire on.
    consul::lost_reason lost_reason() const noexcept {
        return static_cast<consul::lost_reason>(of::lost_reason(c_value()));
    }

    /// The id of the session that holds it. `not_found` while it is not held.
    result<std::string> session_id() const { return fetch_text(of::session_id, c_value()); }

    /// Has each loss arrive in a queue from now on, as an event of the type `event_type::lock_lost`
    /// whose error tells why, without counting among the calls in flight; at once where it is lost
    /// already. A release is no loss. In one queue at a time; `queue.cancel` of its tag ends that.
    result<void> set_queue(const consul::queue &queue, std::uint64_t tag = 0) const {
        if (queue.c_value() == nullptr) {
            return consul::error(consul::status::err_handle);
        }
        return invoke(of::set_queue, c_value(), queue.c_value(), tag);
    }

    /// Ends that, without an event.
    result<void> unset_queue() const {
        consul_queue *none = nullptr;
        return invoke(of::set_queue, c_value(), none, std::uint64_t(0));
    }

    /// How it is getting on to see that it is still held.
    result<consul::stats> stats() const { return fetch<consul::stats>(of::stats, c_value()); }

    consul::error refused() const { return consul::error(); }
    const handle_type *c_value() const noexcept { return this->handle_; }
};

/// What was acquired, for as long as this lives. Move-only. Its end releases it here and now, and so
/// does taking another one over; how that went is for `release` to say.
template <class Holding>
class [[nodiscard]] guard {
public:
    /// Acquires it and takes it over; as its `acquire` where that does not work, of `subject`.
    static result<guard> acquire(Holding holding, std::chrono::milliseconds timeout,
                                 const char *subject = nullptr) {
        result<void> acquired = holding.acquire(timeout);
        if (!acquired) {
            return std::move(acquired).error().about(subject);
        }
        return guard(std::move(holding));
    }

    guard(guard &&) noexcept = default;
    guard &operator=(guard &&other) noexcept {
        if (this != &other) {
            release();
            holding_ = std::move(other.holding_);
        }
        return *this;
    }
    ~guard() { release(); }

    const Holding *operator->() const & noexcept { return &holding_; }
    const Holding &operator*() const & noexcept { return holding_; }

    // It would be released at the end of the line: name the guard first.
    void operator->() && = delete;
    void operator*() && = delete;

private:
    explicit guard(Holding holding) noexcept : holding_(std::move(holding)) {}

    /// Asks nobody where it is not held.
    void release() const noexcept {
        if (holding_.c_value() != nullptr) {
            (void)functions<typename Holding::handle_type>::release(holding_.c_value(), nullptr);
        }
    }

    Holding holding_;
};

} // namespace detail
CONSUL_FFI_NAMESPACE_END

#endif
