-- Follows a key by blocking queries: each one is answered when something changes, or when its wait
-- is over. Ends when the key's value is "stop".

local consul = require("consul_ffi")
local ffi = require("ffi")

ffi.cdef("int poll(void *, unsigned long, int);")
local function pause(milliseconds)
    ffi.C.poll(nil, 0, milliseconds)
end

local client = assert(consul.connect())
local key = "app/limit"
local index, shown = 0, nil

repeat
    -- 0 is answered at once. The call's timeout grows with the wait by itself.
    local value, meta = client.kv:get(key, { index = index, wait_ms = 30000 })
    local missing = value == nil and meta.code == consul.NOT_FOUND
    if value or missing then
        -- An index that went back tells of a Consul that was restored: begin anew.
        local news = missing and meta.meta.index or meta.index
        index = news < index and 0 or news

        -- A query can be answered although this key is as it was.
        local version = missing and "none" or consul.decimal(meta.modify_index)
        if version ~= shown then
            shown = version
            print(missing and key .. " does not exist" or key .. " = " .. value)
            io.stdout:flush()
        end
    else
        io.stderr:write(tostring(meta), "\n")
        if not meta.retryable then
            os.exit(1)
        end
        pause(1000)
    end
until value == "stop"
client:close()
