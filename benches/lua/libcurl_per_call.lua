--- A handle and a callback for each call, as the original module had it. That never freed its
--- callbacks, and died of it after a thousand calls; here they are freed.

local ffi = require("ffi")
local curl = require("curl")

local function exchange(target, value)
    local pieces = {}
    local callback = ffi.cast("curl_write", function(data, size, items)
        pieces[#pieces + 1] = ffi.string(data, size * items)
        return size * items
    end)
    local handle = curl.open(callback)
    if value then
        curl.body(handle, value)
    end
    curl.perform(handle, curl.base .. target)
    curl.close(handle)
    callback:free()
    return table.concat(pieces)
end

return function()
    return {
        get = function(key)
            return (curl.decoded(exchange(key)))
        end,
        list = function(prefix)
            return curl.decoded(exchange(prefix .. "?recurse"))
        end,
        put = function(key, value)
            assert(exchange(key, value):match("^true"))
        end,
    }
end
