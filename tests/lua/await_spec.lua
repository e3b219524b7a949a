--- Awaiting in every host but nginx, which has a stage of its own.

local consul = require("consul_ffi")
local helper = require("helper")

local with_consul = os.getenv("CONSUL_HTTP_ADDR") and describe or pending

--- How each host runs coroutines to their end.
local HOSTS = {
    plain = function(host, bodies)
        for _, body in ipairs(bodies) do
            host:spawn(body)
        end
        host:run()
    end,
    luv = function(_, bodies)
        for _, body in ipairs(bodies) do
            coroutine.wrap(body)()
        end
        local uv = require("luv")
        uv.run()
        assert(not uv.loop_alive())
    end,
    cqueues = function(_, bodies)
        local controller = require("cqueues").new()
        for _, body in ipairs(bodies) do
            controller:wrap(body)
        end
        assert(controller:loop())
    end,
}

for name, run in pairs(HOSTS) do
    with_consul("await in " .. name, function()
        local client, host, later, prefix

        before_each(function()
            client = assert(consul.connect())
            host = assert(require("consul_ffi.host." .. name).new())
            later = client:on(host.queue)
            prefix = helper.prefix()
        end)

        after_each(function()
            client.kv:delete_prefix(prefix)
            host:close()
            host:close()
            client:close()
            client, host, later = nil, nil, nil
            assert.equal(0, helper.live_handles())
        end)

        it("returns what the blocking call returns", function()
            local ended = false
            run(host, { function()
                assert.is_true(host:await(later.kv:put(prefix .. "k", "v")))
                local value, meta = host:await(later.kv:get(prefix .. "k"))
                assert.equal("v", value)
                assert.is_true(meta.modify_index > 0)
                local won, err = host:await(later.kv:cas(prefix .. "k", "w", 0))
                assert.is_false(won)
                assert.equal(consul.CONFLICT, err.code)
                local absent
                absent, err = host:await(later.kv:get(prefix .. "absent"))
                assert.is_nil(absent)
                assert.equal(consul.NOT_FOUND, err.code)
                absent, err = host:await(later.kv:get("a\0b"))
                assert.is_nil(absent)
                assert.equal("ERR_ARGUMENT", err.name)
                ended = true
            end })
            assert.is_true(ended)
            assert.equal(0, host.queue:count())
        end)

        it("lets others run meanwhile", function()
            client.kv:put(prefix .. "gate", "shut")
            local _, meta = client.kv:get(prefix .. "gate")
            local order = {}
            run(host, {
                function()
                    local gate = later.kv:get(prefix .. "gate", { index = meta.index, wait_ms = 60000 })
                    local value = host:await(gate)
                    order[#order + 1] = value
                end,
                function()
                    for number = 1, 5 do
                        assert(host:await(later.kv:put(prefix .. number, "x")))
                        order[#order + 1] = number
                    end
                    assert(host:await(later.kv:put(prefix .. "gate", "open")))
                end,
            })
            assert.same({ 1, 2, 3, 4, 5, "open" }, order)
        end)

        it("says the same of a ticket to all who await it, in any order", function()
            local got = {}
            local first = assert(later.kv:put(prefix .. "k", "v"))
            local bodies = {}
            for number = 1, 3 do
                bodies[number] = function()
                    assert.is_true(host:await(first))
                    assert.is_true(host:await(first))
                    got[#got + 1] = number
                end
            end
            bodies[4] = function()
                local tickets = {}
                for number = 1, 50 do
                    tickets[number] = assert(later.kv:put(prefix .. number, tostring(number)))
                end
                for number = 50, 1, -1 do
                    assert.is_true(host:await(tickets[number]))
                end
                got[#got + 1] = 4
            end
            run(host, bodies)
            table.sort(got)
            assert.same({ 1, 2, 3, 4 }, got)
        end)

        it("tells what happens to a watch", function()
            local news = {}
            run(host, { function()
                local watch = assert(later:watch({ key = prefix .. "k" }))
                news[1] = host:await(watch)
                assert(host:await(later.kv:put(prefix .. "k", "1")))
                repeat
                    news[2] = host:await(watch)
                    watch:refresh()
                until watch:value(prefix .. "k") == "1"
                watch:stop()
                repeat
                    news[3] = host:await(watch)
                until news[3] ~= "changed"
                local nothing, err = host:await(watch)
                assert.is_nil(nothing)
                assert.equal("ERR_CLOSED", err.name)
                watch:close()
            end })
            assert.same({ "ready", "changed", "ended" }, news)
        end)

        it("tells that a lock is lost", function()
            local what, err, after, ended
            run(host, { function()
                local lock = assert(client:lock(prefix .. "lock")):on(host.queue)
                assert.is_true(host:await(lock:acquire(helper.PATIENCE_MS)))
                local losses = assert(lock:set_queue(host.queue))
                assert.is_true(host:await(later.kv:delete(prefix .. "lock")))
                what, err = host:await(losses)
                assert.is_true(losses:cancel())
                after, ended = host:await(losses)
            end })
            assert.equal("lost", what)
            assert.equal(consul.ERR_LOCK_LOST, err.code)
            assert.equal("ended", after)
            assert.equal(consul.ERR_CANCELLED, ended.code)
        end)

        it("waits for a loss, a state and a leader as the blocking calls do", function()
            local steps = 0
            run(host, { function()
                local lock = assert(later:lock(prefix .. "lock"))
                assert.is_true(host:await(lock:acquire(5000)))
                local still, err = host:await(lock:wait_lost(5))
                assert.is_false(still)
                assert.equal(consul.NO_CHANGE, err.code)
                local loss = assert(lock:wait_lost())
                assert.is_true(host:await(later.kv:delete(prefix .. "lock")))
                assert.equal("key_deleted", host:await(loss))
                lock:close()

                local watch = assert(later:watch({ key = prefix .. "k" }))
                assert.is_true(host:await(watch:wait_ready(30000)))
                assert.equal(0, watch:count())
                assert.is_false(host:await(watch:wait(1)))
                local change = assert(watch:wait())
                assert.is_true(host:await(later.kv:put(prefix .. "k", "1")))
                assert.is_true(host:await(change))
                assert.equal("1", watch:value(prefix .. "k"))
                watch:close()

                local election = assert(later:election({ key = prefix .. "leader", value = "me" }))
                assert.is_true(host:await(election:wait_elected()))
                local leader = host:await(election:wait_leader(30000))
                assert.is_true(leader.present and leader.is_self)
                local seen = host:await(election:wait_change(leader.version + 1000, 1))
                assert.is_false(seen)
                assert.is_true(host:await(election:resign()))
                election:close()
                steps = steps + 1
            end })
            assert.equal(1, steps)
        end)

        it("closes a client", function()
            local closed
            run(host, { function()
                local own = assert(consul.connect())
                local session = assert(own.session:start())
                local id = session:id()
                closed = host:await(own:on(host.queue):close(30000))
                session:close()
                local found, err = host:await(later.session:info(id))
                assert.is_nil(found)
                assert.equal(consul.NOT_FOUND, err.code)
                assert.equal(consul.ERR_CLOSED, select(2, own.kv:get("a")).code)
                assert.is_true(own:close())
            end })
            assert.is_true(closed)
        end)

        it("keeps a service registered", function()
            local id = "awaited-" .. prefix:sub(1, -2)
            local steps = 0
            run(host, { function()
                local service = assert(later:service({ name = id, port = 80 }))
                assert.is_true(host:await(service:start()))
                assert.equal(80, host:await(later.agent:service(id)).port)
                assert.is_true(host:await(service:maintenance(true, "a test")))
                assert.is_true(host:await(service:close()))
                assert.is_true(host:await(service:close()))
                local found, err = host:await(later.agent:service(id))
                assert.is_nil(found)
                assert.equal(consul.NOT_FOUND, err.code)
                steps = steps + 1
            end })
            assert.equal(1, steps)
        end)

        it("tells the records of the log", function()
            consul.log.set_level("debug")
            assert(consul.log.set_queue(host.queue))
            local own = assert(consul.connect({ address = "http://127.0.0.1:1", timeout_ms = 300 }))
            local records
            run(host, { function()
                -- Nobody listens there: a watch says so.
                local watch = assert(own:watch({ key = "k" }))
                records = host:await(consul.log)
                watch:close()
            end })
            assert(consul.log.set_queue(nil))
            consul.log.set_level(nil)
            assert.is_true(#records > 0)
            assert.is_string(records[1].message)
            own:close()
        end)

        it("ends with an error for who awaits when it is closed", function()
            client.kv:put(prefix .. "k", "1")
            local _, meta = client.kv:get(prefix .. "k")
            local value, err
            run(host, {
                function()
                    local change = later.kv:get(prefix .. "k", { index = meta.index, wait_ms = 60000 })
                    value, err = host:await(change)
                end,
                function()
                    assert(host:await(later.kv:put(prefix .. "other", "x")))
                    host:close()
                end,
            })
            assert.is_nil(value)
            assert.equal("ERR_CLOSED", err.name)
        end)

        it("refuses what is not of its queue", function()
            local other = assert(consul.queue())
            local ticket = assert(client:on(other).kv:get(prefix))
            assert.has_error(function() host:await(ticket) end)
            assert.has_error(function() host:await("value") end)
            other:close()
        end)
    end)
end

with_consul("await without a loop", function()
    it("serves who awaits outside of coroutines, and raises their errors in run", function()
        local client = assert(consul.connect())
        local host = assert(require("consul_ffi.host.plain").new())
        local later = client:on(host.queue)
        local leader = host:await(later.status:leader())
        assert.matches(":", leader)

        host:spawn(function()
            host:await(later.status:leader())
            error("oh")
        end)
        local fine, why = pcall(host.run, host)
        assert.is_false(fine)
        assert.matches("oh.*traceback", why)
        host:run()
        host:close()
        client:close()
    end)
end)
