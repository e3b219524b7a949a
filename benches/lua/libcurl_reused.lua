--- One handle and one callback for all calls.

local ffi = require("ffi")
local curl = require("curl")

return function()
    local pieces, count = {}, 0
    local callback = ffi.cast("curl_write", function(data, size, items)
        count = count + 1
        pieces[count] = ffi.string(data, size * items)
        return size * items
    end)
    local handle = curl.open(callback)
    local putting = false

    local function exchange(target)
        count = 0
        curl.perform(handle, curl.base .. target)
        return table.concat(pieces, "", 1, count)
    end
    return {
        get = function(key)
            return (curl.decoded(exchange(key)))
        end,
        list = function(prefix)
            return curl.decoded(exchange(prefix .. "?recurse"))
        end,
        put = function(key, value)
            if not putting then
                curl.body(handle, value)
                putting = true
            end
            assert(exchange(key):match("^true"))
        end,
    }
end
