--- A client, and the settings it is made from.

local ffi = require("ffi")
local C = require("consul_ffi.loader")
local of, plain = require("consul_ffi.call").of, require("consul_ffi.call").plain
local check = require("consul_ffi.check")
local endpoints = require("consul_ffi.endpoints")
local errors = require("consul_ffi.errors")
local guard = require("consul_ffi.end_of_state").guard
local number = require("consul_ffi.number")
local queue = require("consul_ffi.queue")

local codes = errors.codes
local config_box = ffi.typeof("consul_config *[1]")
local client_box = ffi.typeof("consul_client *[1]")

local Client = {}
Client.__index = Client

--- The areas of the API, by the names they have in a client.
local AREAS = {
    kv = require("consul_ffi.kv"),
    session = require("consul_ffi.session"),
    health = require("consul_ffi.health"),
    agent = require("consul_ffi.agent"),
    catalog = require("consul_ffi.catalog"),
    event = require("consul_ffi.user_event"),
    status = require("consul_ffi.status"),
    operator = require("consul_ffi.operator"),
    acl = require("consul_ffi.acl"),
    snapshot = require("consul_ffi.snapshot"),
}

function Client:__tostring()
    return "consul client: " .. (self:endpoint() or "closed")
end

Client.embedded = require("consul_ffi.embedded")
Client.health_report = require("consul_ffi.health_report")
Client.cluster = require("consul_ffi.cluster")
Client.election = require("consul_ffi.election")
Client.lock = require("consul_ffi.lock")
Client.semaphore = require("consul_ffi.semaphore")
Client.request = require("consul_ffi.request")
Client.service = require("consul_ffi.kept_service")
Client.txn = require("consul_ffi.txn")
Client.watch = require("consul_ffi.watch")

--- A list of texts as the one that the library takes.
local function joined(list, name)
    if #list == 0 then
        check.fail("setting %s is an empty list: leave it out for its default", name)
    end
    for position, text in ipairs(list) do
        local what = ("setting %s[%d]"):format(name, position)
        if check.type(text, "string", what) == "" or text:find(",", 1, true) then
            check.fail("%s %s", what, text == "" and "is empty" or "has a comma")
        end
    end
    return table.concat(list, ",")
end

--- A Lua value as the text that a setting takes; nil for what no setting takes.
local function setting_text(value, name)
    local kind = type(value)
    if kind == "string" then
        return value
    elseif kind == "boolean" then
        return tostring(value)
    elseif kind == "number" or kind == "cdata" then
        local exact = number.uint64(value)
        return exact and number.decimal(exact)
    elseif kind == "table" then
        return joined(value, name)
    end
end

local function check_settings(settings)
    check.type(settings, "table", "settings")
    local texts = {}
    for name, value in pairs(settings) do
        local text = setting_text(value, tostring(name))
        if type(name) ~= "string" or not text then
            check.fail(
                "setting %s must be a string, a whole number, a boolean or a list of strings, not %s",
                tostring(name), check.shown(value)
            )
        end
        texts[name] = text
    end
    return texts
end

local function set_all(config, texts)
    for name, text in pairs(texts) do
        local problem = errors.for_nul(name, "the name of a setting") or errors.for_nul(text, name)
        if problem then
            return problem
        end
        local status = C.consul_config_set(config, name, text)
        if status ~= codes.OK then
            return errors.from(status)
        end
    end
end

local function new_config(texts, with_environment)
    local out = config_box()
    local make = with_environment and C.consul_config_new or C.consul_config_new_without_environment
    local status = make(out)
    if status ~= codes.OK then
        return nil, errors.from(status)
    end
    local config = ffi.gc(out[0], C.consul_config_free)
    local problem = set_all(config, texts)
    if problem then
        C.consul_config_free(ffi.gc(config, nil))
        return nil, problem
    end
    return config
end

local function with_areas(client)
    client.client = client
    for name, new in pairs(AREAS) do
        client[name] = new(client)
    end
    return client
end

--- A configuration made from a table of settings; nil and an error for an unknown name or a value that
--- is not allowed.
local function config_of(settings)
    local texts = check_settings(settings or {})
    local with_environment = texts.environment ~= "false"
    texts.environment = nil
    return new_config(texts, with_environment)
end

