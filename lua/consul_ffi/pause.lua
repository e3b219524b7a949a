--- Waits without a network, a socket library or a struct of the system's.

local ffi = require("ffi")

local NAME = "int consul_ffi_poll(void *, unsigned long, int) __asm__(\"poll\");"

if not pcall(function() return ffi.C.consul_ffi_poll end) then
    ffi.cdef(NAME)
end

--- Blocks for so many milliseconds.
return function(milliseconds)
    ffi.C.consul_ffi_poll(nil, 0, milliseconds)
end
