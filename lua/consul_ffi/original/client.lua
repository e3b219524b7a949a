--- The methods of the earlier LuaJIT + libcurl module of this name, for programs written for it.
---
--- Every method returns `true, response` or `false, message`, both strings. A response is the body of
--- the HTTP API, without white space between its tokens where it is JSON, whatever the agent's mode.
--- HTTP errors are failures, keys are percent-encoded, values are any bytes, the token is sent.

local address = require("consul_ffi.original.address")
local base64 = require("consul_ffi.base64")
local check = require("consul_ffi.check")
local connect = require("consul_ffi.client")
local errors = require("consul_ffi.errors")
local json = require("consul_ffi.json")
local kv_rows = require("consul_ffi.original.kv_rows")
local pause = require("consul_ffi.pause")
local settings = require("consul_ffi.original.settings")
local url = require("consul_ffi.url")

local NOT_FOUND = errors.codes.NOT_FOUND
local SECTION = "consul_ffi"
local LEVELS = { DEBUG = 1, INFO = 2, WARN = 3, ERROR = 4 }
local FIRST_PAUSE_MS, LONGEST_PAUSE_MS = 100, 2000

local ConsulClient = {}
ConsulClient.__index = ConsulClient

--- Writes a line to stderr when `log_level` asks for it; without a level the client is silent.
local function log(self, level, message)
    local threshold = LEVELS[self.log_level]
    if threshold and LEVELS[level] >= threshold then
        io.stderr:write(("consul_ffi [%s] %s\n"):format(level, message))
    end
end

--- The longest that the library takes: a day.
local LONGEST_MS = 86400000

--- A timeout as the library takes it: whole, and 0 was none at all for libcurl.
local function timeout_ms(timeout)
    return timeout == 0 and LONGEST_MS or math.min(math.ceil(timeout), LONGEST_MS)
end

--- Writes what a program reads of it, and what its methods go by.
local function describe(client, values)
    client.consul_url = address.of(values)
    client.timeout = values.timeout
    client.simulate = values.simulate
    -- Whatever a program asks for, the first try is none of these.
    client.retry_count = math.max(0, math.floor(values.retry_count))
    client.log_level = values.log_level
end

--- A client for `consul_url` (or `endpoint`), `timeout` in milliseconds (5000; 0 for none), `acl_token`,
--- `retry_count` (0: how often a failed call is repeated when that is harmless) and `log_level`. With
--- `simulate` there is no server: an agent in memory answers, which all such clients of the process
--- share. A client that cannot be made has `initialized` false, and its methods say why.
function ConsulClient:new(config)
    config = check.type(config or {}, "table", "config")
    local client = setmetatable({ initialized = false }, ConsulClient)
    local values, refused = settings.read(config, SECTION)
    describe(client, values or settings.all(nil, SECTION))
    if not values then
        client.problem = refused
        return client
    end
    local native, problem = connect({
        address = client.consul_url,
        timeout_ms = timeout_ms(client.timeout),
        token = values.acl_token,
    })
    client.native, client.owns_native = native, true
    client.initialized = native ~= nil
    client.problem = problem and problem.message
    client.consul_url = client.consul_url or (native and native:endpoint())
    return client
end

--- A client on a native one that somebody else ends, with a configuration as above. `is_encrypting` says that
--- the native one has prefixes of keys whose values are encrypted.
function ConsulClient.over(native, config)
    local client = setmetatable({ native = native, owns_native = false, initialized = true }, ConsulClient)
    ConsulClient.describe(client, config)
    return client
end

--- Has a client that `over` has made go by another configuration.
function ConsulClient.describe(client, config)
    describe(client, settings.all(config, SECTION))
    client.is_encrypting = config.is_encrypting
    client.consul_url = client.consul_url or client.native:endpoint()
end

local function message_of(what, err)
    return err.code == NOT_FOUND and what .. ": 404, not found" or err.message
end

--- A repeat is harmless when the call changes nothing, or certainly did not.
local function may_repeat(err, is_read)
    return err.retryable and (is_read or not err.outcome_unknown)
end

