--- The settings of one call: a Lua table as the library's `consul_options`.

local ffi = require("ffi")
local C = require("consul_ffi.loader")
local check = require("consul_ffi.check")
local errors = require("consul_ffi.errors")

local options = {}

local box = ffi.typeof("consul_options *[1]")

local function text(value, name)
    local problem = errors.for_nul(check.type(value, "string", name), name)
    if problem then
        return nil, problem
    end
    return value
end

local function flag(value, name)
    return check.type(value, "boolean", name)
end

--- By its name, how a Lua value of an option is taken, and the library's function that sets it.
local KINDS = {
    token = text,
    datacenter = text,
    namespace = text,
    partition = text,
    consistency = text,
    near = text,
    filter = text,
    index = check.uint64,
    timeout_ms = check.uint64,
    wait_ms = check.uint64,
    max_stale_ms = check.uint64,
    stale_on_no_leader = flag,
    cached = flag,
    node_meta = function(value, name)
        return check.type(value, "table", name)
    end,
}

local function add_node_meta(settings, pairs_of_text)
    for key, value in pairs(pairs_of_text) do
        local status = C.consul_options_add_node_meta(
            settings,
            check.type(key, "string", "a key of node_meta"),
            check.type(value, "string", "a value of node_meta")
        )
        if status ~= errors.codes.OK then
            return status
        end
    end
    return errors.codes.OK
end

local function set(settings, name, value)
    if name == "node_meta" then
        return add_node_meta(settings, value)
    end
    return C["consul_options_set_" .. name](settings, value)
end

--- Checks and converts every value before anything native is made.
local function convert(given, own)
    check.type(given, "table", "options")
    local values
    for name, value in pairs(given) do
        local kind = KINDS[name]
        if kind then
            local converted, problem = kind(value, name)
            if problem then
                return nil, problem
            end
            values = values or {}
            values[name] = converted
        elseif not (own and own[name]) then
            check.fail("unknown option %q; allowed are %s", tostring(name), check.names(KINDS, own))
        end
    end
    return values
end

--- The library's options for a table of them, to be ended by `options.close`; nil when there is
--- nothing to set, nil and an error for a value that is out of range. `own` holds the names that
--- the caller reads itself.
function options.open(given, own)
    if given == nil then
        return nil
    end
    local values, problem = convert(given, own)
    if not values then
        return nil, problem
    end
    local out = box()
    local status = C.consul_options_new(out)
    local settings = ffi.gc(out[0], C.consul_options_free)
    for name, value in pairs(values) do
        if status ~= errors.codes.OK then
            break
        end
        status = set(settings, name, value)
    end
    if status == errors.codes.OK then
        return settings
    end
    problem = errors.from(status)
    options.close(settings)
    return nil, problem
end

--- Ends what `options.open` made; nil is fine.
function options.close(settings)
    if settings ~= nil then
        C.consul_options_free(ffi.gc(settings, nil))
    end
end

return options
