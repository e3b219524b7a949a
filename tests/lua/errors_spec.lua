local ffi = require("ffi")
local consul = require("consul_ffi")
local C = require("consul_ffi.loader")
local helper = require("helper")

--- Nothing listens there, and nothing ever will: port 1.
local NOWHERE = "http://127.0.0.1:1"

describe("an error", function()
    local client

    before_each(function()
        client = assert(consul.connect({ address = NOWHERE, environment = false }))
    end)

    after_each(function()
        client:close()
        client = nil
        assert.equal(0, helper.live_handles())
    end)

    it("has everything a program decides by", function()
        local ok, err = client.kv:put("a", "b")
        assert.is_nil(ok)
        assert.equal(consul.ERR_CONNECT, err.code)
        assert.equal("ERR_CONNECT", err.name)
        assert.equal(0, err.http_status)
        assert.is_true(err.retryable)
        assert.is_false(err.outcome_unknown)
        assert.equal(NOWHERE, err.endpoint)
        assert.matches("/v1/kv/a", err.message, 1, true)
        assert.equal("ERR_CONNECT: " .. err.message, tostring(err))
        assert.equal("why: ERR_CONNECT: " .. err.message, "why: " .. err)
    end)

    it("says what an honest no is about, also when it comes from a queue", function()
        local embedded = assert(consul.connect({ address = "embedded:", environment = false }))
        local queue = assert(consul.queue())
        local later = embedded:on(queue)
        local value, err = embedded.kv:get("app/limit")
        assert.is_nil(value)
        assert.equal('NOT_FOUND: key "app/limit": What was asked for does not exist.', tostring(err))
        assert(later.kv:get("app/limit"))
        local _, nothing, later_err = queue:next(30000)
        assert.is_nil(nothing)
        assert.equal(err.message, later_err.message)
        assert(embedded.kv:put("app/limit", "5"))
        assert.matches('^key "app/limit": ', select(2, embedded.kv:cas("app/limit", "6", 0)).message)
        assert.matches('^id "none": ', select(2, embedded.agent:check_pass("none")).message)
        queue:close()
        embedded:close()
        embedded, queue, later = nil, nil, nil
    end)

    it("comes from a closed client too", function()
        client:close()
        client:close()
        local value, err = client.kv:get("a")
        assert.is_nil(value)
        assert.equal(consul.ERR_CLOSED, err.code)
        assert.equal(consul.ERR_CLOSED, select(2, client:set_token("a")).code)
        assert.equal(consul.ERR_CLOSED, select(2, client:reload({})).code)
        assert.is_nil(client:endpoint())
    end)

    it("is raised for a mistake in the program, at the line that made it", function()
        local here = "errors_spec.lua:" .. debug.getinfo(1, "l").currentline
        local mistakes = {
            { "key must be a string, not nothing", function() client.kv:get() end },
            { "key must be a string, not a number", function() client.kv:get(5) end },
            { "value must be a string, not a table", function() client.kv:put("a", {}) end },
            { "modify_index must be a whole number", function() client.kv:cas("a", "b", 1.5) end },
            { "modify_index is above 2^53", function() client.kv:cas("a", "b", 2 ^ 54) end },
            { "flags must be a whole number from 0, not -1", function() client.kv:put("a", "b", { flags = -1 }) end },
            { "options must be a table, not a string", function() client.kv:get("a", "consistent") end },
            { 'unknown option "consistancy"; allowed are cached, consistency,', function() client.kv:get("a", { consistancy = "x" }) end },
            { "called with a colon", function() client.kv.get("a") end },
            { "session must be an id or a session object", function() client.kv:acquire("a", "b") end },
            { 'unknown session field "tll_ms"; allowed are behavior,', function() client.session:create({ tll_ms = 1 }) end },
            { 'behavior must be "release" or "delete"', function() client.session:create({ behavior = "x" }) end },
            { "node_checks[2] must be a string", function() client.session:create({ node_checks = { "a", 2 } }) end },
            { "value must be a string", function() client:txn():set("a") end },
            { "body: JSON cannot hold a function (at .f)", function() client:request("PUT", "/v1/x", { f = print }) end },
            { "settings must be a table", function() consul.connect("http://a") end },
            { "setting timeout_ms must be a string, a whole number, a boolean or a list of strings, not 1.5", function() consul.connect({ timeout_ms = 1.5 }) end },
            { "setting address is an empty list: leave it out", function() consul.connect({ address = {} }) end },
            { "setting address[2] must be a string, not a number", function() consul.connect({ address = { "a", 5 } }) end },
            { "setting address[1] has a comma", function() consul.connect({ address = { "a,b" } }) end },
        }
        local line = tonumber(here:match("%d+$"))
        for number, mistake in ipairs(mistakes) do
            local ok, message = pcall(mistake[2])
            assert.is_false(ok)
            local place = ("errors_spec.lua:%d: consul_ffi: "):format(line + 1 + number)
            assert.truthy(message:find(place, 1, true), message)
            assert.truthy(message:find(mistake[1], 1, true), message)
        end
    end)

    it("is none for a list of addresses", function()
        local client = assert(consul.connect({
            address = { "http://127.0.0.1:1", "http://127.0.0.1:2" }, environment = false,
        }))
        local first, second = unpack(client:endpoints())
        assert.same({ "http://127.0.0.1:1", "http://127.0.0.1:2" }, { first.address, second.address })
        client:close()
    end)

    it("of a setting says what is allowed", function()
        local refused = {
            [{ adress = "x" }] = 'unknown setting "adress"; there are address,',
            [{ timeout_ms = 0 }] = "timeout_ms: \"0\" is not allowed, it takes a whole number from 1",
            [{ tls_verify = "maybe" }] = "true or false",
            [{ address = "ftp://x" }] = "unknown scheme",
            [{ tls_enabled = true, tls_ca_file = "/not/there.pem" }] = "/not/there.pem",
            [{ token = "a\0b" }] = "token has a NUL",
        }
        for settings, expected in pairs(refused) do
            local none, err = consul.connect(settings)
            assert.is_true(none == nil, expected)
            assert.truthy(err.message:find(expected, 1, true), err.message)
        end
    end)

    it("shows no token", function()
        local secret = "0b6e9a0f-secret"
        local other = assert(consul.connect({ address = NOWHERE, token = secret }))
        local _, err = other.kv:get("a", { token = secret .. "-2" })
        assert.is_nil(tostring(err):find("secret", 1, true))
        other:close()
    end)

    it("is the call's own, although finalizers fail while it is read", function()
        local failures = 0
        local function leave_garbage()
            local garbage = newproxy(true)
            getmetatable(garbage).__gc = function()
                local _, err = client.kv:get("of a finalizer")
                failures = failures + (err and 1 or 0)
            end
        end
        collectgarbage("setpause", 1)
        for number = 1, 500 do
            leave_garbage()
            local _, err = client.kv:get("key-" .. number)
            assert.truthy(err.message:find("/v1/kv/key-" .. number .. ":", 1, true), err.message)
        end
        collectgarbage("setpause", 200)
        collectgarbage()
        assert.equal(500, failures)
    end)

    it("is the call's own, although finalizers run before it is read", function()
        local out = ffi.new("consul_options *[1]")
        local function leave_garbage()
            assert(C.consul_options_new(out) == consul.OK)
            ffi.gc(out[0], C.consul_options_free)
            ffi.gc(ffi.cast("consul_options *", 0x1234), C.consul_options_free)
        end
        collectgarbage("setpause", 1)
        for number = 1, 500 do
            leave_garbage()
            local _, err = client.kv:get("key-" .. number)
            assert.truthy(err.message:find("/v1/kv/key-" .. number .. ":", 1, true), err.message)
        end
        collectgarbage("setpause", 200)

        leave_garbage()
        assert.equal(consul.ERR_CONNECT, C.consul_kv_get(client.handle, "raw", nil, nil, ffi.new("consul_kv *[1]")))
        collectgarbage()
        collectgarbage()
        assert.matches("/v1/kv/raw", ffi.string(C.consul_last_error().message), 1, true)
    end)
end)

describe("the codes", function()
    it("have the library's names", function()
        assert.equal(0, consul.OK)
        assert.equal(1, consul.NOT_FOUND)
        assert.equal(-5, consul.ERR_TIMEOUT)
        assert.is_nil(consul.HANDLE_ALL)
        assert.is_nil(consul.ABI_MAJOR)
    end)
end)
