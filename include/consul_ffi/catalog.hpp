/// What the servers know of nodes and services.

#ifndef CONSUL_FFI_CATALOG_HPP
#define CONSUL_FFI_CATALOG_HPP

#include "answers.hpp"
#include "calls.hpp"
#include "specs.hpp"

CONSUL_FFI_NAMESPACE_BEGIN

/// `client.catalog()`. A service belongs into the catalog through its agent; what is written here
/// directly is for nodes without an agent, for others their agent soon undoes it.
class catalog_calls : detail::calls<consul_client> {
public:
    using calls::calls;

    /// Reads the nodes.
    result<node_list> nodes(const options &settings = {}) const {
        return get<node_list>(consul_catalog_nodes, settings);
    }

    /// Reads the names of the services. Older versions of Consul ignore a filter here.
    result<service_name_list> services(const options &settings = {}) const {
        return get<service_name_list>(consul_catalog_services, settings);
    }

    /// Reads the instances of a service that have all of these tags, whatever their health. Finding
    /// none is `ok` and an empty list.
    result<instance_list> service(const c_text &name, const c_texts &tags = {},
                                  const options &settings = {}) const {
        return get<instance_list>(consul_catalog_service, name, tags.data(), tags.size(), settings);
    }

    /// Reads what to connect to in the service mesh for a service.
    result<instance_list> connect(const c_text &name, const c_texts &tags = {},
                                  const options &settings = {}) const {
        return get<instance_list>(consul_catalog_connect, name, tags.data(), tags.size(), settings);
    }

    /// Reads a node, which the list has as `node()`, with the services on it. `not_found` when it
    /// does not exist.
    result<service_list> node(const c_text &name, const options &settings = {}) const {
        return get<service_list>(consul_catalog_node, name, settings);
    }

    /// As `node`, with the services of every namespace that the options name (Consul Enterprise).
    result<service_list> node_services(const c_text &name, const options &settings = {}) const {
        return get<service_list>(consul_catalog_node_services, name, settings);
    }

    /// Reads the known datacenters, the nearest first.
    result<string_list> datacenters(const options &settings = {}) const {
        return get<string_list>(consul_catalog_datacenters, settings);
    }

    /// Writes a node, a service and checks in one step. Doing it again changes nothing. `register`
    /// is a keyword.
    result<void> register_(const registration &what, const options &settings = {}) const {
        return run(consul_catalog_register, what, settings);
    }

    /// Removes a node with all its services and checks. `ok` also when it does not exist.
    result<void> deregister_node(const c_text &node, const options &settings = {}) const {
        return run(consul_catalog_deregister_node, node, settings);
    }

    /// Removes a service from a node, with its checks. `ok` also when it does not exist.
    result<void> deregister_service(const c_text &node, const c_text &service_id,
                                    const options &settings = {}) const {
        return run(consul_catalog_deregister_service, node, service_id, settings);
    }

    /// Removes a check from a node. `ok` also when it does not exist.
    result<void> deregister_check(const c_text &node, const c_text &check_id,
                                  const options &settings = {}) const {
        return run(consul_catalog_deregister_check, node, check_id, settings);
    }
};

/// `client.status()`: who leads among the servers, and who votes. Neither needs a token.
class status_calls : detail::calls<consul_client> {
public:
    using calls::calls;

    /// Reads the leader, as `address:port`. `not_found` while there is none.
    result<std::string> leader(const options &settings = {}) const {
        return get_text(consul_status_leader, settings);
    }

    /// Reads the servers that vote, each as `address:port`.
    result<string_list> peers(const options &settings = {}) const {
        return get<string_list>(consul_status_peers, settings);
    }
};

CONSUL_FFI_NAMESPACE_END

#endif
