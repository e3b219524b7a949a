local consul = require("consul_ffi")
local helper = require("helper")
local ffi = require("ffi")

local with_consul = os.getenv("CONSUL_HTTP_ADDR") and describe or pending

local PATIENCE = helper.PATIENCE_MS

describe("consul.queue", function()
    it("has nothing, until something is begun", function()
        local queue = assert(consul.queue())
        local ticket, err = queue:next(0)
        assert.is_false(ticket)
        assert.equal(consul.NO_CHANGE, err.code)
        queue:wake()
        assert.is_false((queue:next()))
        assert.is_true(queue:fd() > 0)
        queue:close()
        queue:close()
        ticket, err = queue:next(0)
        assert.is_nil(ticket)
        assert.equal("ERR_HANDLE", err.name)
        assert.is_nil(queue:fd())
        assert.equal(0, helper.live_handles())
    end)

    it("refuses what it does not know", function()
        assert.has_error(function() consul.queue({ size = 1 }) end)
        assert.has_error(function() consul.queue({ max_in_flight = "x" }) end)
        local queue, err = consul.queue({ max_in_flight = 0 })
        assert.is_nil(queue)
        assert.equal("ERR_ARGUMENT", err.name)
        local client = assert(consul.connect())
        assert.has_error(function() client:on({}) end)
        assert.has_error(function() client:on(nil) end)
        client:close()
    end)
end)

