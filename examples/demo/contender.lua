--- The second process of the demo's lock: contender.lua KEY GO.

local consul = require("consul_ffi")
local contend = require("contend")

local function at_once(...)
    return ...
end

io.stdout:setvbuf("line")
local client = assert(consul.connect())
contend(client, arg[1], arg[2], at_once, print)
client:close()
