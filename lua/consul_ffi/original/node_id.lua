--- An id for a node that was given none: of the time and the process, so that no other one has it.

local ffi = require("ffi")

local NAME = "int consul_ffi_getpid(void) __asm__(\"getpid\");"

if not pcall(function() return ffi.C.consul_ffi_getpid end) then
    ffi.cdef(NAME)
end

local made = 0

return function()
    made = made + 1
    return ("node-%d-%d-%d"):format(os.time(), ffi.C.consul_ffi_getpid(), made)
end
