--- The settings of the library that the earlier module's production configuration stands for.

local address = require("consul_ffi.original.address")
local settings = require("consul_ffi.original.settings")

local function milliseconds(seconds)
    return math.floor(seconds * 1000 + 0.5)
end

--- A text, nil when it is empty: so is what systemd makes of `Environment=NAME=`.
local function text(value)
    return value ~= "" and value or nil
end

local function address_of(consul, is_secure)
    if consul.simulate then
        return address.EMBEDDED
    end
    return consul.servers and address.of_list(consul.servers, is_secure and "https" or "http")
end

--- Where the changes of this client are written down, and in whose name.
local function add_audit(wanted, config)
    local security = settings.all(config.security, "security")
    if security.audit_enabled then
        wanted.audit_log_file = text(security.audit_log_file)
        wanted.audit_actor = settings.value(config.cluster, "cluster", "node_id")
    end
end

--- The earlier module took any text for a key and encrypted nothing: a key counts where prefixes are named.
local function add_encryption(wanted, config, consul)
    local names_prefixes = settings.names_prefixes(consul.settings)
    local of_security = settings.value(config.security, "security", "encryption_key")
    wanted.encryption_key = names_prefixes and (text(consul.encryption_key) or text(of_security)) or ""
end

local TLS = { "tls_verify", "tls_ca_file", "tls_cert_file", "tls_key_file" }

--- As `consul.connect` takes them. Raises an error for what cannot be.
return function(config)
    local consul = settings.all(config.consul, "consul")
    local is_secure = consul.tls_enabled or settings.value(config.security, "security", "encrypt_traffic")
    local wanted = {
        address = address_of(consul, is_secure),
        -- An empty one is none, and not the one of the variable CONSUL_HTTP_TOKEN.
        token = consul.acl_token,
        timeout_ms = milliseconds(consul.timeout),
        retry_attempts = consul.retry_attempts,
        retry_interval_ms = milliseconds(consul.retry_interval),
        health_check_interval_ms = milliseconds(consul.health_check_interval),
        health_check_timeout_ms = milliseconds(consul.health_check_timeout),
    }
    if (wanted.address or ""):find("https://", 1, true) then
        for _, name in ipairs(TLS) do
            wanted[name] = text(consul[name])
        end
    end
    add_audit(wanted, config)
    add_encryption(wanted, config, consul)
    for name, value in pairs(consul.settings or {}) do
        wanted[name] = value
    end
    return wanted
end
