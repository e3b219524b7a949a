-- What the workers of shared.conf do.

local consul = require("consul_ffi")
local nginx = require("consul_ffi.host.nginx")
local nginx_shared = require("consul_ffi.host.nginx_shared")

local shared = {}

local client = assert(consul.connect())
local keys

function shared.start()
    local host = assert(nginx.new())
    keys = assert(nginx_shared.new(host, client:on(host.queue), {
        dict = ngx.shared.consul,
        name = "keys",
        watch = { prefix = "shared/" },
    }))
end

-- What this worker sees: its process, whether it watches, the state, and the first value.
function shared.seen()
    local list, state = keys:list()
    ngx.say(
        ngx.worker.pid(), " ", tostring(keys:is_watching()), " ", state, " ",
        list and list[1] and list[1].value or "none"
    )
end

return shared
