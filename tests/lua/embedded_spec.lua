--- The agent in memory, its clock and its faults.

local consul = require("consul_ffi")

local function connect(address)
    local client = assert(consul.connect({ address = address or "embedded:", environment = false }))
    return client, assert(client:embedded())
end

describe("an embedded agent", function()
    it("is shared by its name", function()
        local one, two = connect("embedded:lua-spec"), connect("embedded:lua-spec")
        local other = connect()
        assert.equal("embedded:lua-spec", one:endpoint())
        assert(one.kv:put("a", "1"))
        assert.equal("1", (two.kv:get("a")))
        local value, err = other.kv:get("a")
        assert.is_nil(value)
        assert.equal(consul.NOT_FOUND, err.code)
        for _, client in ipairs({ one, two, other }) do
            client:close()
        end
    end)

    it("has a clock that can be turned on", function()
        local client, agent = connect()
        local session = assert(client.session:create({ ttl_ms = 60000, behavior = "delete" }))
        assert(client.kv:acquire("lock", "mine", session))
        local before = agent:now()
        -- It goes on by itself, too.
        assert.is_true(agent:advance(60000))
        assert.equal("mine", (client.kv:get("lock")))
        agent:advance(60000)
        assert.is_nil((client.kv:get("lock")))
        assert.is_true(agent:now() >= before + 120000)
        client:close()
    end)

    it("hears of its own events", function()
        local client = connect()
        local fired = assert(client.event:fire("deploy", "1.4.2"))
        local events = assert(client.event:list("deploy"))
        assert.equal(fired.id, events[1].id)
        assert.equal("1.4.2", events[1].payload)
        assert.equal(0, #assert(client.event:list("other")))
        client:close()
    end)

    it("fails as it is told to", function()
        local client, agent = connect()
        assert.is_true(agent:fail_next(1, 500, "rpc error making call: EOF", "/v1/kv/"))
        assert(client.session:list())
        local ok, err = client.kv:put("a", "1")
        assert.is_nil(ok)
        assert.equal(consul.ERR_HTTP, err.code)
        assert.is_true(err.outcome_unknown)

        assert.is_true(agent:lose_answers(1))
        ok, err = client.kv:put("a", "2")
        assert.is_nil(ok)
        assert.is_true(err.code == consul.ERR_IO and err.outcome_unknown)
        assert.equal("2", (client.kv:get("a")))

        assert.is_true(agent:no_leader(true, "/v1/kv/"))
        assert.equal("2", (client.kv:get("a", { consistency = "stale" })))
        assert.is_true(agent:set_latency(3600000))
        assert.is_true(agent:reset_faults())
        assert.equal("2", (client.kv:get("a")))
        client:close()
    end)

    it("says what it does not take", function()
        local client, agent = connect()
        local ok, err = agent:fail_next(1, 200)
        assert.is_nil(ok)
        assert.matches("http_status 200 is no failure, it takes 400 to 599", err.message)
        assert.error_matches(function() agent.advance(5) end, "called with a colon")
        assert.error_matches(function() agent:advance("soon") end, "time_ms")
        assert.error_matches(function() client.embedded() end, "called with a colon")
        client:close()
        assert.equal(consul.ERR_CLOSED, select(2, client:embedded()).code)
    end)

    it("warns once that it is not for production", function()
        consul.log.set_level("warning")
        local one, two = connect("embedded:warned"), connect("embedded:warned")
        -- What other specs left running may have something to say as well.
        local warnings = {}
        for _, record in ipairs(consul.log.take()) do
            if record.message:find("embedded:warned", 1, true) then
                warnings[#warnings + 1] = record.message
            end
        end
        consul.log.set_level(nil)
        assert.equal(1, #warnings)
        assert.matches("^embedded:warned is .* for development and tests, not for production$", warnings[1])
        one:close()
        two:close()
    end)

    it("is nobody else's", function()
        local client = assert(consul.connect({ address = "http://127.0.0.1:1", environment = false }))
        local agent, err = client:embedded()
        assert.is_nil(agent)
        assert.equal(consul.ERR_UNSUPPORTED, err.code)
        client:close()
    end)
end)
