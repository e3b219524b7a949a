--- This library through its LuaJIT module. The threads' clients share the connections of their process,
--- of which there may be as many as the peers have, one for each.

local consul = require("consul_ffi")

return function()
    local client = assert(consul.connect({ max_connections = 32 }))
    local kv = client.kv
    local queue = assert(consul.queue())
    local later = client:on(queue).kv
    return {
        get = function(key)
            return #assert(kv:get(key))
        end,
        list = function(prefix)
            local bytes, pairs = 0, assert(kv:list(prefix))
            for index = 1, #pairs do
                bytes = bytes + #pairs[index].value
            end
            return bytes, #pairs
        end,
        put = function(key, value)
            assert(kv:put(key, value))
        end,
        begin = function(key)
            assert(later:get(key))
        end,
        take = function()
            local _, value = assert(queue:next(10000))
            return #value
        end,
    }
end