with_consul("client:on(queue)", function()
    local client, queue, later, prefix

    before_each(function()
        client = assert(consul.connect())
        queue = assert(consul.queue())
        later = client:on(queue)
        prefix = helper.prefix()
    end)

    after_each(function()
        client.kv:delete_prefix(prefix)
        client:close()
        queue:close()
        client, queue, later = nil, nil, nil
        assert.equal(0, helper.live_handles())
    end)

    --- What the queue returns for this ticket.
    local function answer(ticket, problem)
        assert(ticket, problem)
        local function same(done, ...)
            assert.equal(ticket, done)
            return ...
        end
        return same(queue:next(PATIENCE))
    end

    it("returns what the blocking call returns", function()
        local key = prefix .. "k"
        assert.is_true(answer(later.kv:put(key, "v\0w", { flags = 7 })))
        local value, meta = answer(later.kv:get(key))
        assert.equal("v\0w", value)
        local _, same = client.kv:get(key)
        assert.same(same.modify_index, meta.modify_index)
        assert.is_true(meta.flags == 7)

        local list = answer(later.kv:list(prefix))
        assert.equal(key, list[1].key)
        assert.same({ key }, (answer(later.kv:keys(prefix))))

        local absent, err = answer(later.kv:get(prefix .. "absent"))
        assert.is_nil(absent)
        assert.equal(consul.NOT_FOUND, err.code)
        assert.is_true(err.meta.index > 0)

        local won
        won, err = answer(later.kv:cas(key, "x", 0))
        assert.is_false(won)
        assert.equal(consul.CONFLICT, err.code)
        assert.is_true(answer(later.kv:update(key, "y")))
        assert.equal("y", (answer(later.kv:get(key))))
    end)

    it("covers every area", function()
        assert.is_table(answer(later.agent:self()))
        assert.is_true(#answer(later.agent:members()) > 0)
        assert.is_table(answer(later.agent:services()))
        local service, err = answer(later.agent:service("nobody"))
        assert.is_nil(service)
        assert.equal(consul.NOT_FOUND, err.code)
        local name = prefix:gsub("/", "")
        assert.is_true(answer(later.agent:service_register({ name = name, port = 80 })))
        assert.equal(80, answer(later.agent:service(name)).port)
        assert.equal(80, answer(later.agent:service_health(name)).port)
        assert.is_true(answer(later.agent:service_deregister(name)))
        assert.is_true(#answer(later.catalog:nodes()) > 0)
        assert.is_true(#answer(later.catalog:services()) > 0)
        assert.is_true(#answer(later.health:service("consul", { passing = true })) > 0)
        assert.is_table(answer(later.health:state("any")))
        assert.matches(":8300", answer(later.status:leader()) .. ":8300")
        assert.is_table(answer(later.status:peers()))
        local response = answer(later:request("GET", "/v1/status/leader"))
        assert.equal(200, response.status)
        local results = answer(later:txn():set(prefix .. "t", "1"):get(prefix .. "t"):commit())
        assert.equal("1", results[2].value)
        local rolled_back
        rolled_back, err = answer(later:txn():check_not_exists(prefix .. "t"):commit())
        assert.is_false(rolled_back)
        assert.equal(1, err.errors[1].operation)
    end)

    it("makes sessions and locks that call in the same way", function()
        local id = answer(later.session:create({ lock_delay_ms = 0 }))
        assert.equal(id, answer(later.session:info(id)).id)
        assert.is_true(answer(later.session:destroy(id)))

        local session = answer(later.session:start({ ttl_ms = 60000 }))
        assert.is_true(session:is_valid())
        local sid = session:id()
        assert.is_true(answer(session:destroy()))
        assert.is_nil((client.session:info(sid)))

        local lock = assert(later:lock(prefix .. "lock"))
        assert.is_true(answer(lock:acquire(helper.PATIENCE_MS)))
        assert.is_true(lock:is_held())
        local other = assert(later:lock(prefix .. "lock"))
        local won, err = answer(other:try_acquire())
        assert.is_false(won)
        assert.equal(consul.HELD, err.code)
        assert.is_true(answer(lock:put(prefix .. "by_holder", "x")))
        assert.is_true(answer(lock:release()))
        assert.is_true(answer(other:acquire(helper.PATIENCE_MS)))
        assert.is_true(answer(other:release()))
        lock:close()
        other:close()

        local blocking = assert(client:lock(prefix .. "lock"))
        assert.is_true(answer(blocking:on(queue):acquire(helper.PATIENCE_MS)))
        assert.is_true(blocking:release())
        blocking:close()
    end)

    it("keeps many apart", function()
        local keys = {}
        for number = 1, 100 do
            local ticket = assert(later.kv:put(prefix .. number, tostring(number)))
            ticket.number = number
        end
        for _ = 1, 100 do
            local ticket, done = queue:next(PATIENCE)
            assert.is_true(done)
            keys[ticket.number] = true
        end
        assert.equal(100, #keys)
        local wanted = {}
        for number = 1, 100 do
            wanted[assert(later.kv:get(prefix .. number))] = tostring(number)
        end
        assert.equal(100, queue:count())
        for _ = 1, 100 do
            local ticket, value = queue:next(PATIENCE)
            assert.equal(wanted[ticket], value)
        end
        assert.equal(0, queue:count())
    end)

    it("leaves a ticket's fields to the program", function()
        local ticket = assert(later.kv:get(prefix))
        for _, name in ipairs({ "name", "object", "finish", "read", "answer", "hear" }) do
            ticket[name] = false
        end
        local value, err = answer(ticket)
        assert.is_nil(value)
        assert.equal(consul.NOT_FOUND, err.code)
        assert.is_false(ticket.name)
    end)

    it("says at once what cannot begin", function()
        local ticket, err = later.kv:get("/slash")
        assert.is_nil(ticket)
        assert.equal("ERR_ARGUMENT", err.name)
        ticket, err = later.kv:get("a\0b")
        assert.is_nil(ticket)
        assert.matches("NUL", err.message)
        assert.has_error(function() later.kv:get(5) end)
        local narrow = assert(consul.queue({ max_in_flight = 1 }))
        assert(client:on(narrow).kv:get(prefix))
        ticket, err = client:on(narrow).kv:get(prefix)
        assert.is_nil(ticket)
        assert.equal("ERR_BUSY", err.name)
        narrow:close()
        assert.equal(0, queue:count())
    end)

    it("cancels", function()
        client.kv:put(prefix .. "k", "1")
        local _, meta = client.kv:get(prefix .. "k")
        local ticket = assert(later.kv:get(prefix .. "k", { index = meta.index, wait_ms = 60000 }))
        local other = assert(later.kv:get(prefix .. "k", { index = meta.index, wait_ms = 60000 }))
        assert.is_true(ticket:cancel())
        local value, err = answer(ticket)
        assert.is_nil(value)
        assert.equal("ERR_CANCELLED", err.name)
        client.kv:put(prefix .. "k", "2")
        assert.equal("2", (answer(other)))
    end)

    it("ends what is in flight with its client", function()
        local own = assert(consul.connect())
        own.kv:put(prefix .. "k", "1")
        local _, meta = own.kv:get(prefix .. "k")
        local ticket = assert(own:on(queue).kv:get(prefix .. "k", { index = meta.index, wait_ms = 60000 }))
        own:on(queue):close()
        local value, err = answer(ticket)
        assert.is_nil(value)
        assert.equal("ERR_CLOSED", err.name)
        local refused
        refused, err = own:on(queue).kv:get(prefix .. "k")
        assert.is_nil(refused)
        assert.equal("ERR_CLOSED", err.name)
    end)

    it("tells who polls its descriptor", function()
        ffi.cdef([[ struct q_pollfd { int fd; short events; short revents; };
            int poll(struct q_pollfd *fds, unsigned long count, int timeout); ]])
        local poll_fd = ffi.new("struct q_pollfd[1]", { { queue:fd(), 1, 0 } })
        assert.equal(0, ffi.C.poll(poll_fd, 1, 0))
        local ticket = assert(later.kv:get(prefix))
        assert.equal(1, ffi.C.poll(poll_fd, 1, PATIENCE))
        assert.equal(ticket, (queue:next(0)))
        assert.equal(0, ffi.C.poll(poll_fd, 1, 0))
    end)
end)
