--- The description of what `client.catalog:register` writes: `node`, `address`, `id`, `datacenter`,
--- `tagged_addresses` and `node_meta` (texts by their names), `service` (see
--- consul_ffi/service_spec.lua; its checks are not written), and a list of `checks` with `id`,
--- `name`, `status`, `service_id`, `notes`, `output`.

local C = require("consul_ffi.loader")
local SERVICE = require("consul_ffi.service_spec")
local check = require("consul_ffi.check")
local errors = require("consul_ffi.errors")
local spec = require("consul_ffi.spec")

local CHECK_FIELDS = { "id", "name", "status", "service_id", "notes", "output" }
local KNOWN = {}
for _, field in ipairs(CHECK_FIELDS) do
    KNOWN[field] = true
end

local function add_check(handle, description, name)
    check.known(check.type(description, "table", name), KNOWN, "check field")
    local texts = {}
    for position, field in ipairs(CHECK_FIELDS) do
        local text, place = description[field], name .. "." .. field
        if text ~= nil then
            local problem = errors.for_nul(check.type(text, "string", place), place)
            if problem then
                return nil, problem
            end
        end
        texts[position] = text
    end
    return C.consul_registration_add_check(handle, unpack(texts, 1, #CHECK_FIELDS))
end

return spec.kind({
    type = "registration",
    required = { "node", "address" },
    setters = {
        id = spec.text,
        datacenter = spec.text,
        tagged_addresses = spec.map("consul_registration_add_tagged_address"),
        node_meta = spec.map("consul_registration_add_node_meta"),
        service = spec.nested(SERVICE, "consul_registration_set_service"),
        checks = spec.each(add_check),
    },
})
