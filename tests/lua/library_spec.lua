--- What a native library behind LuaJIT must not do: call back, crash at the end, leak, be collected.

local helper = require("helper")
local declarations = require("consul_ffi.cdef").declarations

local with_consul = os.getenv("CONSUL_HTTP_ADDR") and it or pending

describe("the library under LuaJIT", function()
    it("is never given a function to call", function()
        assert.is_nil(declarations:find("(*", 1, true))
        for path, text in pairs(helper.sources()) do
            assert.is_nil(text:find("%(%s*%*%s*[%w_]*%s*%)"), path .. " has a C function type")
        end
    end)

    it("binds every function that the header declares", function()
        local C = require("consul_ffi.loader")
        local count = 0
        for name in declarations:gmatch("[ %*](consul_[%w_]+)%(") do
            assert.equal("cdata", type(C[name]), name)
            count = count + 1
        end
        assert.is_true(count > 50)
    end)

    it("stays when everything that knows it is gone", function()
        local output, status = helper.luajit([[
            local client = require("consul_ffi").connect({ address = "http://127.0.0.1:1" })
            for name in pairs(package.loaded) do package.loaded[name] = nil end
            collectgarbage()
            collectgarbage()
            local value, err = client.kv:get("a")
            print(value, err.name)]])
        assert.equal("nil\tERR_CONNECT\n", output)
        assert.equal(0, status)
    end)

    it("can be required and unloaded 1,000 times", function()
        -- Interpreted: what the compiler keeps of 1,000 copies, 1.0 to 1.2 MB, is not the library's.
        local output, status = helper.luajit([[
            jit.off()
            local before
            for round = 1, 1000 do
                for name in pairs(package.loaded) do
                    if name:find("^consul_ffi") then package.loaded[name] = nil end
                end
                local consul = require("consul_ffi")
                local client = assert(consul.connect({ address = "http://127.0.0.1:1" }))
                client:close()
                if round == 100 then collectgarbage() before = collectgarbage("count") end
            end
            collectgarbage()
            collectgarbage()
            print(require("consul_ffi").live_handles(), collectgarbage("count") - before < 64)]])
        assert.equal("0\ttrue\n", output)
        assert.equal(0, status)
    end)

    it("ends with its process in any order of finalizers", function()
        local program = [[
            local ffi = require("ffi")
            local consul = require("consul_ffi")
            local C = require("consul_ffi.loader")
            local new = {
                function() return consul.connect({ address = "http://127.0.0.1:1" }) end,
                function()
                    local out = ffi.new("consul_options *[1]")
                    C.consul_options_new(out)
                    return ffi.gc(out[0], C.consul_options_free)
                end,
                function()
                    local out = ffi.new("consul_config *[1]")
                    C.consul_config_new(out)
                    return ffi.gc(out[0], C.consul_config_free)
                end,
                function()
                    local out = ffi.new("consul_txn *[1]")
                    C.consul_txn_new(out)
                    return ffi.gc(out[0], C.consul_txn_free)
                end,
                function()
                    local out = ffi.new("consul_session_spec *[1]")
                    C.consul_session_spec_new(out)
                    return ffi.gc(out[0], C.consul_session_spec_free)
                end,
            }
            math.randomseed(SEED)
            kept = {}
            for position = 1, 50 do kept[position] = new[math.random(#new)]() end
            for _ = 1, 10 do kept[math.random(#kept)] = nil end
            collectgarbage()]]
        for seed = 1, 20 do
            local output, status = helper.luajit((program:gsub("SEED", seed)))
            assert.equal("", output)
            assert.equal(0, status)
        end
    end)

    it("takes a free of anything, in any order, any number of times", function()
        local ffi = require("ffi")
        local C = require("consul_ffi.loader")
        local client = require("consul_ffi").connect({ address = "http://127.0.0.1:1" })
        local options = ffi.new("consul_options *[1]")
        C.consul_options_new(options)
        C.consul_client_free(client.handle)
        C.consul_client_free(client.handle)
        C.consul_options_free(options[0])
        C.consul_options_free(options[0])
        C.consul_options_free(nil)
        C.consul_client_free(ffi.cast("consul_client *", 0x7fffffffffff))
        local _, err = client.kv:get("a")
        assert.equal("ERR_HANDLE", err.name)
        client, options = nil, nil
        assert.equal(0, helper.live_handles())
    end)

    with_consul("gives back what a program holds when its Lua state ends, however that comes", function()
        local holds = [[
            local consul = require("consul_ffi")
            LOCAL client = assert(consul.connect())
            LOCAL lock = assert(client:lock("KEY"))
            assert(lock:acquire(30000))
            LOCAL session = assert(client.session:start())
            LOCAL service = assert(client:service({ name = "lua-end", id = "KEY" }))
            assert(service:start())
            LOCAL queue = consul.queue()
            LOCAL watch = client:on(queue):watch({ key = "KEY" })
            LOCAL election = client:election({ key = "KEY-leader" })
            assert(election:wait_elected(30000))
            print(lock:session_id(), session:id(), election:session_id())
        ]]
        local client = assert(require("consul_ffi").connect())
        -- What only the failed function knew is collected before the state ends.
        local ends = { "", "error('out of luck')", "os.exit(3, true)" }
        for number = 1, 2 * #ends do
            local finish, scope = ends[math.ceil(number / 2)], number % 2 == 0 and "local" or ""
            local key = helper.prefix() .. "end" .. number
            local output = helper.luajit(((holds .. finish):gsub("KEY", key):gsub("LOCAL", scope)))
            local ids = { output:match("(%x+%-[%x-]+)\t(%S+)\t(%S+)\n") }
            assert.equal(3, #ids, output)
            for _, id in ipairs(ids) do
                local _, err = client.session:info(id, { consistency = "consistent" })
                assert.equal("NOT_FOUND", err and err.name)
            end
            assert.is_nil(select(2, assert(client.kv:get(key))).session)
            assert.is_nil(assert(client.agent:services())[key])
        end
        client:close()
    end)

    with_consul("gives back what a forgotten client holds, without its collector waiting for it", function()
        local output = helper.luajit((([[
            local consul = require("consul_ffi")
            local pause = require("consul_ffi.pause")
            local function forgotten(key)
                local client = assert(consul.connect())
                local lock = assert(client:lock(key))
                assert(lock:acquire(30000))
                return lock:session_id()
            end
            local client = assert(consul.connect())
            for i = 1, 3 do
                local key = "KEY" .. i
                local session = forgotten(key)
                collectgarbage()
                collectgarbage()
                repeat
                    local _, meta = assert(client.kv:get(key))
                    pause(meta.session and 10 or 0)
                until not meta.session
                repeat
                    local found = client.session:info(session, { consistency = "consistent" })
                    pause(found and 10 or 0)
                until not found
            end
            print("given back")
        ]]):gsub("KEY", helper.prefix() .. "forgotten")))
        assert.equal("given back\n", output)
    end)

    with_consul("keeps its memory over 200,000 reads", function()
        local output, status = helper.luajit([[
            local consul = require("consul_ffi")
            local client = assert(consul.connect())
            local function resident()
                collectgarbage()
                collectgarbage()
                local file = io.open("/proc/self/statm")
                local pages = file:read("*a"):match("^%d+ (%d+)")
                file:close()
                return tonumber(pages) * 4096
            end
            local key = "memory/" .. os.time()
            assert(client.kv:put(key, ("x"):rep(500)))
            local function read(count)
                for _ = 1, count do assert(client.kv:get(key)) end
            end
            read(20000)
            local before = resident()
            read(200000)
            local grown = resident() - before
            print(jit.status(), math.abs(grown) < 5e6 or grown)
            client.kv:delete(key)
            client:close()
            collectgarbage()
            print(consul.live_handles())]])
        assert.matches("^true.*\ttrue\n0\n$", output)
        assert.equal(0, status)
    end)
end)
