local consul = require("consul_ffi")
local helper = require("helper")

local with_consul = os.getenv("CONSUL_HTTP_ADDR") and describe or pending

with_consul("client:watch", function()
    local client, prefix

    before_each(function()
        client = assert(consul.connect())
        prefix = helper.prefix() .. "watch/"
    end)

    after_each(function()
        assert(client.kv:delete_prefix(prefix))
        assert.is_true(client:close(helper.PATIENCE_MS))
        client = nil
        assert.equal(0, helper.live_handles())
    end)

    it("reads a prefix that stands still until it is moved", function()
        local watch = assert(client:watch({ prefix = prefix }))
        assert.is_true(watch:wait_ready(helper.PATIENCE_MS))
        assert.equal("empty", watch:state())
        assert.is_nil(watch:value(prefix .. "a"))
        assert.is_false(watch:refresh())
        local moved, err = watch:wait(1)
        assert.is_false(moved)
        assert.equal(consul.NO_CHANGE, err.code)

        assert(client.kv:put(prefix .. "a", "one\0"))
        assert.is_true(watch:wait(helper.PATIENCE_MS))
        assert.equal("fresh", watch:state())
        assert.equal("one\0", watch:value(prefix .. "a"))
        assert.equal(1, watch:count())
        assert.equal(prefix .. "a", watch:list()[1].key)
        assert.equal("one\0", watch:find(prefix .. "a").value)
        assert.is_true(watch:index() > 0 and watch:version() == 2ULL)
        assert.is_true(watch:age_ms() < 60000)
        watch:close()
        watch:close()
    end)

    it("comes from the queue each time that something happens", function()
        local queue = assert(consul.queue())
        local watch = assert(client:on(queue):watch({ key = prefix .. "k" }))
        local who, what, err = queue:next(helper.PATIENCE_MS)
        assert.equal(watch, who)
        assert.equal("ready", what)
        assert.is_nil(err)
        assert(client.kv:put(prefix .. "k", "1"))
        who, what = queue:next(helper.PATIENCE_MS)
        assert.equal(watch, who)
        assert.equal("changed", what)
        assert.is_true(watch:refresh())
        assert.equal("1", watch:value(prefix .. "k"))
        assert.is_true(watch:stop())
        who, what, err = queue:next(helper.PATIENCE_MS)
        assert.equal(watch, who)
        assert.equal("ended", what)
        assert.equal(consul.ERR_CANCELLED, err.code)
        assert.equal("stale", watch:state())
        assert.equal("1", watch:value(prefix .. "k"))
        watch:close()
        queue:close()
    end)

    it("tells that Consul is away, and in the statistics why", function()
        local refused = assert(consul.connect({ address = "http://127.0.0.1:1" }))
        local queue = assert(consul.queue())
        local watch = assert(refused:on(queue):watch({ nodes = true }))
        local who, what, err = queue:next(helper.PATIENCE_MS)
        assert.equal(watch, who)
        assert.equal("health", what)
        assert.equal(consul.ERR_CONNECT, err.code)
        assert.equal("pending", watch:state())
        local stats = watch:stats()
        assert.equal(consul.ERR_CONNECT, stats.last_error.code)
        assert.is_true(stats.consecutive_failures > 0)
        assert.equal(math.huge, stats.last_success_age_ms)
        assert.equal("pending", stats.state)
        assert.is_nil(stats.last_success_ms)
        assert.is_true(stats.in_flight or stats.next_try_ms ~= nil)
        local ticket, done, ready, problem = assert(watch:wait_ready(1)), nil, nil, nil
        repeat
            done, ready, problem = queue:next(20000)
        until done == ticket
        assert.is_nil(ready)
        assert.equal(consul.ERR_TIMEOUT, problem.code)
        watch:close()
        queue:close()
        assert.is_true(refused:close(helper.PATIENCE_MS))
    end)

    it("refuses to be read when it is too old", function()
        local embedded = assert(consul.connect({ address = "embedded:", environment = false, wait_ms = 50 }))
        local queue = assert(consul.queue())
        embedded.kv:put("a", "1")
        local watch = assert(embedded:on(queue):watch({ key = "a", max_age_ms = 0 }))
        local function hear(wanted)
            local who, what
            repeat
                who, what = queue:next(20000)
            until who == watch and what == wanted
            watch:refresh()
        end
        hear("ready")
        assert.equal("1", watch:value("a"))
        assert.is_nil((watch:value("b")))
        local agent = assert(embedded:embedded())
        agent:fail_next(1000000, 500, "No cluster leader")
        hear("health")
        assert.equal("expired", watch:state())
        for _, read in ipairs({ "value", "find", "list" }) do
            local found, err = watch[read](watch, "a")
            assert.is_nil(found)
            assert.equal(consul.ERR_NO_LEADER, err.code)
        end
        assert.equal(0, watch:count())
        assert.equal("expired", watch:stats().state)
        agent:reset_faults()
        hear("health")
        assert.equal("1", watch:value("a"))
        watch:close()
        queue:close()
        embedded:close()
    end)

    it("says what was not found, and refuses what cannot be looked for", function()
        local embedded = assert(consul.connect({ address = "embedded:", environment = false }))
        embedded.kv:put("a", "1")
        embedded.agent:service_register({ name = "web", id = "web-1", port = 80 })
        local keys = assert(embedded:watch({ key = "a" }))
        local web, nobody = assert(embedded:watch({ service = "web" })), assert(embedded:watch({ service = "nobody" }))
        for _, watch in ipairs({ keys, web, nobody }) do
            assert.is_true(watch:wait_ready(helper.PATIENCE_MS))
        end
        assert.same({ "1", "web-1" }, { keys:value("a"), web:find("web-1").service.id })

        for _, found in ipairs({
            { keys:value("b") }, { keys:find("b") }, { web:find("b") }, { nobody:pick("random") },
            { nobody:pick("hash", "b") }, { nobody:lease("random") },
        }) do
            assert.is_nil(found[1])
            assert.equal(consul.NOT_FOUND, found[2].code)
        end
        assert.matches('^key "b": ', select(2, keys:value("b")).message)
        assert.same({}, nobody:list())

        for _, found in ipairs({ { keys:value("a\0b") }, { keys:find("a\0b") }, { web:find("web-1\0") } }) do
            assert.is_nil(found[1])
            assert.equal(consul.ERR_ARGUMENT, found[2].code)
            assert.matches("NUL", found[2].message)
        end
        for _, read in ipairs({
            function() keys:value() end, function() keys:value(5) end, function() keys:find({}) end,
            function() web:find(nil) end, function() web:pick("hash", 5) end, function() web:lease("hash", {}) end,
        }) do
            local _, message = pcall(read)
            assert.matches("watch_spec.lua:%d+: consul_ffi: %a+ must be a string, not ", message)
        end
        for _, watch in ipairs({ keys, web, nobody }) do
            watch:close()
        end
        for _, read in ipairs({ "value", "find" }) do
            local found, err = keys[read](keys, "a")
            assert.is_nil(found)
            assert.equal(consul.ERR_HANDLE, err.code)
        end
        embedded:close()
    end)

    it("picks instances of a service", function()
        local name = (prefix:gsub("/", "-")) .. "web"
        for n = 1, 2 do
            assert(client.agent:service_register({ name = name, id = name .. n, port = 8000 + n }))
        end
        local watch = assert(client:watch({ service = name, policy = "any", tags = {} }))
        assert.is_true(watch:wait_ready(helper.PATIENCE_MS))
        while watch:count() < 2 do
            assert.is_true(watch:wait(helper.PATIENCE_MS))
        end
        local seen = {}
        for _ = 1, 4 do
            local address, port, id = watch:pick("round_robin")
            assert.equal("string", type(address))
            seen[port] = (seen[port] or 0) + 1
            assert.equal(name .. (port - 8000), id)
        end
        assert.same({ [8001] = 2, [8002] = 2 }, seen)
        for _, how in ipairs({ "random", "weighted", "least_connections" }) do
            assert.is_not_nil(watch:pick(how))
        end
        local _, port = watch:pick("hash", "key")
        for _ = 1, 5 do
            assert.equal(port, (select(2, watch:pick("hash", "key"))))
        end
        local lease = assert(watch:lease("least_connections"))
        local other = assert(watch:lease("least_connections"))
        assert.are_not.equal(lease.port, other.port)
        lease:close()
        assert.equal(lease.port, (select(2, watch:pick("least_connections"))))
        other:close()
        local nearest, err = watch:lease("nearest")
        assert.is_nil(nearest)
        assert.equal(consul.ERR_ARGUMENT, err.code)
        assert.equal(8002, watch:find(name .. 2).port)
        assert.equal(2, #watch:list())
        assert.error_matches(function() watch:pick("best") end, "round_robin")
        watch:close()
        for n = 1, 2 do
            assert(client.agent:service_deregister(name .. n))
        end
    end)

    it("watches everything else", function()
        local function ready(what)
            local watch = assert(client:watch(what))
            assert.is_true(watch:wait_ready(helper.PATIENCE_MS))
            return watch
        end
        local nodes = ready({ nodes = true })
        local node = nodes:list()[1].name
        local watches = {
            nodes,
            ready({ services = true }),
            ready({ node_checks = node }),
            ready({ state_checks = "any" }),
            ready({ path = "/v1/catalog/datacenters" }),
            ready({ events = true }),
            ready({ service_checks = "nobody" }),
        }
        assert.equal("consul", watches[2]:list()[1].name)
        assert.equal("serfHealth", watches[3]:list()[1].id)
        assert.is_true(watches[4]:count() > 0)
        assert.is_truthy(watches[5]:list():find("dc1", 1, true))
        assert.equal(0, #watches[7]:list())
        for _, watch in ipairs(watches) do
            watch:close()
        end
    end)

    it("refuses what cannot be watched", function()
        assert.error_matches(function() client:watch({}) end, "needs a key")
        assert.error_matches(function() client:watch({ key = "a", prefix = "b" }) end, "one thing")
        assert.error_matches(function() client:watch({ service = "a", policy = "best" }) end, "passing_or_warning")
        assert.error_matches(function() client:watch({ nodes = "x" }) end, "must be true")
        for _, what in ipairs({ { key = "/a" }, { key = "a\0b" }, { key = "a", settle_ms = { 5, 1 } } }) do
            local watch, err = client:watch(what)
            assert.is_nil(watch)
            assert.equal(consul.ERR_ARGUMENT, err.code)
        end
    end)
end)
