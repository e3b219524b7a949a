/// Sessions: those that their maker renews, and those that the library keeps alive.

#ifndef CONSUL_FFI_SESSION_HPP
#define CONSUL_FFI_SESSION_HPP

#include "answers.hpp"
#include "calls.hpp"
#include "queue.hpp"
#include "stats.hpp"

CONSUL_FFI_NAMESPACE_BEGIN

/// What a session is created from; Consul's defaults for what is not set.
class session_spec : public detail::session_spec_setters<session_spec> {
public:
    session_spec() { create(consul_session_spec_new); }
};

/// Whether a kept session that is lost is made anew, with another id.
enum class recreate : bool { no, yes };

/// A session that the library keeps alive. Move-only. Its end never blocks: it is destroyed at
/// Consul in the background, which its client's end waits for, unless it was stopped, and the locks that
/// it holds are lost.
class session {
public:
    using handle_type = consul_session;

    /// Empty: invalid, and refused where a session is taken.
    session() noexcept = default;
    /// Takes the handle over.
    explicit session(consul_session *handle) noexcept : handle_(handle) {}

    /// Its id; empty for an empty one. Borrowed: valid until the session ends, also when it has
    /// another id by then.
    std::string_view id() const & noexcept {
        const char *id = consul_session_id(c_value());
        return id == nullptr ? std::string_view() : id;
    }
    void id() && = delete;

    /// 1, and one more each time it was made anew with another id.
    std::uint64_t generation() const noexcept { return consul_session_generation(c_value()); }

    /// True until Consul says that it is gone, or its deadline has passed, at this moment.
    bool is_valid() const noexcept { return consul_session_is_valid(c_value()); }

    /// How long it is known to live without another renewal; the longest duration when it has no
    /// TTL.
    std::chrono::milliseconds remaining() const noexcept {
        return detail::duration<std::chrono::milliseconds>(consul_session_remaining_ms(c_value()));
    }

    /// Renews it no more, and leaves it at Consul, where it ends by its TTL. To end it there at
    /// once, call `client.session().destroy` with its id.
    result<void> stop() { return detail::invoke(consul_session_stop, c_value()); }

    /// Has each loss arrive in a queue from now on, as an event of the type
    /// `event_type::session_lost` whose error tells why, without counting among the calls in
    /// flight; at once where it is lost already. In one queue at a time; `queue.cancel` of its tag
    /// ends that, and so does the session's own end by this program, which is no loss.
    result<void> set_queue(const consul::queue &queue, std::uint64_t tag = 0) const {
        if (queue.c_value() == nullptr) {
            return consul::error(consul::status::err_handle);
        }
        return detail::invoke(consul_session_set_queue, c_value(), queue.c_value(), tag);
    }

    /// Ends that, without an event.
    result<void> unset_queue() const {
        consul_queue *none = nullptr;
        return detail::invoke(consul_session_set_queue, c_value(), none, std::uint64_t(0));
    }

    /// How its renewal is getting on.
    result<consul::stats> stats() const {
        return detail::fetch<consul::stats>(consul_session_stats, c_value());
    }

    consul::error refused() const { return consul::error(); }
    consul_session *c_value() const noexcept { return handle_.get(); }

private:
    detail::owned<consul_session> handle_;
};

/// `client.session()`.
class session_calls : detail::calls<consul_client> {
public:
    using calls::calls;

    /// Makes a session and gives its id. After an error whose outcome is unknown the session may
    /// exist; it ends by its TTL only.
    result<std::string> create(const session_spec &spec = {}, const options &settings = {}) const {
        return get_text(consul_session_create, spec, settings);
    }

    /// Starts the TTL of a session anew, and gives the session. `err_session_invalid` when it does
    /// not exist any more.
    result<session_entry> renew(const c_text &id, const options &settings = {}) const {
        return get<session_entry>(consul_session_renew, id, settings);
    }

    /// Ends a session: its keys are released or deleted, as its behavior says. `ok` also when it
    /// did not exist.
    result<void> destroy(const c_text &id, const options &settings = {}) const {
        return run(consul_session_destroy, id, settings);
    }

    /// Reads a session. `not_found` when it does not exist.
    result<session_entry> info(const c_text &id, const options &settings = {}) const {
        return get<session_entry>(consul_session_info, id, settings);
    }

    /// Reads the sessions of a node.
    result<session_list> node(const c_text &node, const options &settings = {}) const {
        return get<session_list>(consul_session_node, node, settings);
    }

    /// Reads all sessions.
    result<session_list> list(const options &settings = {}) const {
        return get<session_list>(consul_session_list, settings);
    }

    /// Makes a session and keeps it alive: it is renewed at about half of its TTL, 15 s where none
    /// was set, and failures are tried again until its deadline.
    result<session> start(const session_spec &spec = {},
                          consul::recreate recreate = consul::recreate::no,
                          const options &settings = {}) const {
        return get<session>(consul_session_start, spec, recreate, settings);
    }
};

CONSUL_FFI_NAMESPACE_END

#endif
