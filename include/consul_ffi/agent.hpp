/// The agent that the client talks to.

#ifndef CONSUL_FFI_AGENT_HPP
#define CONSUL_FFI_AGENT_HPP

#include "answers.hpp"
#include "calls.hpp"
#include "specs.hpp"

CONSUL_FFI_NAMESPACE_BEGIN
namespace detail {

template <>
struct answer<consul_agent_info> {
    using view = agent_row;
    static view at(const consul_agent_info *handle, std::size_t) noexcept {
        return view(consul_agent_info_row(handle));
    }
};

} // namespace detail

using agent_info = single<consul_agent_info>;

/// A gossip pool: the agent's own, or the one that joins the datacenters.
enum class pool : bool { lan, wan };

/// `client.agent()`. The agent passes on what is registered with it; a moment may go by until the
/// catalog and other nodes see it.
class agent_calls : detail::calls<consul_client> {
public:
    using calls::calls;

    /// Registers a service with its checks, or changes the one that has its id.
    result<void> service_register(const service_spec &spec, const options &settings = {}) const {
        return run(consul_agent_service_register, spec, settings);
    }

    /// Deregisters a service with its checks. `ok` also when it was not registered.
    result<void> service_deregister(const c_text &id, const options &settings = {}) const {
        return run(consul_agent_service_deregister, id, settings);
    }

    /// Registers a check, or changes the one that has its id. A check of a service needs that
    /// service to be registered.
    result<void> check_register(const check_spec &spec, const options &settings = {}) const {
        return run(consul_agent_check_register, spec, settings);
    }

    /// Deregisters a check. `ok` also when it was not registered.
    result<void> check_deregister(const c_text &id, const options &settings = {}) const {
        return run(consul_agent_check_deregister, id, settings);
    }

    /// Reports a TTL check as passing. `not_found` when the agent has no such TTL check. `note` is
    /// for people. Every change of it wakes all who watch the service, so a constant one is best.
    result<void> check_pass(const c_text &id, const c_text &note = nullptr,
                            const options &settings = {}) const {
        return run(consul_agent_check_pass, id, note, settings);
    }

    /// Reports a TTL check as warning; as `check_pass`.
    result<void> check_warn(const c_text &id, const c_text &note = nullptr,
                            const options &settings = {}) const {
        return run(consul_agent_check_warn, id, note, settings);
    }

    /// Reports a TTL check as critical; as `check_pass`.
    result<void> check_fail(const c_text &id, const c_text &note = nullptr,
                            const options &settings = {}) const {
        return run(consul_agent_check_fail, id, note, settings);
    }

    /// Reports the status of a TTL check, `passing`, `warning` or `critical`, with its output, of
    /// which the agent keeps 4096 bytes; as `check_pass`.
    result<void> check_update(const c_text &id, const c_text &status,
                              const c_text &output = nullptr, const options &settings = {}) const {
        return run(consul_agent_check_update, id, status, output, settings);
    }

    /// Puts the agent's node into maintenance, or ends it: none of its services counts as healthy.
    result<void> maintenance(bool enable, const c_text &reason = nullptr,
                             const options &settings = {}) const {
        return run(consul_agent_maintenance, enable, reason, settings);
    }

    /// Puts one service into maintenance, or ends it. `not_found` when it is not registered.
    result<void> service_maintenance(const c_text &id, bool enable, const c_text &reason = nullptr,
                                     const options &settings = {}) const {
        return run(consul_agent_service_maintenance, id, enable, reason, settings);
    }

    /// Reads the services that are registered with the agent.
    result<service_list> services(const options &settings = {}) const {
        return get<service_list>(consul_agent_services, settings);
    }

    /// Reads a service that is registered with the agent; `not_found` when there is none. With the
    /// `content_hash` of an earlier answer it waits until the service is not as it was, or the wait
    /// of the options is over.
    result<agent_service> service(const c_text &id, const c_text &content_hash = nullptr,
                                  const options &settings = {}) const {
        return get<agent_service>(consul_agent_service, id, content_hash, settings);
    }

    /// Reads the checks that the agent runs.
    result<check_list> checks(const options &settings = {}) const {
        return get<check_list>(consul_agent_checks, settings);
    }

    /// Reads how a service on this agent is; `not_found` when it is not registered.
    result<instance> service_health(const c_text &id, const options &settings = {}) const {
        return get<instance>(consul_agent_service_health, id, settings);
    }

    /// Reads how the instances of a service on this agent are, by its name.
    result<instance_list> services_health(const c_text &name, const options &settings = {}) const {
        return get<instance_list>(consul_agent_services_health, name, settings);
    }

    /// Reads who the agent is and how it is configured.
    result<agent_info> self(const options &settings = {}) const {
        return get<agent_info>(consul_agent_self, settings);
    }

    /// Makes the agent join the cluster of the agent at this address, or the pool that joins the
    /// datacenters.
    result<void> join(const c_text &address, pool which = pool::lan,
                      const options &settings = {}) const {
        return run(consul_agent_join, address, which, settings);
    }

    /// Makes the agent leave the cluster in order, and end.
    result<void> leave(const options &settings = {}) const {
        return run(consul_agent_leave, settings);
    }

    /// Takes a node that has failed for one that has left; with `prune` it is removed from the list
    /// of members, too.
    result<void> force_leave(const c_text &node, bool prune = false,
                             const options &settings = {}) const {
        return run(consul_agent_force_leave, node, prune, settings);
    }

    /// Reads the members of a gossip pool.
    result<member_list> members(pool which = pool::lan, const options &settings = {}) const {
        return get<member_list>(consul_agent_members, which, settings);
    }
};

CONSUL_FFI_NAMESPACE_END

#endif
