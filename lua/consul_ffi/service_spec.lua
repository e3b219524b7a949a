--- The description of a service: `name`, `id`, `address`, `port`, `tags`, `meta`, `tagged_addresses`
--- ({ lan = { address = , port = } }), `weights` ({ passing = , warning = }), `enable_tag_override`,
--- `kind`, `proxy` and `connect` as Consul's API has them, `check` or a list of `checks`, and
--- `replace_existing_checks`.

local C = require("consul_ffi.loader")
local CHECK = require("consul_ffi.check_spec")
local check = require("consul_ffi.check")
local errors = require("consul_ffi.errors")
local spec = require("consul_ffi.spec")

local OK = errors.codes.OK
local add_check = spec.nested(CHECK, "consul_service_spec_add_check")

local function add_tag(handle, tag, name)
    return spec.text(handle, tag, name, "consul_service_spec_add_tag")
end

local function add_tagged_addresses(handle, addresses, name)
    for tag, place in pairs(check.type(addresses, "table", name)) do
        local where = name .. "." .. tostring(tag)
        check.type(tag, "string", "a name in " .. name)
        check.type(place, "table", where)
        local address = check.type(place.address, "string", where .. ".address")
        local port = place.port and check.uint32(place.port, where .. ".port") or 0
        local problem = errors.for_nul(tag, where) or errors.for_nul(address, where)
        if problem then
            return nil, problem
        end
        local status = C.consul_service_spec_add_tagged_address(handle, tag, address, port)
        if status ~= OK then
            return status
        end
    end
    return OK
end

local function set_weights(handle, weights, name, c_name)
    check.type(weights, "table", name)
    local passing = check.uint32(weights.passing or 1, name .. ".passing")
    local warning = check.uint32(weights.warning or 1, name .. ".warning")
    return C[c_name](handle, passing, warning)
end

return spec.kind({
    type = "service_spec",
    required = { "name" },
    setters = {
        id = spec.text,
        address = spec.text,
        port = spec.uint32,
        tags = spec.each(add_tag),
        meta = spec.map("consul_service_spec_add_meta"),
        tagged_addresses = add_tagged_addresses,
        weights = set_weights,
        enable_tag_override = spec.flag,
        kind = spec.text,
        proxy = spec.json("consul_service_spec_set_proxy_json"),
        connect = spec.json("consul_service_spec_set_connect_json"),
        check = add_check,
        checks = spec.each(add_check),
        replace_existing_checks = spec.flag,
    },
})
