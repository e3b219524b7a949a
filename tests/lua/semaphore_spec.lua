local consul = require("consul_ffi")
local helper = require("helper")

local with_consul = os.getenv("CONSUL_HTTP_ADDR") and describe or pending

with_consul("client:semaphore", function()
    local client, prefix

    local function new(fields)
        fields = fields or {}
        fields.prefix, fields.limit = prefix, fields.limit or 2
        return assert(client:semaphore(fields))
    end

    before_each(function()
        client, prefix = assert(consul.connect()), helper.prefix() .. "jobs"
    end)

    after_each(function()
        assert.is_true(client:close(helper.PATIENCE_MS))
        client = nil
        assert.equal(0, helper.live_handles())
    end)

    it("is held by as many as it has slots", function()
        local one = new({ value = "one\0", monitor_retry_ms = 50000 })
        local two, three = new({ session = { ttl_ms = 60000 } }), new()
        assert.is_nil(one:session_id())
        assert.is_true(one:acquire(helper.PATIENCE_MS))
        assert.is_true(two:try_acquire())
        assert.is_true(one:is_held() and one:remaining_ms() > 0)
        assert.equal("one\0", (client.kv:get(prefix .. "/" .. one:session_id())))
        assert.equal("held", one:stats().state)
        for _, ok in ipairs({ { three:try_acquire() }, { helper.acquire_in_vain(three) }, { three:destroy() } }) do
            assert.is_false(ok[1])
            assert.equal(consul.HELD, ok[2].code)
        end
        local holders = { one:session_id(), two:session_id() }
        table.sort(holders)
        assert.same(holders, three:holders())
        assert.is_true(one:release())
        assert.is_true(three:acquire())
        assert.same({}, three:holders())
        assert.is_true(two:release() and three:release())
        assert.is_true(three:destroy())
        one:close()
        one:close()
        two:close()
        three:close()
    end)

    it("says why its slot was lost", function()
        local semaphore = new()
        assert.is_true(semaphore:acquire(helper.PATIENCE_MS))
        assert.is_nil(semaphore:lost_reason())
        assert.is_true(client.session:destroy(semaphore:session_id()))
        assert.equal("session_invalid", semaphore:wait_lost(helper.PATIENCE_MS))
        local ok, err = semaphore:release()
        assert.is_nil(ok)
        assert.equal(consul.ERR_LOCK_LOST, err.code)
        assert.is_true(semaphore:acquire(helper.PATIENCE_MS))
        assert.is_true(semaphore:release())
        semaphore:close()
    end)

    it("calls and is lost by a queue", function()
        local queue = assert(consul.queue())
        local session = assert(client.session:start())
        local semaphore = new({ session = session })
        local ticket = assert(semaphore:on(queue):acquire(helper.PATIENCE_MS))
        local which, ok = queue:next(helper.PATIENCE_MS)
        assert.equal(ticket, which)
        assert.is_true(ok)
        local losses = assert(semaphore:set_queue(queue))
        assert.is_true(client.session:destroy(session:id()))
        local from, what, err = queue:next(helper.PATIENCE_MS)
        assert.equal(losses, from)
        assert.equal("lost", what)
        assert.equal(consul.ERR_LOCK_LOST, err.code)
        assert.is_true(semaphore:set_queue(nil))
        semaphore:close()
        session:close()
        queue:close()
    end)

    it("refuses another limit, and what cannot be", function()
        local two, three = new(), new({ limit = 3 })
        assert.is_true(two:acquire(helper.PATIENCE_MS))
        local ok, err = three:acquire(helper.PATIENCE_MS)
        assert.is_nil(ok)
        assert.equal(consul.ERR_LIMIT_CONFLICT, err.code)
        assert.truthy(err.message:find("limit 2 at Consul, not 3", 1, true))
        assert.is_true(two:release())
        assert.is_true(three:destroy())
        two:close()
        three:close()

        local none, why = client:semaphore({ prefix = prefix, limit = 0 })
        assert.is_nil(none)
        assert.equal(consul.ERR_ARGUMENT, why.code)
        for says, fields in pairs({
            ["prefix must be a string"] = { limit = 1 },
            ["limit"] = { prefix = prefix },
            ["unknown"] = { prefix = prefix, limit = 1, adopt = true },
            ["session must be"] = { prefix = prefix, limit = 1, session = true },
        }) do
            local done, message = pcall(client.semaphore, client, fields)
            assert.is_false(done)
            assert.truthy(tostring(message):find(says, 1, true), message)
        end
        assert.has_error(function() client:semaphore() end)
    end)
end)
