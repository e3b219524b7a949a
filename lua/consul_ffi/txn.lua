--- Transactions: `client:txn()`.
---
---     local results, err = client:txn()
---         :check_not_exists("app/owner")
---         :set("app/owner", "me")
---         :commit()
---
--- Operations are applied together or not at all, in the order in which they were added. A
--- transaction may be committed again.

local ffi = require("ffi")
local C = require("consul_ffi.loader")
local begin = require("consul_ffi.call").begin
local check = require("consul_ffi.check")
local errors = require("consul_ffi.errors")
local json = require("consul_ffi.json")
local result = require("consul_ffi.result")
local session_id = require("consul_ffi.session_id")

local OK = errors.codes.OK
local txn_box = result.box("txn")
local result_box = result.box("txn_result")

local Txn = {}
Txn.__index = Txn

function Txn:__tostring()
    return ("consul transaction: %d operations"):format(#self)
end

--- Keeps one operation: the verb and what the library's function takes after the handle. The first
--- key that C would cut is kept as the transaction's problem.
local function add(self, verb, key, ...)
    if type(self) ~= "table" or not self.client then
        check.fail("a method is called with a colon, as in txn:get(key)")
    end
    self.problem = self.problem or errors.for_nul(check.type(key, "string", "key"), "key")
    self[#self + 1] = { verb = verb, count = select("#", ...) + 1, key, ... }
    return self
end

local function bytes(value)
    return check.type(value, "string", "value")
end

local function flags_of(flags)
    return check.optional_uint64(flags, "flags", 0)
end

local function index_of(modify_index)
    return check.uint64(modify_index, "modify_index")
end

--- Writes a key; its flags become these, or 0.
function Txn:set(key, value, flags)
    return add(self, "set", key, bytes(value), #value, flags_of(flags))
end

--- Writes a key if its modify index is still this one; 0 means "if it does not exist".
function Txn:cas(key, value, modify_index, flags)
    return add(self, "cas", key, bytes(value), #value, flags_of(flags), index_of(modify_index))
end

--- Writes a key and locks it for a session. The modify index of its result is the fencing token of
--- the lock.
function Txn:lock(key, value, session, flags)
    return add(self, "lock", key, bytes(value), #value, flags_of(flags), session_id(session))
end

--- Writes a key and unlocks it, if this session holds it.
function Txn:unlock(key, value, session, flags)
    return add(self, "unlock", key, bytes(value), #value, flags_of(flags), session_id(session))
end

--- Reads a key, which must exist.
function Txn:get(key)
    return add(self, "get", key)
end

--- Reads a key; one that does not exist gives an empty value (Consul 1.14).
function Txn:get_or_empty(key)
    return add(self, "get_or_empty", key)
end

--- Reads every key that begins with a prefix.
function Txn:get_tree(prefix)
    return add(self, "get_tree", prefix)
end

--- Goes on only if the key's modify index is this one.
function Txn:check_index(key, modify_index)
    return add(self, "check_index", key, index_of(modify_index))
end

--- Goes on only if this session holds the key.
function Txn:check_session(key, session)
    return add(self, "check_session", key, session_id(session))
end

--- Goes on only if the key does not exist.
function Txn:check_not_exists(key)
    return add(self, "check_not_exists", key)
end

--- Deletes a key, which need not exist.
function Txn:delete(key)
    return add(self, "delete", key)
end

--- Deletes a key if its modify index is still this one.
function Txn:delete_cas(key, modify_index)
    return add(self, "delete_cas", key, index_of(modify_index))
end

--- Deletes every key that begins with a prefix; the empty one is refused.
function Txn:delete_tree(prefix)
    return add(self, "delete_tree", prefix)
end

--- Adds any operation as Consul's API writes it: a table or its JSON, with one member `KV`, `Node`,
--- `Service` or `Check`.
function Txn:add(operation)
    if type(operation) == "table" then
        operation = check.json(operation, "operation")
    end
    return add(self, "add_json", operation)
end

--- The native transaction, or nil and the error of the first operation that is refused.
local function build(self)
    if self.problem then
        return nil, self.problem
    end
    local out = txn_box()
    local status = C.consul_txn_new(out)
    if status ~= OK then
        return nil, errors.from(status)
    end
    local txn = ffi.gc(out[0], C.consul_txn_free)
    for position, operation in ipairs(self) do
        status = C["consul_txn_" .. operation.verb](txn, unpack(operation, 1, operation.count))
        if status ~= OK then
            local problem = errors.from(status)
            problem.message = ("operation %d: %s"):format(position, problem.message)
            C.consul_txn_free(ffi.gc(txn, nil))
            return nil, problem
        end
    end
    return txn
end

local KINDS = {
    [C.CONSUL_TXN_NODE] = "node",
    [C.CONSUL_TXN_SERVICE] = "service",
    [C.CONSUL_TXN_CHECK] = "check",
}

local function read_row(row)
    if row.pair ~= nil then
        local pair = result.pair(row.pair)
        pair.kind = "kv"
        return pair
    end
    local data = json.decode(ffi.string(row.json, row.json_len))
    return { kind = KINDS[row.kind] or tostring(row.kind), data = data }
end

local function read_errors(handle)
    local list = {}
    for index = 0, tonumber(C.consul_txn_result_error_count(handle)) - 1 do
        local row = C.consul_txn_result_error_at(handle, index)
        list[index + 1] = {
            operation = tonumber(row.op_index) + 1,
            what = ffi.string(row.what, row.what_len),
            denied = row.denied,
        }
    end
    return list
end

local function read_result(handle, problem)
    if problem and problem.code < 0 then
        problem.errors = read_errors(handle)
        -- The library counts from 0.
        problem.message = problem.message:gsub("operation (%d+)", function(number)
            return ("operation %d"):format(number + 1)
        end, 1)
        return nil, problem
    elseif problem then
        problem.errors = read_errors(handle)
        local first = problem.errors[1]
        if first then
            problem.message = ("operation %d: %s"):format(first.operation, first.what)
        end
        return false, problem
    end
    local list = {}
    for index = 0, tonumber(C.consul_txn_result_count(handle)) - 1 do
        list[index + 1] = read_row(C.consul_txn_result_at(handle, index))
    end
    return list, result.meta(C.consul_txn_result_meta(handle))
end

--- Applies all operations or none. Returns a list of results and the answer's meta: for a key its
--- pair with `kind` "kv", for others `kind` and `data`. Deletions and checks that a key does not
--- exist give no result, a tree gives one for each of its keys. When it was rolled back for what it
--- found: false and an error with the code CONFLICT, whose `errors` are tables of `operation` (counted
--- from 1), `what` and `denied`. When the token may not do one of them, or this Consul does not know it:
--- nil and an error with the code ERR_DENIED or ERR_UNSUPPORTED, which has such `errors` too.
function Txn:commit(options)
    local call, out = begin(self, options), result_box()
    local txn = call:with(build(self))
    local status = C.consul_txn_commit(call.handle, txn, call.settings, call.async, out)
    if txn ~= nil then
        C.consul_txn_free(ffi.gc(txn, nil))
    end
    return call:take(status, out, "txn_result", read_result)
end

return function(client)
    return setmetatable({ client = client }, Txn)
end
