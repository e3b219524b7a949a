--- The key-value store: `client.kv`.
---
--- A key is a path without a leading slash. Values are strings of any bytes. Flags and indexes are
--- uint64_t cdata, and are taken as Lua numbers up to 2^53, 64-bit cdata or digits. A session is its
--- id or a session object. The last argument of each is a table of options for the call.

local ffi = require("ffi")
local C = require("consul_ffi.loader")
local begin = require("consul_ffi.call").begin
local check = require("consul_ffi.check")
local result = require("consul_ffi.result")
local session_id = require("consul_ffi.session_id")

local Kv = {}
Kv.__index = Kv

--- Options that the methods below read themselves.
local FLAGS = { flags = true }
local PREFIX = { prefix = true }
local SEPARATOR = { separator = true }

local box = result.box("kv")
local reencryption_box = result.box("reencryption")

local take_list = result.list("kv", result.pair)

--- The value, and all else that is known as its meta.
local function read_one(handle, problem)
    local meta = result.meta(C.consul_kv_meta(handle))
    if problem then
        problem.meta = meta
        return nil, problem
    end
    local row = C.consul_kv_at(handle, 0)
    meta.flags = row.flags
    meta.session = result.optional(row.session, row.session_len)
    meta.lock_index = row.lock_index
    meta.create_index = row.create_index
    meta.modify_index = row.modify_index
    return ffi.string(row.value, row.value_len), meta
end

local function read_counts(handle)
    local row = C.consul_reencryption_row(handle)
    return {
        rewritten = tonumber(row.rewritten),
        current = tonumber(row.current),
        held = tonumber(row.held),
        outside = tonumber(row.outside),
        failed = tonumber(row.failed),
    }
end

local function own(options, name)
    return type(options) == "table" and options[name] or nil
end

--- Checks a value to be written; returns the flags to write with it.
local function checked(value, options)
    check.type(value, "string", "value")
    return check.optional_uint64(own(options, "flags"), "flags", 0)
end

--- Reads a key: its value and its meta (`flags`, `session`, `modify_index`, `create_index`,
--- `lock_index`, `index`, ...). A key that does not exist gives nil and an error with the code
--- NOT_FOUND, whose `meta.index` a blocking query can wait on.
function Kv:get(key, options)
    local call, out = begin(self, options, nil, "key", key), box()
    local status = C.consul_kv_get(call.handle, key, call.settings, call.async, out)
    return call:take(status, out, "kv", read_one)
end

--- Reads every key that begins with a prefix: a list of pairs, empty when there are none, and the
--- answer's meta.
function Kv:list(prefix, options)
    local call, out = begin(self, options, nil, "prefix", prefix), box()
    return take_list(call, C.consul_kv_list(call.handle, prefix, call.settings, call.async, out), out)
end

--- Reads the names of the keys that begin with a prefix: a list of strings and the answer's meta.
--- With `options.separator` a name ends after its first separator past the prefix.
function Kv:keys(prefix, options)
    local separator = own(options, "separator")
    local call = begin(self, options, SEPARATOR, "prefix", prefix, separator and "separator", separator)
    local out = result.strings_box()
    local status = C.consul_kv_keys(call.handle, prefix, separator, call.settings, call.async, out)
    return result.take_strings(call, status, out)
end