--- Runs `operation(native)`, which returns a response, or nil and an error.
local function run(self, what, is_read, operation)
    if not self.initialized then
        return false, self.problem or "the client was destroyed"
    end
    local wait = FIRST_PAUSE_MS
    for repeats = 0, self.retry_count do
        log(self, "DEBUG", what)
        local response, err = operation(self.native)
        if response then
            return true, response
        end
        local message = message_of(what, err)
        if repeats == self.retry_count or not may_repeat(err, is_read) then
            log(self, "ERROR", message)
            return false, message
        end
        log(self, "WARN", message .. ": trying again")
        pause(wait)
        wait = math.min(wait * 2, LONGEST_PAUSE_MS)
    end
end

--- Sends a request and returns the body, as JSON without white space.
local function request(native, method, path, body, options)
    local response, err = native:request(method, path, body, options)
    if not response then
        return nil, err
    end
    return json.compact(response.body)
end

--- Keys are written with and without the slash of a path; Consul has them without.
local function key_of(key)
    return (tostring(key):gsub("^/", ""))
end

local function bytes_of(value)
    if type(value) == "table" then
        return json.encode(value)
    end
    return tostring(value)
end

local function word(ok, err)
    if ok == nil then
        return nil, err
    end
    return tostring(ok)
end

--- Whether it is Consul that has said that there is no such key: it tells an index to wait on.
local function says_that_there_is_none(err)
    return err.code == NOT_FOUND and err.response.body == "" and err.response.meta.index ~= 0
end

--- Whether a key is one that the library may refuse, or that another path would be made of.
local function is_odd(key, recurse)
    local path = "/" .. key
    return path:find("/%.?%.?/") or path:find("/%.%.?$") or key:find("[^\32-\126]") or (key == "" and not recurse)
end

--- The rows that are made of what the library has read: it checks the key, and decrypts.
local function decrypted(native, key, recurse)
    if recurse then
        local list, err = native.kv:list(key)
        return list and kv_rows(list), err
    end
    local value, meta = native.kv:get(key)
    if value then
        meta.key, meta.value = key, value
        return kv_rows({ meta })
    elseif meta.code == NOT_FOUND then
        return "[]"
    end
    return nil, meta
end

--- Reads a key, or everything under it: a JSON array with the values in base64, `[]` when there is
--- none.
function ConsulClient:kv_get(key, recurse)
    key = key_of(key)
    local path = "/v1/kv/" .. url.path(key) .. (recurse and "?recurse" or "")
    return run(self, "kv_get " .. path, true, function(native)
        if self.is_encrypting or is_odd(key, recurse) then
            return decrypted(native, key, recurse)
        end
        local body, err = request(native, "GET", path)
        if not body and says_that_there_is_none(err) then
            return "[]"
        end
        return body, err
    end)
end

--- Writes a key; a table is written as its JSON.
function ConsulClient:kv_put(key, value)
    local ok, text = pcall(bytes_of, value)
    if not ok then
        return false, text
    end
    return run(self, "kv_put " .. tostring(key), false, function(native)
        return word(native.kv:put(key_of(key), text))
    end)
end

--- Deletes a key, or everything under it.
function ConsulClient:kv_delete(key, recurse)
    return run(self, "kv_delete " .. tostring(key), false, function(native)
        local method = recurse and "delete_prefix" or "delete"
        return word(native.kv[method](native.kv, key_of(key)))
    end)
end

--- Where a service listens, as a URL has it. One without an address listens where its agent runs.
local function host_of(address)
    if address == nil or address == "" then
        return "127.0.0.1"
    end
    return address:find(":", 1, true) and "[" .. address .. "]" or address
end

--- Registers a service on the agent, with a check that asks http://address:port/health every 10 s. `tags`
--- is a list, or one text.
function ConsulClient:register_service(id, name, address, port, tags)
    tags = type(tags) == "string" and { tags } or tags or {}
    if not tonumber(port) then
        return false, "port must be a number, not " .. check.kind(port)
    elseif type(tags) ~= "table" then
        return false, "tags must be a list of texts, not " .. check.kind(tags)
    end
    address = address ~= nil and tostring(address) or nil
    local definition = {
        ID = id,
        Name = name,
        Address = address,
        Port = tonumber(port),
        Tags = json.array({ unpack(tags) }),
        Check = {
            HTTP = ("http://%s:%s/health"):format(host_of(address), tostring(port)),
            Interval = "10s",
            Timeout = "5s",
        },
    }
    return run(self, "register_service " .. tostring(id), false, function(native)
        return request(native, "PUT", "/v1/agent/service/register", definition)
    end)
