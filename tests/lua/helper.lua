--- What several specs need: other processes, scratch folders, small C libraries.

local ffi = require("ffi")

local helper = {}

--- How long something that must happen may take on a busy machine.
helper.PATIENCE_MS = 30000

helper.root = debug.getinfo(1, "S").source:match("^@(.*)tests/lua/helper%.lua$")
if helper.root == "" then
    helper.root = "./"
end

--- A text as one word of a shell command.
function helper.quote(text)
    return "'" .. text:gsub("'", "'\\''") .. "'"
end

--- Runs a shell command; returns what it wrote and its exit status.
function helper.shell(command)
    local pipe = assert(io.popen("{ " .. command .. "\n} 2>&1; echo \"status=$?\""))
    local output = pipe:read("*a")
    pipe:close()
    local text, status = output:match("^(.*)status=(%d+)\n$")
    return text, tonumber(status)
end

--- Runs a shell command that must succeed.
function helper.must(command)
    local output, status = helper.shell(command)
    assert(status == 0, output)
    return output
end

function helper.write(path, text)
    local file = assert(io.open(path, "w"))
    file:write(text)
    file:close()
end

--- A new empty folder, its path with a slash at the end.
function helper.folder()
    return helper.must("mktemp -d"):gsub("\n$", "") .. "/"
end

function helper.remove(folder)
    helper.must("rm -r " .. helper.quote(folder))
end

--- Runs a Lua program in a process of its own; returns what it wrote and its exit status.
--- `variables` is what stands before the command, such as "LUA_CPATH='?.so'".
function helper.luajit(program, variables, folder)
    local file = os.tmpname()
    helper.write(file, program)
    local output, status = helper.shell(
        ("cd %s && %s luajit %s"):format(helper.quote(folder or "."), variables or "", file)
    )
    os.remove(file)
    return output, status
end

--- Builds a library that has nothing but this ABI version.
function helper.fake_library(path, major, minor)
    local source = ("unsigned consul_abi_version(void) { return %du << 16 | %du; }\n"):format(major, minor)
    helper.must(("printf %%s %s | cc -shared -fPIC -x c - -o %s"):format(helper.quote(source), helper.quote(path)))
end

--- A key prefix that no other test uses, with a slash at its end.
local prefixes = 0
function helper.prefix()
    prefixes = prefixes + 1
    return ("lua-%d-%d/"):format(os.time(), prefixes)
end

ffi.cdef([[
    typedef struct { long seconds, nanoseconds; } helper_time;
    int helper_clock(int clock, helper_time *now) __asm__("clock_gettime");
]])

--- The time in ms, by a clock that all processes share and nobody sets.
function helper.milliseconds()
    local CLOCK_MONOTONIC = 1
    local now = ffi.new("helper_time[1]")
    assert(ffi.C.helper_clock(CLOCK_MONOTONIC, now) == 0)
    return tonumber(now[0].seconds) * 1000 + math.floor(tonumber(now[0].nanoseconds) / 1000000)
end

--- Waits in vain for what others hold, and longer where Consul takes longer to say so.
function helper.acquire_in_vain(contender)
    local ms = 20
    while true do
        local ok, err = contender:acquire(ms)
        if ok or err.code ~= require("consul_ffi").ERR_TIMEOUT or ms > 10000 then
            return ok, err
        end
        ms = ms * 2
    end
end

--- What this count comes down to once the collector and the threads that close forgotten clients have
--- had their chance.
local function settled(count)
    local pause = require("consul_ffi.pause")
    local left
    for _ = 1, 1000 do
        collectgarbage()
        collectgarbage()
        left = count()
        if left == 0 then
            break
        end
        pause(10)
    end
    return left
end

--- Objects that were not freed.
function helper.live_handles()
    return settled(require("consul_ffi").live_handles)
end

--- Threads of the library that did not end: a client that was freed amid what it gives back has one.
function helper.threads()
    return settled(require("consul_ffi").threads)
end

--- Every Lua file of the library, as a table of texts by their paths.
function helper.sources()
    local sources = {}
    for path in helper.must(("find %slua -name '*.lua'"):format(helper.root)):gmatch("[^\n]+") do
        local file = assert(io.open(path))
        sources[path] = file:read("*a")
        file:close()
    end
    return sources
end

return helper
