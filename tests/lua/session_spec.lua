local consul = require("consul_ffi")
local helper = require("helper")

local with_consul = os.getenv("CONSUL_HTTP_ADDR") and describe or pending

with_consul("client.session", function()
    local client

    before_each(function()
        client = assert(consul.connect())
    end)

    after_each(function()
        client:close()
        client = nil
        assert.equal(0, helper.live_handles())
    end)

    it("creates, reads, renews and destroys", function()
        local description = {
            name = "worker",
            ttl_ms = 15000,
            lock_delay_ms = 2000,
            behavior = "delete",
            node_checks = {},
        }
        local id = assert(client.session:create(description))
        local session, meta = client.session:info(id)
        assert.equal("worker", session.name)
        assert.equal(15000, session.ttl_ms)
        assert.equal(2000, session.lock_delay_ms)
        assert.equal("delete", session.behavior)
        assert.same({}, session.node_checks)
        assert.same({}, session.service_checks)
        assert.is_nil(session.namespace)
        assert.is_true(session.create_index > 0 and meta.index > 0)

        assert.equal(id, client.session:renew(id).id)
        local found = 0
        for _, each in ipairs(client.session:list()) do
            found = found + (each.id == id and 1 or 0)
        end
        for _, each in ipairs(client.session:node(session.node)) do
            found = found + (each.id == id and 1 or 0)
        end
        assert.equal(2, found)

        assert.is_true(client.session:destroy(id))
        local none, err = client.session:info(id)
        assert.is_nil(none)
        assert.equal(consul.NOT_FOUND, err.code)
        assert.is_true(err.meta.index > 0)
        none, err = client.session:renew(id)
        assert.is_nil(none)
        assert.equal(consul.ERR_SESSION_INVALID, err.code)
    end)

    it("has Consul's defaults without a description", function()
        local id = assert(client.session:create())
        local session = client.session:info(id)
        assert.equal(0, session.ttl_ms)
        assert.equal("release", session.behavior)
        assert.same({ "serfHealth" }, session.node_checks)
        assert.is_true(client.session:destroy(id))
    end)

    it("checks the TTL before it sends anything", function()
        local id, err = client.session:create({ ttl_ms = 5000 })
        assert.is_nil(id)
        assert.equal(consul.ERR_ARGUMENT, err.code)
        assert.matches("10000 ms to 86400000 ms", err.message)
    end)

    it("refuses texts with a NUL", function()
        for _, description in ipairs({ { name = "a\0" }, { node_checks = { "a\0" } }, { service_checks = { { id = "a\0" } } } }) do
            local id, err = client.session:create(description)
            assert.is_nil(id)
            assert.matches("has a NUL", err.message)
        end
        assert.is_nil((client.session:destroy("a\0b")))
    end)
end)
