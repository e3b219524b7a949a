/// Where asynchronous calls end, and what is watched tells of itself.

#ifndef CONSUL_FFI_QUEUE_HPP
#define CONSUL_FFI_QUEUE_HPP

#include "call.hpp"
#include "version.hpp"

CONSUL_FFI_NAMESPACE_BEGIN

/// One thing that arrived in a queue. Move-only. Its end is that of its result, too, unless that
/// was taken.
class event {
public:
    using handle_type = consul_event;

    /// Takes the handle over.
    explicit event(consul_event *handle) noexcept : handle_(handle) {}

    /// What it tells. Ignore the types that you do not know: there will be more.
    event_type type() const noexcept {
        return static_cast<event_type>(consul_event_type(c_value()));
    }

    /// The tag that its call or its watch was given.
    std::uint64_t tag() const noexcept { return consul_event_tag(c_value()); }

    /// What the blocking call would have come to; of a watch, how Consul can be asked.
    consul::status status() const noexcept {
        return static_cast<consul::status>(consul_event_status(c_value()));
    }

    /// What went wrong; the bare status where nothing did.
    consul::error error() const {
        const consul_error *row = consul_event_error(c_value());
        return row != nullptr && row->status < 0 ? consul::error::of(row) : consul::error(status());
    }

    /// What it has to be taken; `handle_type::all` when there is nothing.
    consul::handle_type result_type() const noexcept {
        return static_cast<consul::handle_type>(consul_event_result_type(c_value()));
    }

    /// The very result that the blocking call would have returned: `take<consul::kv_entry>()` for
    /// `kv().get`, `take<void>()` for `kv().put`. What it holds is moved out of the event, so it
    /// can be taken once; `err_argument` after that, and for another type.
    template <class T>
    result<T> take() {
        const bool has_result = result_type() != consul::handle_type::all;
        if constexpr (std::is_void_v<T>) {
            return error();
        } else if (!has_result && status() != consul::status::ok) {
            return error();
        } else if (result<T> taken = move_out<T>(); taken) {
            return {error(), std::move(*taken)};
        } else {
            return taken;
        }
    }

    /// The version of the watch's newest state when the event was taken; 0 for other events.
    std::uint64_t version() const noexcept { return consul_event_version(c_value()); }

    /// How long ago Consul confirmed the state of the watch; the longest duration when it never
    /// did, and for other events.
    std::chrono::milliseconds age() const noexcept {
        return detail::duration<std::chrono::milliseconds>(consul_event_age_ms(c_value()));
    }

    /// The handle as C has it. Borrowed.
    const consul_event *c_value() const noexcept { return handle_.get(); }

private:
    template <class T>
    result<T> move_out() {
        if constexpr (std::is_same_v<T, std::string>) {
            return detail::fetch_text(consul_event_take_text, c_value());
        } else {
            return detail::fetch<T>(detail::take_result(), c_value());
        }
    }

    detail::owned<consul_event> handle_;
};

namespace detail {

/// The events of a queue, each taken when a loop comes to it, until none arrives in time.
template <class Queue>
class arriving {
public:
    struct sentinel {};

    class iterator {
    public:
        explicit iterator(const arriving &from) : from_(&from), next_(from.next()) {}

        event &operator*() { return *next_; }
        iterator &operator++() { next_ = from_->next(); return *this; }
        friend bool operator!=(const iterator &it, sentinel) noexcept { return it.next_.ok(); }

    private:
        const arriving *from_;
        result<event> next_;
    };

    arriving(const Queue &queue, std::chrono::milliseconds timeout) noexcept
        : queue_(&queue), timeout_(timeout) {}

    iterator begin() const { return iterator(*this); }
    sentinel end() const noexcept { return {}; }

private:
    result<event> next() const { return queue_->next(timeout_); }

    const Queue *queue_;
    std::chrono::milliseconds timeout_;
};

} // namespace detail

/// Where everything asynchronous arrives. No callback, no foreign thread: whoever has the queue
/// takes its events when it wants to, on any thread. Move-only. Its end cancels what is in flight
/// in it, before or after the clients'.
///
///     auto queue = consul::queue::create().value();
///     client.on(queue, 7).kv().get("app/limit").throw_if_failed();
///     auto event = queue.next(std::chrono::seconds(5)).value();
///     auto limit = event.take<consul::kv_entry>();
class queue {
public:
    using handle_type = consul_queue;

    /// Empty: every call on it gives `err_handle`.
    queue() noexcept = default;
    /// Takes the handle over.
    explicit queue(consul_queue *handle) noexcept : handle_(handle) {}

    /// Makes an empty queue. Starts no thread. `err_unsupported` when the library does not fit the
    /// header.
    static result<queue> create() {
        if (const auto fits = check_library(); !fits) {
            return fits.error();
        }
        return detail::fetch<queue>(consul_queue_new);
    }

    /// Takes the next event, waiting this long for it at most: 0 does not wait, the longest
    /// duration waits for ever. `no_change` when there was none, or somebody called `wake`;
    /// `err_closed` when the queue ends meanwhile. The answer of a call is decoded here, on this
    /// thread.
    result<event> next(
        std::chrono::milliseconds timeout = (std::chrono::milliseconds::max)()) const {
        return detail::fetch<event>(consul_queue_next, c_value(), detail::patience(timeout));
    }

    /// Events for a range-for, until none arrives within this time; without one, those that are
    /// there. `next` tells why there are no more.
    ///
    ///     for (consul::event &event : queue.events()) handle(event);
    detail::arriving<queue> events(std::chrono::milliseconds timeout = {}) const & noexcept {
        return {*this, timeout};
    }
    void events(std::chrono::milliseconds = {}) const && = delete;

    /// Ends the wait of one thread in `next`, or of the next that would wait there.
    result<void> wake() const { return detail::invoke(consul_queue_wake, c_value()); }

    /// A descriptor for `poll`, `epoll` and event loops: readable as long as events wait,
    /// level-triggered. It belongs to the queue: neither read, write nor close it. -1 for an empty
    /// queue, or where no descriptor is left.
    int fd() const noexcept { return consul_queue_fd(c_value()); }

    /// Serves the news at a unix socket of this path and mode 0600, for a host that can read
    /// sockets but not wait on a descriptor: whoever connects reads a byte each time that events
    /// come to wait. `err_io` when the path is in use or cannot be made.
    result<void> serve(const c_text &path) const {
        return detail::invoke(consul_queue_serve, c_value(), path);
    }

    /// Cancels everything in flight that has this tag, watches included: each ends at once with its
    /// last event, `err_cancelled` unless it had ended already.
    result<void> cancel(std::uint64_t tag) const {
        return detail::invoke(consul_queue_cancel, c_value(), tag);
    }

    /// How many calls may be in flight, 1024 unless set, 1 at least: those that have begun and
    /// whose event was not taken yet. One past it gives `err_busy`.
    result<void> max_in_flight(std::uint32_t count) const {
        return detail::invoke(consul_queue_set_max_in_flight, c_value(), count);
    }

    /// The handle as C has it. Borrowed.
    consul_queue *c_value() const noexcept { return handle_.get(); }

private:
    detail::owned<consul_queue> handle_;
};

CONSUL_FFI_NAMESPACE_END

#endif
