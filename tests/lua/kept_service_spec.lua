local consul = require("consul_ffi")
local helper = require("helper")
local pause = require("consul_ffi.pause")

local with_consul = os.getenv("CONSUL_HTTP_ADDR") and describe or pending

with_consul("client:service", function()
    local client

    before_each(function()
        client = assert(consul.connect())
    end)

    after_each(function()
        client:close()
        client = nil
        assert.equal(0, helper.live_handles())
    end)

    local function name()
        return "kept-" .. helper.prefix():sub(1, -2)
    end

    local function check_of(service)
        for _, each in ipairs(client.agent:checks()) do
            if each.id == service:check_id() then
                return each
            end
        end
    end

    --- Waits until Consul says so of its check; `meanwhile` is called again and again.
    local function until_status(service, status, meanwhile)
        for _ = 1, 3000 do
            if meanwhile then
                meanwhile()
            end
            local found = check_of(service)
            if found and found.status == status then
                return found
            end
            pause(10)
        end
        error("the check is never " .. status)
    end

    it("calls through a queue", function()
        local queue = assert(consul.queue())
        local service = assert(client:on(queue):service({ name = name() }))
        local function answer(ticket, problem)
            assert(ticket, problem)
            local got, value, err = queue:next(helper.PATIENCE_MS)
            assert.equal(ticket, got)
            return value, err
        end
        local _, absent = answer(service:maintenance(true))
        assert.equal(consul.NOT_FOUND, absent.code)
        assert.is_true(answer(service:start()))
        assert.is_true(service:is_registered())
        assert.is_true(answer(service:maintenance(false)))
        assert.is_true(answer(service:close()))
        assert.is_true(service:close())
        local other = assert(client:service({ name = name() }))
        assert.is_true(answer(other:on(queue):start()))
        assert.is_true(other:close())
        queue:close()
    end)

    it("registers, reports and deregisters", function()
        local id = name()
        local description = {
            name = id,
            port = 8080,
            tags = { "v1" },
            ttl_ms = 2000,
            status = "warning",
            note = "starting",
            deregister_after_ms = 600000,
        }
        local service = assert(client:service(description, { token = "" }))
        assert.equal(id, service:id())
        assert.equal("service:" .. id .. ":ttl", service:check_id())
        assert.is_false(service:is_registered())
        assert.is_true(service:start())
        assert.is_true(service:start())
        assert.is_true(service:is_registered())
        assert.equal(1, service:registrations())
        assert.equal("starting", until_status(service, "warning").output)
        assert.is_true(service:set_status("passing"))
        assert.is_true(service:pat())
        assert.equal("", until_status(service, "passing").output)
        assert.equal("passing", service:status())

        assert.is_true(service:maintenance(true, "repairs"))
        assert.is_true(service:maintenance(false))
        assert.is_true(service:update({ name = id, port = 8081 }))
        for _ = 1, 3000 do
            if client.agent:service(id).port == 8081 then
                break
            end
            pause(10)
        end
        assert.equal(8081, client.agent:service(id).port)
        assert.is_true(service:set_token(nil))
        assert.is_true(service:close())
        assert.is_true(service:close())
        assert.is_nil((client.agent:service(id)))
    end)

    it("stays when it is stopped", function()
        local id = name()
        local service = assert(client:service({ name = id }))
        assert.is_true(service:start())
        assert.is_true(service:stop())
        service = nil
        collectgarbage()
        collectgarbage()
        assert.equal(id, client.agent:service(id).name)
        assert.is_true(client.agent:service_deregister(id))
    end)

    it("turns critical when the program must pat and does not", function()
        local patient = assert(client:service({ name = name(), ttl_ms = 600000, must_pat = true }))
        assert.is_true(patient:start())
        local service = assert(client:service({ name = name(), ttl_ms = 1000, must_pat = true }))
        assert.is_true(service:start())
        until_status(service, "critical")
        assert.equal("critical", service:status())
        assert.equal("passing", patient:status())
        -- One pat is good for a second, which may be over before it is seen.
        until_status(service, "passing", function()
            assert.is_true(service:pat())
        end)
        assert.is_true(service:close())
        assert.is_true(patient:close())
    end)

    it("says what is wrong before anything is sent", function()
        local service, err = client:service({ name = "a", ttl_ms = 1 })
        assert.is_nil(service)
        assert.equal(consul.ERR_ARGUMENT, err.code)
        assert.matches("1 s or more", err.message)
        assert.has_error(function() client:service({ name = "a", tll_ms = 1 }) end)
        service, err = client:service({ name = "a\0b" })
        assert.is_nil(service)
        assert.matches("NUL", err.message)
        service = assert(client:service({ name = "a", ttl_ms = 0 }))
        local done
        done, err = service:set_status("passing", "a\0b")
        assert.is_nil(done)
        assert.matches("NUL", err.message)
        done, err = service:set_status("passing")
        assert.is_nil(done)
        assert.matches("no TTL", err.message)
        assert.is_true(service:close())
        assert.is_nil(service:id())
        assert.equal(consul.ERR_HANDLE, select(2, service:start()).code)
    end)

    it("reports that it could not start, and that it goes on", function()
        local other = assert(consul.connect({ address = "http://127.0.0.1:1" }))
        local service = assert(other:service({ name = "away" }))
        local started, err = service:start()
        assert.is_nil(started)
        assert.equal(consul.ERR_CONNECT, err.code)
        assert.is_false(service:is_registered())
        service:close()
        other:close(100)
    end)
end)
