/// What services, checks and nodes are registered from.

#ifndef CONSUL_FFI_SPECS_HPP
#define CONSUL_FFI_SPECS_HPP

#include "options.hpp"

CONSUL_FFI_NAMESPACE_BEGIN

/// A check, of exactly one kind: `ttl`, `http`, `tcp`, `grpc`, `script` or `alias_...`. Every kind
/// that the agent runs needs an interval.
class check_spec : public detail::check_spec_setters<check_spec> {
public:
    /// One within a service needs no name.
    explicit check_spec(const c_text &name = nullptr) { create(consul_check_spec_new, name); }
};

/// An instance of a service.
///
///     consul::check_spec alive;
///     alive.ttl(std::chrono::seconds(15));
///     consul::service_spec web("web");
///     web.port(8080).add_tag("v1").add_check(alive);
class service_spec : public detail::service_spec_setters<service_spec> {
public:
    explicit service_spec(const c_text &name) { create(consul_service_spec_new, name); }
};

/// What is written into the catalog in one step, for nodes without an agent.
class registration : public detail::registration_setters<registration> {
public:
    /// Without an address for a node that exists and is left as it is.
    explicit registration(const c_text &node, const c_text &address = nullptr) {
        create(consul_registration_new, node, address);
    }
};

CONSUL_FFI_NAMESPACE_END

#endif
