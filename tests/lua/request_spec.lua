local consul = require("consul_ffi")
local helper = require("helper")

local with_consul = os.getenv("CONSUL_HTTP_ADDR") and describe or pending

with_consul("client:request", function()
    local client

    before_each(function()
        client = assert(consul.connect())
    end)

    after_each(function()
        client:close()
        client = nil
        assert.equal(0, helper.live_handles())
    end)

    it("reaches any endpoint", function()
        local response = assert(client:request("GET", "/v1/status/leader"))
        assert.equal(200, response.status)
        assert.equal("application/json", response.content_type)
        assert.matches("127.0.0.1", consul.json.decode(response.body))
        assert.truthy(response.meta.index)
    end)

    it("encodes the query and sends a table as JSON", function()
        local key = helper.prefix() .. "k"
        assert(client:request("PUT", "/v1/kv/" .. key, "\0\1", { query = { flags = "7" } }))
        local value, meta = client.kv:get(key)
        assert.equal("\0\1", value)
        assert.is_true(meta.flags == 7)
        assert(client:request("DELETE", "/v1/kv/" .. key))
        local response = assert(client:request("PUT", "/v1/session/create", { Name = "by request", TTL = "15s" }))
        local id = consul.json.decode(response.body).ID
        assert.equal("by request", client.session:info(id).name)
        assert(client.session:destroy(id))
    end)

    it("gives the answer of a 404 with the error", function()
        local response, err = client:request("GET", "/v1/kv/" .. helper.prefix() .. "none")
        assert.is_nil(response)
        assert.equal(consul.NOT_FOUND, err.code)
        assert.equal(404, err.response.status)
        assert.is_true(err.response.meta.index > 0)
    end)

    it("tells in Consul's words that there is no such check", function()
        local response, err = client:request("PUT", "/v1/agent/check/pass/nope")
        assert.is_nil(response)
        assert.equal(consul.ERR_HTTP, err.code)
        assert.equal(500, err.http_status)
        assert.matches("nope", err.message, 1, true)
    end)

    it("is refused where it is wrong", function()
        for _, case in ipairs({ { "FETCH", "/v1/x" }, { "GET", "x y" }, { "GET", "/v1/x?token=abc" } }) do
            local response, err = client:request(case[1], case[2])
            assert.is_nil(response)
            assert.equal(consul.ERR_ARGUMENT, err.code)
        end
        local response, err = client:request("GET", "/v1/session/info/no-uuid")
        assert.is_nil(response)
        assert.equal(500, err.http_status)
    end)
end)
