/// Where services run, and how they are.

#ifndef CONSUL_FFI_HEALTH_HPP
#define CONSUL_FFI_HEALTH_HPP

#include "answers.hpp"
#include "calls.hpp"

CONSUL_FFI_NAMESPACE_BEGIN

/// Which instances of a service: all, or those whose checks all pass, their node's included.
enum class only : bool { all, passing };

/// `client.health()`. `near`, `filter`, node metadata, consistency and blocking are set in the
/// options. Where there is a choice of tags, an instance must have all of them.
class health_calls : detail::calls<consul_client> {
public:
    using calls::calls;

    /// Finds the instances of a service. Finding none is `ok` and an empty list.
    result<instance_list> service(const c_text &name, only which = only::all,
                                  const c_texts &tags = {}, const options &settings = {}) const {
        return get<instance_list>(consul_health_service, name, which, tags.data(), tags.size(),
                                  settings);
    }

    /// Finds what to connect to in the service mesh for a service: its proxies, and those instances
    /// that speak for themselves.
    result<instance_list> connect(const c_text &name, only which = only::all,
                                  const c_texts &tags = {}, const options &settings = {}) const {
        return get<instance_list>(consul_health_connect, name, which, tags.data(), tags.size(),
                                  settings);
    }

    /// Finds the ingress gateways that let traffic in for a service.
    result<instance_list> ingress(const c_text &name, only which = only::all,
                                  const c_texts &tags = {}, const options &settings = {}) const {
        return get<instance_list>(consul_health_ingress, name, which, tags.data(), tags.size(),
                                  settings);
    }

    /// Reads the checks of a node and of what runs on it; none for a node that does not exist.
    result<check_list> node(const c_text &node, const options &settings = {}) const {
        return get<check_list>(consul_health_node, node, settings);
    }

    /// Reads the checks of a service's instances, those of their nodes left out.
    result<check_list> checks(const c_text &service, const options &settings = {}) const {
        return get<check_list>(consul_health_checks, service, settings);
    }

    /// Reads the checks that are in this state: `any`, `passing`, `warning` or `critical`.
    result<check_list> state(const c_text &state, const options &settings = {}) const {
        return get<check_list>(consul_health_state, state, settings);
    }
};

CONSUL_FFI_NAMESPACE_END

#endif
