--- The Raft servers of the datacenter: `client.status`.

local C = require("consul_ffi.loader")
local begin = require("consul_ffi.call").begin
local result = require("consul_ffi.result")

local Status = {}
Status.__index = Status

--- The address of the leader. The error's code is NOT_FOUND while there is none.
function Status:leader(options)
    local call, out = begin(self, options), result.text_box()
    return result.take_text(call, C.consul_status_leader(call.handle, call.settings, call.async, out), out)
end

--- The addresses of all servers.
function Status:peers(options)
    local call, out = begin(self, options), result.strings_box()
    return result.take_strings(call, C.consul_status_peers(call.handle, call.settings, call.async, out), out)
end

return function(client)
    return setmetatable({ client = client }, Status)
end
