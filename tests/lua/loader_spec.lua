--- Where the library is looked for, and that it stays. What is loaded is a library of a few lines
--- that has an ABI version and nothing else.

local helper = require("helper")
local declarations = require("consul_ffi.cdef").declarations
local search = require("consul_ffi.search")

local MAJOR = tonumber(declarations:match("CONSUL_ABI_MAJOR = (%d+)"))
local MINOR = tonumber(declarations:match("CONSUL_ABI_MINOR = (%d+)"))
local PRINT_VERSION = [[
local ok, library = pcall(require, "consul_ffi.loader")
print(ok and "loaded " .. library.consul_abi_version() or library)
]]
local LOADED = "loaded " .. MAJOR * 65536 + MINOR .. "\n"
local NO_VARIABLES = "env -u CONSUL_FFI_LIBRARY -u CARGO_TARGET_DIR -u LUA_CPATH "

describe("the loader", function()
    local folder, modules

    --- Runs a program that finds the modules in `modules`.
    local function run(program, variables)
        local path = ("LUA_PATH=%s "):format(helper.quote(modules .. "?.lua"))
        return helper.luajit(program, NO_VARIABLES .. path .. (variables or ""), folder)
    end

    before_each(function()
        folder = helper.folder()
        modules = folder .. "modules/"
        helper.must(("mkdir %s && cp -r %slua/consul_ffi %s"):format(modules, helper.root, modules))
    end)

    after_each(function()
        helper.remove(folder)
    end)

    it("takes the path in CONSUL_FFI_LIBRARY", function()
        helper.fake_library(folder .. "own name", MAJOR, MINOR)
        assert.equal(LOADED, run(PRINT_VERSION, "CONSUL_FFI_LIBRARY='./own name'"))
    end)

    it("takes the path that the program set, before the variable", function()
        helper.fake_library(folder .. "own.so", MAJOR, MINOR)
        local program = ('package.loaded["consul_ffi.library"] = %q\n'):format(folder .. "own.so")
        assert.equal(LOADED, run(program .. PRINT_VERSION, "CONSUL_FFI_LIBRARY=/not/there"))
    end)

    it("tries nothing else when a path is given", function()
        helper.fake_library(modules .. "libconsul_ffi.so", MAJOR, MINOR)
        local output = run(PRINT_VERSION, "CONSUL_FFI_LIBRARY=/not/there.so")
        assert.matches("could not be loaded; tried\n  /not/there.so: .*No such file", output)
    end)

    it("finds it in the folder of the Lua module", function()
        helper.fake_library(modules .. "libconsul_ffi.so.1", MAJOR, MINOR)
        assert.equal(LOADED, run(PRINT_VERSION))
    end)

    it("finds it in the prefix that the module is installed in", function()
        local installed = folder .. "prefix/share/lua/5.1/"
        helper.must(("mkdir -p %s %sprefix/lib64 && cp -r %sconsul_ffi %s"):format(
            installed, folder, modules, installed))
        helper.fake_library(folder .. "prefix/lib64/libconsul_ffi.so.1", MAJOR, MINOR)
        modules = installed
        assert.equal(LOADED, run(PRINT_VERSION))
    end)

    it("finds it in package.cpath, also by an entry without a slash", function()
        helper.fake_library(folder .. "libconsul_ffi.so", MAJOR, MINOR)
        assert.equal(LOADED, run(PRINT_VERSION, "LUA_CPATH='?.so'"))
        helper.must("mkdir " .. folder .. "native && mv " .. folder .. "libconsul_ffi.so " .. folder .. "native")
        assert.equal(LOADED, run(PRINT_VERSION, "LUA_CPATH='/not/there.so;native/?.so'"))
        helper.must("cd " .. folder .. "native && mv libconsul_ffi.so consul_ffi.so")
        assert.equal(LOADED, run(PRINT_VERSION, "LUA_CPATH='native/?.so'"))
    end)

    it("finds it by the system's loader", function()
        helper.fake_library(folder .. "libconsul_ffi.so.1", MAJOR, MINOR)
        assert.equal(LOADED, run(PRINT_VERSION, "LUA_CPATH= LD_LIBRARY_PATH=" .. folder))
    end)

    it("lists every path it tried with its reason", function()
        helper.write(modules .. "libconsul_ffi.so", "no library")
        local output = run(PRINT_VERSION, "LUA_CPATH='?.so;./native/?.so'")
        local expected = {
            modules .. "libconsul_ffi.so.1: ", modules .. "libconsul_ffi.so: ", "file too short",
            "./libconsul_ffi.so: ", "./consul_ffi.so: ", "./native/libconsul_ffi.so: ", "./native/consul_ffi.so: ",
            "  libconsul_ffi.so.1: ", "  libconsul_ffi.so: ", "No such file",
        }
        for _, part in ipairs(expected) do
            assert.truthy(output:find(part, 1, true), part .. " in\n" .. output)
        end
    end)

    it("refuses a library of another major or a smaller minor version", function()
        local place = modules .. "libconsul_ffi.so"
        local needed = (", this module needs %d.%d"):format(MAJOR, MINOR)
        for _, major in ipairs({ MAJOR - 1, MAJOR + 1 }) do
            helper.fake_library(place, major, MINOR + 1)
            local output = run(PRINT_VERSION)
            assert.truthy(output:find(("has ABI %d.%d"):format(major, MINOR + 1) .. needed, 1, true), output)
        end
        helper.must(("sed -i 's/CONSUL_ABI_MINOR = %d;/CONSUL_ABI_MINOR = 7;/' %sconsul_ffi/cdef.lua"):format(
            MINOR, modules))
        helper.fake_library(place, MAJOR, 6)
        assert.matches("has ABI %d+.6, this module needs %d+.7", (run(PRINT_VERSION)))
        helper.fake_library(place, MAJOR, 8)
        assert.equal(("loaded %d\n"):format(MAJOR * 65536 + 8), run(PRINT_VERSION))
    end)

    it("refuses a file that is no libconsul_ffi", function()
        helper.must(("printf '' | cc -shared -x c - -o %s"):format(modules .. "libconsul_ffi.so"))
        assert.matches("is no libconsul_ffi", (run(PRINT_VERSION)))
    end)

    it("can be required and unloaded 10,000 times, and keeps the library", function()
        helper.fake_library(modules .. "libconsul_ffi.so", MAJOR, MINOR)
        local output, status = run([[
            local version = require("consul_ffi.loader").consul_abi_version
            for _ = 1, 10000 do
                for name in pairs(package.loaded) do
                    if name:find("^consul_ffi") then package.loaded[name] = nil end
                end
                require("consul_ffi.loader")
            end
            for name in pairs(package.loaded) do
                if name:find("^consul_ffi") then package.loaded[name] = nil end
            end
            collectgarbage()
            collectgarbage()
            local maps = io.open("/proc/self/maps"):read("*a")
            print(version(), maps:find("libconsul_ffi.so", 1, true) ~= nil)]])
        assert.equal(0, status, output)
        assert.equal(("%d\ttrue\n"):format(MAJOR * 65536 + MINOR), output)
    end)

    it("says so when an older module has declared its types in this Lua state", function()
        helper.fake_library(modules .. "libconsul_ffi.so", MAJOR, MINOR + 9)
        local output = run([[
            require("consul_ffi.loader")
            for name in pairs(package.loaded) do
                if name:find("^consul_ffi") then package.loaded[name] = nil end
            end
            package.preload["consul_ffi.cdef"] = function()
                return { declarations = "static const int32_t CONSUL_ABI_MAJOR = 1;\n"
                    .. "static const int32_t CONSUL_ABI_MINOR = 999;\n" }
            end
            print(pcall(require, "consul_ffi.loader"))]])
        assert.matches("already has the C declarations of ABI 1%.%d+, and this module needs 1%.999", output)
    end)

    it("says so when something else has declared types of the same names", function()
        helper.fake_library(modules .. "libconsul_ffi.so", MAJOR, MINOR)
        local output = run('require("ffi").cdef("typedef struct consul_error { int x; } consul_error;")\n' .. PRINT_VERSION)
        assert.matches("clash with others.*redefine 'consul_error'", output)
        output = run('require("ffi").cdef("typedef struct consul_async { int x; } consul_async;")\n' .. PRINT_VERSION)
        assert.matches("ABI of another kind", output)
    end)
end)

describe("the search", function()
    local function has(places, wanted)
        for _, place in ipairs(places) do
            if place == wanted then
                return true
            end
        end
        return false
    end

    it("looks into the build folders of a source tree only", function()
        local target = os.getenv("CARGO_TARGET_DIR") or helper.root .. "target"
        local built = target .. "/release/libconsul_ffi.so"
        assert.is_true(has(search.places(nil, helper.root .. "lua/", ""), built))
        assert.is_false(has(search.places(nil, helper.root .. "tests/", ""), built))
        assert.is_false(has(search.places(nil, "/usr/share/lua/", ""), "/usr/share/target/release/libconsul_ffi.so"))
    end)
end)