end

function ConsulClient:deregister_service(id)
    local path = "/v1/agent/service/deregister/" .. url.segment(tostring(id))
    return run(self, "deregister_service " .. tostring(id), false, function(native)
        return request(native, "PUT", path)
    end)
end

--- The instances of a service with their checks: a JSON array.
function ConsulClient:discover_services(name)
    local path = "/v1/health/service/" .. url.segment(tostring(name))
    return run(self, "discover_services " .. tostring(name), true, function(native)
        return request(native, "GET", path)
    end)
end

--- Makes a session whose keys are deleted when it ends: `{"ID":"..."}`. `ttl` is Consul's text, such
--- as "30s", or a number of seconds.
function ConsulClient:create_session(name, ttl)
    local definition = {
        Name = name,
        TTL = type(ttl) == "number" and ttl .. "s" or ttl or "30s",
        Behavior = "delete",
    }
    return run(self, "create_session " .. tostring(name), false, function(native)
        return request(native, "PUT", "/v1/session/create", definition)
    end)
end

function ConsulClient:destroy_session(id)
    return run(self, "destroy_session " .. tostring(id), false, function(native)
        return word(native.session:destroy(tostring(id)))
    end)
end

--- A path with or without its slash and its `v1`, as the wire wants it.
local function api_path(path)
    local rest = tostring(path):gsub("^/+", "")
    if rest:sub(1, 3) ~= "v1/" then
        rest = "v1/" .. rest
    end
    return url.lenient("/" .. rest)
end

--- Parameters as options of a request: a token goes into its header, never into the URL.
local function parameters(path, params)
    if type(params) == "string" and params ~= "" then
        return path .. (path:find("?", 1, true) and "&" or "?") .. url.lenient((params:gsub("^?", ""))), nil
    elseif type(params) ~= "table" then
        return path, nil
    end
    local query = {}
    for name, value in pairs(params) do
        query[tostring(name)] = value
    end
    local token = query.token
    query.token = nil
    return path, { query = query, token = token }
end

--- Any endpoint: `path` with or without `/v1`, `data` a string or a table that is sent as JSON,
--- `params` a table or a text of parameters. The response is the body as it came.
function ConsulClient:http_request(method, path, data, params)
    method = tostring(method):upper()
    local target, options = parameters(api_path(path), params)
    local body = data
    if type(data) == "table" then
        local ok, text = pcall(json.encode, data)
        if not ok then
            return false, text
        end
        body = text
    elseif data ~= nil then
        body = tostring(data)
    end
    return run(self, method .. " " .. target:gsub("%?.*", ""), method == "GET", function(native)
        local response, err = native:request(method, target, body, options)
        if not response then
            return nil, err
        end
        return response.body
    end)
end

--- What a program may not leave out, by the names of its first arguments: it would be taken for the
--- text "nil".
local REQUIRED = {
    kv_get = { "key" },
    kv_put = { "key", "value" },
    kv_delete = { "key" },
    register_service = { false, "service name" },
    deregister_service = { "service id" },
    discover_services = { "service name" },
    destroy_session = { "session id" },
    http_request = { "method", "path" },
}

for name, required in pairs(REQUIRED) do
    local method = ConsulClient[name]
    ConsulClient[name] = function(self, ...)
        for position, argument in ipairs(required) do
            if argument and select(position, ...) == nil then
                return false, argument .. " is missing"
            end
        end
        return method(self, ...)
    end
end

--- Called with a colon or with a dot.
local function argument(self, value)
    if value == nil and getmetatable(self) ~= ConsulClient and self ~= ConsulClient then
        return self
    end
    return value
end

--- The JSON of a value; nil and a message for what JSON cannot hold.
function ConsulClient:table_to_json(value)
    local ok, text = pcall(json.encode, argument(self, value))
    if not ok then
        return nil, "value: " .. text
    end
    return text
end

--- The base64 text of any bytes.
function ConsulClient:base64_encode(bytes)
    return base64.encode(check.type(argument(self, bytes), "string", "bytes"))
end

--- Frees the client; calling it twice is harmless.
function ConsulClient:destroy()
    if self.native and self.owns_native then
        self.native:close()
    end
    self.native = nil
    self.initialized = false
end

return ConsulClient