--- A client made from a table of settings (docs/settings.md); nil and an error for an unknown name
--- or a value that is not allowed. What the table does not say comes from the environment, unless it
--- says `environment = false`.
local function connect(settings)
    local config, problem = config_of(settings)
    if not config then
        return nil, problem
    end
    local out = client_box()
    local status = C.consul_client_new(config, out)
    problem = status ~= codes.OK and errors.from(status) or nil
    C.consul_config_free(ffi.gc(config, nil))
    if problem then
        return nil, problem
    end
    return with_areas(setmetatable({ handle = out[0], guard = guard(out[0]) }, Client))
end

--- The client of a queue: it has the client's handle, as long as that has one.
local On = {}

function On.__index(on, name)
    if name == "handle" then
        return on.root.handle
    end
    return Client[name]
end

On.__tostring = Client.__tostring

--- The same client, whose calls do not wait: each returns a ticket, which comes back from this queue
--- with what the call would have returned (consul_ffi/queue.lua). What it makes, such as a lock or a
--- transaction, calls in the same way.
function Client:on(to)
    if not queue.is_queue(to) then
        check.fail("queue must be one of consul.queue(), not %s", check.kind(to))
    end
    return with_areas(setmetatable({ root = self.root or self, queue = to }, On))
end

--- Ends the client: the services that it keeps registered are deregistered, its locks released, the
--- sessions that it keeps alive destroyed, and its threads waited for, in so many milliseconds at most
--- (5000). nil and an error with the code
--- ERR_TIMEOUT when it took longer: what is left at Consul ends by its TTL. Harmless when it was closed
--- before.
function Client:close(timeout_ms)
    local limit = check.optional_uint64(timeout_ms, "timeout_ms", 5000)
    local root = self.root or self
    local handle, call = root.handle, of(self)
    if not handle then
        return true
    end
    root.handle = nil
    return call:conclude(C.consul_client_close_async(handle, limit, call.async), function(problem)
        C.consul_client_free(handle)
        return plain(problem)
    end)
end

--- What a call without a result returns, also of a client that was closed.
local function answer(client, status)
    if not client.handle then
        return nil, errors.new(codes.ERR_CLOSED, "the client was closed")
    end
    return errors.answer(status)
end

--- Takes these settings from now on, as `consul.connect` takes them: addresses, token, TLS, limits,
--- times, all of them. No call fails for it, and sessions, locks, watches and services live on. nil and
--- an error when a setting cannot be used: nothing has changed then.
function Client:reload(settings)
    local config, problem = config_of(settings)
    if not config then
        return nil, problem
    end
    local reloaded
    reloaded, problem = answer(self, C.consul_client_reload(self.handle, config))
    C.consul_config_free(ffi.gc(config, nil))
    return reloaded, problem
end

--- Takes this token from now on, and registers anew what is kept registered with the client's; nil for
--- the token that was configured.
function Client:set_token(token)
    if token ~= nil then
        check.type(token, "string", "token")
        local problem = errors.for_nul(token, "token")
        if problem then
            return nil, problem
        end
    end
    return answer(self, C.consul_client_set_token(self.handle, token))
end

--- How each of its addresses is getting on, in the order of the setting `address`: tables with
--- `address`, `state` ("up", "no leader", "down"), `is_in_use`, `requests`, `failures`,
--- `consecutive_failures`, `last_success_ms` (how long ago it answered) and `last_error`. Makes no
--- request.
function Client:endpoints()
    return endpoints.list(self.handle)
end

--- Has changes of its addresses arrive in this queue from now on, and in no other, by the ticket that is
--- returned: `queue:next` returns the ticket, "changed" and a list of tables with `address`, `state` and
--- `state_before`, `is_in_use` and `was_in_use`, `changes` (how many have come together) and `reason` (an
--- error, nil where none was); in the end, when the client is closed, "ended" and an error. nil ends
--- that. However often an address changes before that is read, it is one entry of one list.
function Client:set_endpoint_queue(queue)
    local root = self.root or self
    if not root.handle then
        return nil, errors.new(codes.ERR_CLOSED, "the client was closed")
    end
    return endpoints.follow(root, queue)
end

--- Where its calls go at the moment, such as "http://127.0.0.1:8500"; nil once it is closed.
function Client:endpoint()
    return self.handle and ffi.string(C.consul_client_endpoint(self.handle))
end

return connect
