/// The whole state of the servers in one file.

#ifndef CONSUL_FFI_SNAPSHOT_HPP
#define CONSUL_FFI_SNAPSHOT_HPP

#include "answers.hpp"
#include "calls.hpp"

CONSUL_FFI_NAMESPACE_BEGIN

/// `client.snapshot()`. Each gives what the snapshot says of itself, as JSON: `ID`, `Index`,
/// `Term`, `Version` and `Size`. Where the options do not say how long it may take, ten minutes.
class snapshot_calls : detail::calls<consul_client> {
public:
    using calls::calls;

    /// Saves the state of the servers in a file, which is there whole and with right checksums, or
    /// not at all. Only its owner can read it: the tokens of the ACL system are in it. It goes
    /// straight to the file, whatever its size.
    result<std::string> save(const c_text &path, const options &settings = {}) const {
        return get_text(consul_snapshot_save, path, settings);
    }

    /// Replaces the state of the servers by what a file holds: what was written since it was saved
    /// is gone. Nothing is sent when the file is not a whole snapshot.
    result<std::string> restore(const c_text &path, const options &settings = {}) const {
        return get_text(consul_snapshot_restore, path, settings);
    }
};

/// Reads a snapshot from its first byte to its last and compares all checksums; asks no Consul.
/// `err_crypto` when one is wrong, `err_decode` when it is not a whole snapshot.
inline result<std::string> inspect_snapshot(const c_text &path) {
    return detail::fetch_text(consul_snapshot_inspect, path);
}

CONSUL_FFI_NAMESPACE_END

#endif
