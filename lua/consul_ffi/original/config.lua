--- The earlier module's production configuration with its defaults, which a program changes before it
--- begins, and again while it runs.

local check = require("consul_ffi.check")
local new_id = require("consul_ffi.original.node_id")
local settings = require("consul_ffi.original.settings")

local config = {}

local SECTIONS = { consul = true, cluster = true, storage = true, monitoring = true, security = true }

--- Acts only where the program sets it, which is seen by its not being in the table otherwise.
local UNSET = { write_quorum = true, read_quorum = true }

local function environment(name)
    local value = os.getenv(name)
    return value ~= "" and value or nil
end

local function section(name)
    local values, behind = {}, {}
    for setting, value in pairs(settings.all(nil, name)) do
        (UNSET[setting] and behind or values)[setting] = value
    end
    return setmetatable(values, { __index = behind })
end

--- A new one.
function config.new()
    local new = {}
    for name in pairs(SECTIONS) do
        new[name] = section(name)
    end
    new.monitoring.alert_threshold = section("monitoring.alert_threshold")
    new.consul.servers = { environment("CONSUL_HTTP_ADDR") or "http://127.0.0.1:8500" }
    new.consul.acl_token = environment("CONSUL_ACL_TOKEN")
    new.consul.encryption_key = environment("CONSUL_ENCRYPTION_KEY")
    new.security.encryption_key = new.consul.encryption_key
    new.cluster.node_id = environment("NODE_ID") or new_id()
    new.cluster.node_address = environment("NODE_ADDRESS")
    new.cluster.datacenter = environment("DATACENTER") or new.cluster.datacenter
    return new
end

--- What applies of a setting, such as `config.get(given, "storage", "kv_prefix")`.
function config.get(given, name, setting)
    return settings.value(given[name], name, setting)
end

--- A quorum that the program has set; nil where it has not.
function config.quorum(given, name)
    return given.cluster and rawget(given.cluster, name)
end

--- Changes what `changes` says, section by section, in a configuration.
function config.change(given, changes)
    for name, section_changes in pairs(check.type(changes, "table", "new_config")) do
        if SECTIONS[name] then
            check.type(section_changes, "table", "new_config." .. name)
            given[name] = given[name] or {}
            for setting, value in pairs(section_changes) do
                given[name][setting] = value
            end
        end
    end
    return given
end

--- A copy that can be changed without the original.
function config.copy(given)
    return config.change({}, given)
end

return config