--- Writes a key, whatever it held. Its flags become `options.flags`, or 0.
function Kv:put(key, value, options)
    local call = begin(self, options, FLAGS, "key", key)
    local flags = checked(value, options)
    return call:done(C.consul_kv_put(call.handle, key, value, #value, flags, call.settings, call.async))
end

--- Writes a key and keeps its flags.
function Kv:update(key, value, options)
    local call = begin(self, options, nil, "key", key)
    check.type(value, "string", "value")
    return call:done(C.consul_kv_update(call.handle, key, value, #value, call.settings, call.async))
end

--- Writes a key if its modify index is still this one; 0 means "if it does not exist". False and an
--- error with the code CONFLICT when it is not.
function Kv:cas(key, value, modify_index, options)
    local call = begin(self, options, FLAGS, "key", key)
    local flags, expected = checked(value, options), check.uint64(modify_index, "modify_index")
    return call:done(
        C.consul_kv_cas(call.handle, key, value, #value, flags, expected, call.settings, call.async)
    )
end

--- Deletes a key; true also when it did not exist.
function Kv:delete(key, options)
    local call = begin(self, options, nil, "key", key)
    return call:done(C.consul_kv_delete(call.handle, key, call.settings, call.async))
end

--- Deletes a key if its modify index is still this one. False and CONFLICT when it is not.
function Kv:delete_cas(key, modify_index, options)
    local call = begin(self, options, nil, "key", key)
    local expected = check.uint64(modify_index, "modify_index")
    return call:done(C.consul_kv_delete_cas(call.handle, key, expected, call.settings, call.async))
end

--- Deletes every key that begins with a prefix, byte by byte: "a" deletes "ab" too. The empty prefix
--- is refused.
function Kv:delete_prefix(prefix, options)
    local call = begin(self, options, nil, "prefix", prefix)
    return call:done(C.consul_kv_delete_prefix(call.handle, prefix, call.settings, call.async))
end

--- Encrypts every value below a prefix anew that is under an old key or plain, by check-and-set.
--- Returns how many keys it met: `rewritten`, `current` (under `encryption_key` already), `held` (by a
--- session, whose holder writes it), `outside` (of `encryption_prefixes`), `failed` (cannot be
--- decrypted; each is in the log). `options.timeout_ms` is the time for all of it; one that ended early
--- goes on where it was when it is called again.
function Kv:reencrypt(prefix, options)
    local call, out = begin(self, options, nil, "prefix", prefix), reencryption_box()
    local status = C.consul_kv_reencrypt(call.handle, prefix, call.settings, call.async, out)
    return call:take(status, out, "reencryption", read_counts)
end

--- Writes a key and locks it for a session. False and an error with the code HELD when another
--- session holds it or its lock-delay is not over. `client:lock` is the whole recipe.
function Kv:acquire(key, value, session, options)
    local id = session_id(session)
    local call = begin(self, options, FLAGS, "key", key, "session", id)
    local flags = checked(value, options)
    return call:done(
        C.consul_kv_acquire(call.handle, key, value, #value, flags, id, call.settings, call.async)
    )
end

--- Writes a key and unlocks it. False and CONFLICT when this session does not hold it.
function Kv:release(key, value, session, options)
    local id = session_id(session)
    local call = begin(self, options, FLAGS, "key", key, "session", id)
    local flags = checked(value, options)
    return call:done(
        C.consul_kv_release(call.handle, key, value, #value, flags, id, call.settings, call.async)
    )
end

--- Writes a key only while a session still holds `lock_key`. False and CONFLICT when it does not.
function Kv:put_held(key, value, lock_key, session, options)
    local id = session_id(session)
    local call = begin(self, options, FLAGS, "key", key, "lock_key", lock_key, "session", id)
    local flags = checked(value, options)
    return call:done(
        C.consul_kv_put_held(call.handle, key, value, #value, flags, lock_key, id, call.settings, call.async)
    )
end

--- Reads every key that begins with a prefix, as the text that `consul kv export` writes. "" exports
--- all.
function Kv:export(prefix, options)
    local call, out = begin(self, options, nil, "prefix", prefix), result.text_box()
    local status = C.consul_kv_export(call.handle, prefix, call.settings, call.async, out)
    return result.take_text(call, status, out)
end

--- Writes keys as `export` or `consul kv export` gave them, with `options.prefix` before the name of
--- each. As many as fit go into one transaction; the error of one that fails says how many keys were
--- written before.
function Kv:import(exported, options)
    local prefix = own(options, "prefix")
    local call = begin(self, options, PREFIX, prefix and "prefix", prefix)
    check.type(exported, "string", "exported")
    return call:done(
        C.consul_kv_import(call.handle, prefix, exported, #exported, call.settings, call.async)
    )
end

return function(client)
    return setmetatable({ client = client }, Kv)
end
