--- Pairs as the HTTP API answers with them, for values that are not what Consul holds: they were encrypted
--- there.

local base64 = require("consul_ffi.base64")
local json = require("consul_ffi.json")
local number = require("consul_ffi.number")

--- Consul's own order, in which a key that no session holds has no `Session`.
local function row_of(pair)
    return ('{"LockIndex":%s,"Key":%s,"Flags":%s,"Value":%s,%s"CreateIndex":%s,"ModifyIndex":%s}'):format(
        number.decimal(pair.lock_index),
        json.encode(pair.key),
        number.decimal(pair.flags),
        pair.value == "" and "null" or '"' .. base64.encode(pair.value) .. '"',
        pair.session and '"Session":' .. json.encode(pair.session) .. "," or "",
        number.decimal(pair.create_index),
        number.decimal(pair.modify_index)
    )
end

--- The JSON array of a list of pairs, as `client.kv:list` has them.
return function(pairs_of_keys)
    local rows = {}
    for position, pair in ipairs(pairs_of_keys) do
        rows[position] = row_of(pair)
    end
    return "[" .. table.concat(rows, ",") .. "]"
end
