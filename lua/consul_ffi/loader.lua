--- Finds the native library, checks that its version fits, and keeps it loaded. Returns the
--- library: `C.consul_version()`.

local ffi = require("ffi")
local cdef = require("consul_ffi.cdef")
local search = require("consul_ffi.search")

local MAJOR = tonumber(cdef.declarations:match("CONSUL_ABI_MAJOR = (%d+)"))
local MINOR = tonumber(cdef.declarations:match("CONSUL_ABI_MINOR = (%d+)"))

--- What outlives package.loaded: a metatable of a C type stays as long as the Lua state.
local ANCHOR = "consul_ffi_anchor"

--- The anchor of an earlier load in this Lua state, or nil.
local function find_anchor()
    local known, anchor = pcall(ffi.new, ANCHOR)
    return known and anchor or nil
end

local function drop_anchor(library)
    ffi.cdef("typedef struct { char unused; } " .. ANCHOR .. ";")
    ffi.metatype(ANCHOR, { __index = { library = library } })
end

--- C declarations last as long as the Lua state, so they are made once.
local function declare()
    local ok, problem = pcall(ffi.cdef, cdef.declarations)
    if not ok then
        error(
            "consul_ffi: its C declarations clash with others that were made earlier in this Lua state: "
                .. problem,
            0
        )
    end
end

local function is_declared()
    return pcall(ffi.typeof, "consul_async")
end

--- An older module may have been loaded in this state before: its declarations lack what this one
--- needs, and cannot be replaced.
local function check_declarations()
    local known, major, minor = pcall(function()
        return ffi.C.CONSUL_ABI_MAJOR, ffi.C.CONSUL_ABI_MINOR
    end)
    if known and major == MAJOR and minor >= MINOR then
        return
    end
    error(
        ("consul_ffi: this Lua state already has the C declarations of ABI %s, and this module needs %d.%d: "
            .. "load one version of consul_ffi in a Lua state only"):format(
            known and major .. "." .. minor or "of another kind",
            MAJOR,
            MINOR
        ),
        0
    )
end

--- nil when the library's ABI version fits, else what is wrong.
local function misfit(library)
    local known, version = pcall(function()
        return library.consul_abi_version()
    end)
    if not known then
        return "is no libconsul_ffi: " .. version
    end
    local major, minor = math.floor(version / 0x10000), version % 0x10000
    if major == MAJOR and minor >= MINOR then
        return nil
    end
    return ("has ABI %d.%d, this module needs %d.%d or a later %d.x"):format(major, minor, MAJOR, MINOR, MAJOR)
end

--- The system's loader begins its messages with the path.
local function reason(place, problem)
    if problem:sub(1, #place) == place then
        return problem
    end
    return place .. ": " .. problem
end

local function folder()
    return debug.getinfo(1, "S").source:match("^@(.*)consul_ffi[/\\]loader%.lua$") or "./"
end

local function load_library()
    local explicit = package.loaded["consul_ffi.library"] or os.getenv("CONSUL_FFI_LIBRARY")
    local tried = {}
    for _, place in ipairs(search.places(explicit, folder(), package.cpath)) do
        local loaded, library = pcall(ffi.load, place)
        local problem = loaded and misfit(library) or not loaded and library
        if not problem then
            return library
        end
        tried[#tried + 1] = "\n  " .. reason(place, problem)
    end
    error("consul_ffi: the library could not be loaded; tried" .. table.concat(tried), 0)
end

local function load()
    if is_declared() then
        check_declarations()
    else
        declare()
    end
    local anchor = find_anchor()
    if anchor then
        return anchor.library
    end
    local library = load_library()
    drop_anchor(library)
    return library
end

return load()
