--- Nodes, services and checks as tables.

local ffi = require("ffi")
local C = require("consul_ffi.loader")
local result = require("consul_ffi.result")

local rows = {}

function rows.check(row)
    return {
        node = ffi.string(row.node, row.node_len),
        id = ffi.string(row.check_id, row.check_id_len),
        name = ffi.string(row.name, row.name_len),
        status = ffi.string(row.status, row.status_len),
        notes = ffi.string(row.notes, row.notes_len),
        output = ffi.string(row.output, row.output_len),
        service_id = result.optional(row.service_id, row.service_id_len),
        service = result.optional(row.service, row.service_len),
        service_tags = result.texts(row.service_tags, row.service_tag_count),
        kind = ffi.string(row.kind, row.kind_len),
        create_index = row.create_index,
        modify_index = row.modify_index,
    }
end

function rows.node(row)
    return {
        name = ffi.string(row.name, row.name_len),
        id = ffi.string(row.id, row.id_len),
        address = ffi.string(row.address, row.address_len),
        datacenter = ffi.string(row.datacenter, row.datacenter_len),
        tagged_addresses = result.map(row.tagged_address_names, row.tagged_addresses, row.tagged_address_count),
        meta = result.map(row.meta_keys, row.meta_values, row.meta_count),
        create_index = row.create_index,
        modify_index = row.modify_index,
    }
end

local function tagged_addresses(row)
    local addresses = {}
    for index = 0, tonumber(row.tagged_address_count) - 1 do
        local tagged = row.tagged_addresses[index]
        addresses[ffi.string(tagged.name, tagged.name_len)] = {
            address = ffi.string(tagged.address, tagged.address_len),
            port = tagged.port,
        }
    end
    return addresses
end

function rows.service(row)
    return {
        id = ffi.string(row.id, row.id_len),
        name = ffi.string(row.name, row.name_len),
        address = ffi.string(row.address, row.address_len),
        port = row.port,
        kind = result.optional(row.kind, row.kind_len),
        tags = result.texts(row.tags, row.tag_count),
        meta = result.map(row.meta_keys, row.meta_values, row.meta_count),
        tagged_addresses = tagged_addresses(row),
        weights = { passing = row.weight_passing, warning = row.weight_warning },
        enable_tag_override = row.enable_tag_override,
        proxy_json = result.optional(row.proxy_json, row.proxy_json_len),
        connect_json = result.optional(row.connect_json, row.connect_json_len),
        content_hash = result.optional(row.content_hash, row.content_hash_len),
        create_index = row.create_index,
        modify_index = row.modify_index,
    }
end

--- An instance of a service: `service`, `node`, `checks`, the `address` and `port` to reach it at, and
--- its `status`, the worst of its checks.
function rows.entry(row)
    local checks = {}
    for index = 0, tonumber(row.check_count) - 1 do
        checks[index + 1] = rows.check(row.checks[index])
    end
    return {
        service = rows.service(row.service),
        node = row.node ~= nil and rows.node(row.node) or nil,
        checks = checks,
        address = ffi.string(row.address, row.address_len),
        port = row.service.port,
        status = result.optional(row.status, row.status_len),
    }
end

--- An event that somebody fired.
function rows.user_event(row)
    return {
        id = ffi.string(row.id, row.id_len),
        name = ffi.string(row.name, row.name_len),
        payload = ffi.string(row.payload, row.payload_len),
        node_filter = ffi.string(row.node_filter, row.node_filter_len),
        service_filter = ffi.string(row.service_filter, row.service_filter_len),
        tag_filter = ffi.string(row.tag_filter, row.tag_filter_len),
        ltime = row.ltime,
    }
end

rows.checks_box, rows.take_checks = result.box("checks"), result.list("checks", rows.check)
rows.nodes_box, rows.take_nodes = result.box("nodes"), result.list("nodes", rows.node)
rows.services_box, rows.take_services = result.box("services"), result.list("services", rows.service)
rows.take_service = result.only("services", rows.service)
rows.entries_box = result.box("service_entries")
rows.take_entry = result.only("service_entries", rows.entry)
rows.take_entries = result.list("service_entries", rows.entry)

return rows
