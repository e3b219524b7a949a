/// What operators do: the servers of Raft, autopilot, the gossip keys.

#ifndef CONSUL_FFI_OPERATOR_HPP
#define CONSUL_FFI_OPERATOR_HPP

#include "answers.hpp"
#include "calls.hpp"

CONSUL_FFI_NAMESPACE_BEGIN

/// `client.operators()`; `operator` is a keyword. A token needs the right `operator`, for the keys
/// `keyring`.
class operator_calls : detail::calls<consul_client> {
public:
    using calls::calls;

    /// How the cluster is, as JSON: `leader` and `peers`, `healthy` and `failure_tolerance`,
    /// `servers`, `endpoints`. A part that could not be had is in `missing` with the reason, and
    /// the others are there all the same.
    result<std::string> cluster_report(const options &settings = {}) const {
        return get_text(consul_operator_cluster_report, settings);
    }

    /// Reads the servers of Raft, those among them that are gone included.
    result<raft_peer_list> raft_peers(const options &settings = {}) const {
        return get<raft_peer_list>(consul_operator_raft_peers, settings);
    }

    /// Removes a server that is gone for good from Raft, by its id. One that lives is to leave by
    /// itself.
    result<void> raft_peer_remove(const c_text &id, const options &settings = {}) const {
        return run(consul_operator_raft_peer_remove, id, settings);
    }

    /// As `raft_peer_remove`, by the address for Raft: `address:port`.
    result<void> raft_address_remove(const c_text &address, const options &settings = {}) const {
        return run(consul_operator_raft_address_remove, address, settings);
    }

    /// Reads how autopilot is configured, as Consul's JSON.
    result<std::string> autopilot_config(const options &settings = {}) const {
        return get_text(consul_operator_autopilot_config, settings);
    }

    /// Replaces autopilot's configuration by a JSON object, of which what is not there becomes zero
    /// or false.
    result<void> autopilot_config_set(const c_text &config, const options &settings = {}) const {
        return run(consul_operator_autopilot_config_set, config, settings);
    }

    /// As `autopilot_config_set`, if its modify index is still this one. `conflict` when it is not.
    result<void> autopilot_config_cas(const c_text &config, std::uint64_t modify_index,
                                      const options &settings = {}) const {
        return run(consul_operator_autopilot_config_cas, config, modify_index, settings);
    }

    /// Reads how the servers are in the eyes of autopilot, as Consul's JSON. That they are not
    /// healthy is `ok`, too.
    result<std::string> autopilot_health(const options &settings = {}) const {
        return get_text(consul_operator_autopilot_health, settings);
    }

    /// Reads the whole state of autopilot, as Consul's JSON. `err_unsupported` before Consul 1.9.
    result<std::string> autopilot_state(const options &settings = {}) const {
        return get_text(consul_operator_autopilot_state, settings);
    }

    /// Reads the keys of all gossip pools, as Consul's JSON; the keys are secrets.
    result<std::string> keyring_list(const options &settings = {}) const {
        return get_text(consul_operator_keyring_list, settings);
    }

    /// Gives a new key, 16, 24 or 32 bytes in base64, to all members; it is used once `keyring_use`
    /// says so.
    result<void> keyring_install(const c_text &key, const options &settings = {}) const {
        return run(consul_operator_keyring_install, key, settings);
    }

    /// Makes all members encrypt gossip with a key that they have.
    result<void> keyring_use(const c_text &key, const options &settings = {}) const {
        return run(consul_operator_keyring_use, key, settings);
    }

    /// Takes a key that is not in use from all members.
    result<void> keyring_remove(const c_text &key, const options &settings = {}) const {
        return run(consul_operator_keyring_remove, key, settings);
    }
};

CONSUL_FFI_NAMESPACE_END

#endif
