-- What the parts of Lua take for granted.
local consul = require("consul_ffi")
local client = assert(consul.connect())
local queue = assert(consul.queue())
local election = assert(client:election({ key = "app/leader", observe_only = true }))
local key = ("A"):rep(43) .. "="
local function nothing() end
local use, default, complain, again, import, log, work =
    nothing, nothing, nothing, nothing, nothing, nothing, nothing
