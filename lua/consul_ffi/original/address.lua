--- Where Consul answers, as the earlier module's programs say it, as the setting `address`.

local check = require("consul_ffi.check")

local address = {}

--- What `simulate` talks to: an agent in this process's memory, which all such clients share.
address.EMBEDDED = "embedded:simulate"

--- The address of servers of one cluster: a list, nil when it is empty. `scheme` stands before those
--- that have none.
function address.of_list(servers, scheme)
    local list = {}
    for position, server in ipairs(check.type(servers, "table", "the list of servers")) do
        check.type(server, "string", "server " .. position)
        list[position] = (server:find("://", 1, true) and "" or scheme .. "://") .. server
    end
    return list[1] and table.concat(list, ",")
end

--- The address in the configuration of a client or a cluster; nil when it says nothing.
function address.of(config)
    if config.simulate then
        return address.EMBEDDED
    end
    return config.consul_url or config.endpoint
        or config.consul_endpoints and address.of_list(config.consul_endpoints, "http")
        or nil
end

return address
