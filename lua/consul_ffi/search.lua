--- Where the native library may lie, in the order in which the places are tried.
---
--- 1. What the program says: package.loaded["consul_ffi.library"], a path set before the module is
---    required (nginx clears the environment), or the variable CONSUL_FFI_LIBRARY. Nothing else is
---    tried then.
--- 2. The folder of the Lua module.
--- 3. The build folders of the source tree that the module lies in.
--- 4. The library folders of the prefix that the module is installed in.
--- 5. Every entry of package.cpath.
--- 6. The system's loader (LD_LIBRARY_PATH, /etc/ld.so.conf).

local search = {}

local NAMES = { "libconsul_ffi.so.1", "libconsul_ffi.so" }

local function append(places, folder)
    for _, name in ipairs(NAMES) do
        places[#places + 1] = folder .. name
    end
end

local function exists(path)
    local file = io.open(path, "r")
    if file then
        file:close()
    end
    return file ~= nil
end

--- `folder` ends with a slash. A source tree keeps this module in `lua/`, beside `Cargo.toml`.
local function append_builds(places, folder)
    local root = ("/" .. folder):match("^/(.*/)lua/$") or (folder == "lua/" and "./")
    if not root or not exists(root .. "Cargo.toml") then
        return
    end
    local target = os.getenv("CARGO_TARGET_DIR") or root .. "target"
    places[#places + 1] = target .. "/release/libconsul_ffi.so"
    places[#places + 1] = target .. "/debug/libconsul_ffi.so"
end

--- What was unpacked or installed where the system's loader does not look: many systems leave out
--- even /usr/local/lib.
local function append_prefix(places, folder)
    local prefix = folder:match("^(.*/)share/lua/5%.1/$")
    if prefix then
        append(places, prefix .. "lib/")
        append(places, prefix .. "lib64/")
    end
end

--- An entry without a slash means the current folder to Lua and a search of the system's folders to
--- the loader, so it gets one.
local function append_cpath(places, cpath)
    for entry in cpath:gmatch("[^;]+") do
        if entry:find("?", 1, true) then
            if not entry:find("/", 1, true) then
                entry = "./" .. entry
            end
            for _, name in ipairs({ "libconsul_ffi", "consul_ffi" }) do
                places[#places + 1] = (entry:gsub("%?", name))
            end
        end
    end
end

--- The places to try. `folder` is where `consul_ffi.lua` lies, with a slash at its end.
function search.places(explicit, folder, cpath)
    if explicit then
        return { explicit }
    end
    local places = {}
    append(places, folder)
    append_builds(places, folder)
    append_prefix(places, folder)
    append_cpath(places, cpath)
    append(places, "")
    return places
end

return search
