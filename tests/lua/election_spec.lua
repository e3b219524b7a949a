local consul = require("consul_ffi")
local helper = require("helper")

local with_consul = os.getenv("CONSUL_HTTP_ADDR") and describe or pending

with_consul("client:election", function()
    local client, other, key

    before_each(function()
        client, other = assert(consul.connect()), assert(consul.connect())
        key = helper.prefix() .. "election"
    end)

    after_each(function()
        assert.is_true(client:close(helper.PATIENCE_MS))
        assert.is_true(other:close(helper.PATIENCE_MS))
        local cleaner = assert(consul.connect())
        assert(cleaner.kv:delete(key))
        assert.is_true(cleaner:close(helper.PATIENCE_MS))
        client, other = nil, nil
        assert.equal(0, helper.live_handles())
    end)

    local function candidate(of, value)
        return assert(of:election({ key = key, value = value, session_ttl_ms = 60000, lock_delay_ms = 0 }))
    end

    it("has one leader at a time, and observers that see who it is", function()
        local one = candidate(client, "one\0")
        assert.is_true(one:wait_elected(30000))
        assert.is_true(one:is_leader())
        assert.is_true(one:remaining_ms() > 0)
        local token = one:fencing_token()
        local own = one:leader()
        assert.is_true(own.present and own.is_self)
        assert.equal(one:session_id(), own.session)
        assert.equal("leading", one:stats().state)

        local observer = assert(other:election({ key = key, observe_only = true }))
        local seen = assert(observer:wait_leader(30000))
        assert.equal("one\0", seen.value)
        assert.is_true(seen.modify_index == token)
        assert.equal("string", type(seen.node))
        assert.is_false(seen.is_self)
        local elected, err = observer:wait_elected(0)
        assert.is_false(elected)
        assert.equal(consul.NO_CHANGE, err.code)
        assert.equal("observing", observer:stats().state)

        assert.is_true(one:set_value("changed"))
        seen = assert(observer:wait_change(seen.version, 30000))
        assert.equal("changed", seen.value)

        local two = candidate(other, "two")
        assert.is_true(one:resign())
        assert.is_false(one:is_leader())
        assert.is_nil(one:session_id())
        assert.is_true(two:wait_elected(30000))
        assert.is_true(two:fencing_token() > token)
        assert.is_true(one:campaign())
        two:close()
        assert.is_true(one:wait_elected(30000))
        one:close()
        one:close()
        while seen.present do
            seen = assert(observer:wait_change(seen.version, 30000))
        end
        assert.is_nil(seen.value)
        observer:close()
    end)

    it("tells what happens in a queue", function()
        local queue = assert(consul.queue())
        local election = candidate(client, "one")
        local ticket = assert(election:set_queue(queue))
        local function await(wanted)
            local done, what, detail
            repeat
                done, what, detail = queue:next(30000)
                assert.equal(ticket, done)
                assert.is_true(what == wanted or what == "changed", tostring(what))
            until what == wanted
            return detail
        end
        await("elected")
        local leader = election:leader()
        while leader.version == 0 do
            leader = assert(election:wait_change(0, 30000))
        end
        assert(other.kv:delete(key))
        assert.equal(consul.ERR_LOCK_LOST, await("lost").code)
        await("elected")

        local resigning = assert(election:on(queue):resign())
        local done, value
        repeat
            done, value = queue:next(30000)
        until done == resigning
        assert.is_true(value)
        assert.is_false(election:is_leader())
        election:close()
        assert.equal(consul.ERR_CANCELLED, await("ended").code)
        queue:close()
    end)

    it("takes a key that was written without flags, unless told otherwise", function()
        assert(client.kv:put(key, "old"))
        local election = candidate(client, "new")
        assert.is_true(election:wait_elected(30000))
        assert.is_true(election:resign())
        assert(client.kv:put(key, "old"))
        local refusing = assert(client:election({ key = key, adopt = false }))
        local deadline, err = os.time() + 30, nil
        repeat
            assert.is_false(refusing:wait_elected(20))
            err = refusing:stats().last_error
        until err or os.time() > deadline
        assert.equal(consul.ERR_LOCK_CONFLICT, err.code)
        refusing:close()
        election:close()
    end)

    it("leaves no key behind where it is ephemeral", function()
        local election = assert(client:election({
            key = key, ephemeral = true, session = { name = "special", ttl_ms = 60000, lock_delay_ms = 0 },
        }))
        assert.is_true(election:wait_elected(30000))
        local session = assert(client.session:info(election:session_id()))
        assert.equal("special", session.name)
        assert.equal("delete", session.behavior)
        assert.is_true(election:resign())
        local value, err = client.kv:get(key)
        assert.is_nil(value)
        assert.equal(consul.NOT_FOUND, err.code)
        election:close()
    end)

    it("refuses what cannot be", function()
        local election, err = client:election({ key = "/slash" })
        assert.is_nil(election)
        assert.equal(consul.ERR_ARGUMENT, err.code)
        assert.has_error(function() client:election({}) end)
        assert.has_error(function() client:election({ key = key, valeu = "x" }) end)
    end)
end)
