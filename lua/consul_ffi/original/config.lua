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
    return given.cluster and rawget(given.cluster, name) and config.get(given, "cluster", name)
end

--- Raises an error that points to no line.
local function refuse(message, ...)
    error(message:format(...), 0)
end

--- Where the log goes; nil for nowhere, which an empty text says too.
function config.log_file(given)
    local path = config.get(given, "monitoring", "log_file")
    return path ~= "" and path or nil
end

--- Raises an error for a file that cannot be written. A program that has begun with one is told so, and
--- goes on: it did before there was a log.
function config.check_log_file(given)
    local path = config.log_file(given)
    local file, why = io.open(path or "/dev/null", "a")
    if not file then
        refuse("monitoring.log_file must be a file that can be written: %s", why)
    end
    file:close()
end

--- Raises an error, which names the setting, where a configuration cannot be used. What the library judges
--- itself, such as the address of a server, is not looked at.
function config.check(given)
    for name in pairs(SECTIONS) do
        if given[name] ~= nil and type(given[name]) ~= "table" then
            refuse("%s must be a table, not %s", name, check.kind(given[name]))
        end
        settings.all(given[name], name)
    end
    settings.all(config.get(given, "monitoring", "alert_threshold"), "monitoring.alert_threshold")
end

--- Raises an error for changes that are not made of sections, or of what the program has beside them.
function config.check_changes(given, changes)
    if type(changes) ~= "table" then
        refuse("new_config must be a table, not %s", check.kind(changes))
    end
    for name, section_changes in pairs(changes) do
        if not SECTIONS[name] and given[name] == nil then
            refuse("new_config.%s is no section of a configuration: %s", tostring(name), check.names(SECTIONS))
        elseif SECTIONS[name] and type(section_changes) ~= "table" then
            refuse("new_config.%s must be a table, not %s", name, check.kind(section_changes))
        end
    end
end

--- Settings that are settings in turn: what is not named stays. Lists are replaced.
local NESTED = { settings = true, alert_threshold = true }

local function change_section(values, changes)
    for setting, value in pairs(changes) do
        if NESTED[setting] and type(value) == "table" then
            local before = values[setting]
            values[setting] = change_section(type(before) == "table" and before or {}, value)
        else
            values[setting] = value
        end
    end
    return values
end

--- Changes what `changes` says, section by section, in a configuration.
function config.change(given, changes)
    for name in pairs(SECTIONS) do
        if type(changes[name]) == "table" then
            given[name] = change_section(given[name] or {}, changes[name])
        end
    end
    return given
end

--- A copy that can be changed without the original.
function config.copy(given)
    return config.change({}, given)
end

return config
