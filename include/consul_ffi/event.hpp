/// Small messages to all agents of a datacenter.

#ifndef CONSUL_FFI_EVENT_HPP
#define CONSUL_FFI_EVENT_HPP

#include "answers.hpp"
#include "calls.hpp"

CONSUL_FFI_NAMESPACE_BEGIN

/// Whom an event is meant for, as regular expressions; everybody where nothing is set.
///
///     client.event().fire("deploy", "1.4.2", consul::event_filters().service("web"))
class event_filters {
public:
    /// Agents on a node of such a name.
    event_filters &node(std::string expression) & { node_ = std::move(expression); return *this; }
    event_filters node(std::string expression) && { return node(std::move(expression)); }
    /// Agents with a service of such an id.
    event_filters &service(std::string expression) & { service_ = std::move(expression); return *this; }
    event_filters service(std::string expression) && { return service(std::move(expression)); }
    /// Agents whose service has such a tag; `service` needs to be set, too.
    event_filters &tag(std::string expression) & { tag_ = std::move(expression); return *this; }
    event_filters tag(std::string expression) && { return tag(std::move(expression)); }

private:
    friend class event_calls;

    std::string node_, service_, tag_;
};

/// `client.event()`. Events are fast, and not kept: an agent remembers the last 256, in an order of
/// its own, and what is fired while it is away is lost to it. A watch of `watch_kind::events` tells
/// of those that arrive.
class event_calls : detail::calls<consul_client> {
public:
    using calls::calls;

    /// Fires an event, with some 400 bytes at most; gives it with its id, before any agent has heard
    /// of it. `err_too_large` when Consul does not take so much.
    result<fired_event> fire(const c_text &name, const bytes &payload = "",
                             const event_filters &filters = {},
                             const options &settings = {}) const {
        const c_text node(filters.node_), service(filters.service_), tag(filters.tag_);
        return get<fired_event>(consul_user_event_fire, name, payload.data(), payload.size(), node,
                                service, tag, settings);
    }

    /// Reads the last events that the agent has heard of, at most 256, the oldest first; with a name
    /// those of this name. Their index is a hash: it differs, and may go down.
    result<user_event_list> list(const c_text &name = nullptr, const options &settings = {}) const {
        return get<user_event_list>(consul_user_event_list, name, settings);
    }
};

CONSUL_FFI_NAMESPACE_END

#endif
