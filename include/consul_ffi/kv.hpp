/// Keys and values.

#ifndef CONSUL_FFI_KV_HPP
#define CONSUL_FFI_KV_HPP

#include "answers.hpp"
#include "calls.hpp"

CONSUL_FFI_NAMESPACE_BEGIN
namespace detail {

template <>
struct answer<consul_reencryption> {
    using view = reencryption_counts;
    static view at(const consul_reencryption *handle, std::size_t) noexcept {
        return view(consul_reencryption_row(handle));
    }
};

} // namespace detail

/// What a re-encryption came to, reached by `->`.
using reencryption = single<consul_reencryption>;

/// `client.kv()`. A bad key gives `err_argument` and a value above `max_value_bytes`
/// `err_too_large` before anything is sent.
class kv_calls : detail::calls<consul_client> {
public:
    using calls::calls;

    /// Reads a key. `not_found` when it does not exist; `meta()` of the result then has the index
    /// to wait on.
    result<kv_entry> get(const c_text &key, const options &settings = {}) const {
        return calls::get<kv_entry>(consul_kv_get, key, settings);
    }

    /// Reads every key that begins with `prefix`, byte by byte: `a` finds `ab` too. Finding none is
    /// `ok` and an empty list.
    result<kv_list> list(const c_text &prefix, const options &settings = {}) const {
        return calls::get<kv_list>(consul_kv_list, prefix, settings);
    }

    /// Reads the names of the keys that begin with `prefix`. With a `separator` a name ends after
    /// its first separator past the prefix, each such name once: a level of a tree.
    result<string_list> keys(const c_text &prefix, const c_text &separator = nullptr,
                             const options &settings = {}) const {
        return calls::get<string_list>(consul_kv_keys, prefix, separator, settings);
    }

    /// Writes a key, whatever it held. `flags` replace the key's flags; `update` keeps them.
    result<void> put(const c_text &key, const bytes &value, std::uint64_t flags = 0,
                     const options &settings = {}) const {
        return run(consul_kv_put, key, value.data(), value.size(), flags, settings);
    }

    /// Writes a key and keeps its flags: reads them, then compares and sets, until nobody came in
    /// between or the time is over.
    result<void> update(const c_text &key, const bytes &value, const options &settings = {}) const {
        return run(consul_kv_update, key, value.data(), value.size(), settings);
    }

    /// Writes a key if its modify index is still this one; 0 means "if it does not exist".
    /// `conflict` when it is not.
    result<void> cas(const c_text &key, const bytes &value, std::uint64_t modify_index,
                     std::uint64_t flags = 0, const options &settings = {}) const {
        return run(consul_kv_cas, key, value.data(), value.size(), flags, modify_index, settings);
    }

    /// Deletes a key. `ok` also when it did not exist.
    result<void> delete_(const c_text &key, const options &settings = {}) const {
        return run(consul_kv_delete, key, settings);
    }

    /// Deletes a key if its modify index is still this one. `conflict` when it is not; `ok` also
    /// when the key does not exist.
    result<void> delete_cas(const c_text &key, std::uint64_t modify_index,
                            const options &settings = {}) const {
        return run(consul_kv_delete_cas, key, modify_index, settings);
    }

    /// Deletes every key that begins with `prefix`, byte by byte. The empty prefix, which would
    /// delete all, gives `err_argument`.
    result<void> delete_prefix(const c_text &prefix, const options &settings = {}) const {
        return run(consul_kv_delete_prefix, prefix, settings);
    }

    /// Encrypts every value below `prefix` anew that is under an old key or plain, by check-and-set:
    /// what others write meanwhile stays, and so do flags. `err_config` when nothing is encrypted.
    /// It may take the call's `timeout_ms` in all; one that ended early goes on where it was when it
    /// is called again.
    result<reencryption> reencrypt(const c_text &prefix, const options &settings = {}) const {
        return calls::get<reencryption>(consul_kv_reencrypt, prefix, settings);
    }

    /// Writes a key and locks it for a session. `held` when another session holds it or its
    /// lock-delay is not over; `err_session_invalid` when there is no such session. `client.lock`
    /// is the whole recipe.
    result<void> acquire(const c_text &key, const bytes &value, const c_text &session_id,
                         std::uint64_t flags = 0, const options &settings = {}) const {
        return run(consul_kv_acquire, key, value.data(), value.size(), flags, session_id, settings);
    }

    /// Writes a key and unlocks it. `conflict` when this session does not hold it.
    result<void> release(const c_text &key, const bytes &value, const c_text &session_id,
                         std::uint64_t flags = 0, const options &settings = {}) const {
        return run(consul_kv_release, key, value.data(), value.size(), flags, session_id, settings);
    }

    /// Writes a key only while this session holds the lock on `lock_key`, in one transaction.
    /// `conflict` when it does not; nothing was written then.
    result<void> put_held(const c_text &key, const bytes &value, const c_text &lock_key,
                          const c_text &session_id, std::uint64_t flags = 0,
                          const options &settings = {}) const {
        return run(consul_kv_put_held, key, value.data(), value.size(), flags, lock_key, session_id,
                   settings);
    }

    /// Reads every key that begins with `prefix`, as the JSON that `consul kv export` writes. The
    /// empty prefix exports all.
    result<std::string> export_(const c_text &prefix, const options &settings = {}) const {
        return get_text(consul_kv_export, prefix, settings);
    }

    /// Writes keys as `export_` or `consul kv export` gave them, `prefix` before the name of each.
    /// As many as fit go into one transaction; the error of one that fails says how many keys were
    /// written before.
    result<void> import_(const bytes &exported, const c_text &prefix = nullptr,
                         const options &settings = {}) const {
        return run(consul_kv_import, prefix, exported.data(), exported.size(), settings);
    }
};

CONSUL_FFI_NAMESPACE_END

#endif
