--- The time in ms, for measuring how long something took.

local ffi = require("ffi")

local NAME = "int consul_ffi_clock(int, long *) __asm__(\"clock_gettime\");"

if not pcall(function() return ffi.C.consul_ffi_clock end) then
    ffi.cdef(NAME)
end

local REALTIME = 0
local time_box = ffi.typeof("long[2]")

return function()
    local time = time_box()
    ffi.C.consul_ffi_clock(REALTIME, time)
    return tonumber(time[0]) * 1000 + tonumber(time[1]) / 1e6
end
