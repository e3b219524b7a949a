--- The methods of the earlier module, as programs written for it call them.

local consul = require("consul_ffi")
local helper = require("helper")
local new_node = require("consul_ffi.original.node")

local with_consul = os.getenv("CONSUL_HTTP_ADDR") and describe or pending

describe("consul.new", function()
    it("has the earlier module's defaults", function()
        local output = helper.luajit([[
            local client = require("consul_ffi").new()
            print(client.consul_url, client.timeout, client.simulate, client.initialized)]], "env -u CONSUL_HTTP_ADDR")
        assert.equal("http://127.0.0.1:8500\t5000\tfalse\ttrue\n", output)
    end)

    it("takes the address by either name and makes the class's objects", function()
        for _, config in ipairs({ { consul_url = "http://127.0.0.1:1" }, { endpoint = "http://127.0.0.1:1" } }) do
            local client = consul.ConsulClient:new(config)
            assert.equal("http://127.0.0.1:1", client.consul_url)
            assert.equal(consul.ConsulClient, getmetatable(client))
            client:destroy()
        end
    end)

    it("simulates with an agent in memory, which keeps what is written and is shared", function()
        local writer, reader = consul.new({ simulate = true }), consul.new({ simulate = true })
        assert.is_true(writer.simulate and writer.initialized)
        assert.equal("embedded:simulate", writer.consul_url)
        assert.same({ true, "true" }, { writer:kv_put("simulated/key", "a\0b") })
        local ok, body = reader:kv_get("simulated/key")
        assert.is_true(ok)
        assert.matches('"Value":"YQBi"', body)
        local made, session = writer:create_session("job", 10)
        assert.is_true(made)
        assert.matches('^{"ID":"[%x-]+"}$', session)
        writer:destroy()
        reader:destroy()
    end)

    it("gives a client that says why it cannot be used", function()
        local client = consul.new({ consul_url = "ftp://x" })
        assert.is_false(client.initialized)
        local ok, message = client:kv_get("a")
        assert.is_false(ok)
        assert.matches("unknown scheme", message)
    end)

    it("returns false and a message when nobody answers", function()
        local client = consul.new({ consul_url = "http://127.0.0.1:1" })
        for _, call in ipairs({
            { "kv_get", "a" }, { "kv_put", "a", "b" }, { "kv_delete", "a" }, { "register_service", "i", "n", "a", 1 },
            { "deregister_service", "i" }, { "discover_services", "n" }, { "create_session", "n" },
            { "destroy_session", "i" }, { "http_request", "GET", "/v1/x" },
        }) do
            local ok, message = client[call[1]](client, unpack(call, 2))
            assert.is_false(ok)
            assert.matches("connection refused", message)
        end
        client:destroy()
    end)

    it("repeats what is harmless, and logs when it is told to", function()
        local output, status = helper.luajit([[
            local client = require("consul_ffi").new({
                consul_url = "http://127.0.0.1:1", retry_count = 2, log_level = "warn" })
            print(client:kv_put("a", "b"))]])
        assert.equal(0, status)
        local _, repeats = output:gsub("%[WARN%]", "")
        local _, failures = output:gsub("%[ERROR%]", "")
        assert.equal(2, repeats)
        assert.equal(1, failures)
    end)

    it("is silent without a log level", function()
        local output = helper.luajit([[
            require("consul_ffi").new({ consul_url = "http://127.0.0.1:1" }):kv_get("a")]])
        assert.equal("", output)
    end)

    it("says what a program has left out, which is not the text nil", function()
        local client = consul.new({ simulate = true })
        for _, call in ipairs({
            { "key", "kv_get" }, { "key", "kv_put", nil, "b" }, { "value", "kv_put", "a", nil },
            { "key", "kv_delete" }, { "service id", "deregister_service" },
            { "service name", "discover_services" }, { "session id", "destroy_session" },
            { "service name", "register_service", "i" },
            { "method", "http_request" }, { "path", "http_request", "GET" },
        }) do
            assert.same({ false, call[1] .. " is missing" }, { client[call[2]](client, unpack(call, 3, 4)) })
        end
        client:destroy()
    end)

    it("does not take the 404 of somebody else, or of a wrong path, for a key that does not exist", function()
        local index
        local native = { request = function()
            local response = { status = 404, body = "", meta = { index = index } }
            return nil, { code = consul.NOT_FOUND, response = response }
        end }
        local client = consul.ConsulClient.over(native, { consul_url = "http://agent:8500/v1" })
        index = 7ULL
        assert.same({ true, "[]" }, { client:kv_get("a") })
        index = 0ULL
        assert.same({ false, "kv_get /v1/kv/a: 404, not found" }, { client:kv_get("a") })
    end)

    it("checks a service where it listens, and refuses what no check can reach", function()
        local sent
        local native = { request = function(_, _, _, body)
            sent = body
            return { body = "" }
        end }
        local client = consul.ConsulClient.over(native, { consul_url = "http://agent:8500" })
        for address, host in pairs({ ["10.0.0.1"] = "10.0.0.1", ["::1"] = "[::1]", [""] = "127.0.0.1" }) do
            assert.is_true((client:register_service("i", "n", address, "80", "one tag")))
            assert.equal("http://" .. host .. ":80/health", sent.Check.HTTP)
            assert.equal(address, sent.Address)
            assert.same({ "one tag" }, sent.Tags)
        end
        assert.is_true((client:register_service("i", "n", nil, 80)))
        assert.equal("http://127.0.0.1:80/health", sent.Check.HTTP)
        assert.same({ false, "port must be a number, not nothing" }, { client:register_service("i", "n", "a") })
        assert.same(
            { false, "tags must be a list of texts, not a number" },
            { client:register_service("i", "n", "a", 80, 5) }
        )
    end)

    it("makes JSON of nodes, and says what JSON cannot hold", function()
        local client = consul.new({ simulate = true })
        assert.equal('{"list":[{"id":"a"}]}', client:table_to_json({ list = { new_node({ id = "a" }) } }))
        assert.equal('{"id":"a"}', client.table_to_json(new_node({ id = "a" })))
        assert.same({ true, "true" }, { client:kv_put("json/node", { owner = new_node({ id = "a" }) }) })
        local _, body = client:kv_get("json/node")
        assert.equal(client:base64_encode('{"owner":{"id":"a"}}'), consul.json.decode(body)[1].Value)
        local text, message = client:table_to_json({ f = print })
        assert.is_nil(text)
        assert.equal("value: JSON cannot hold a function (at .f)", message)
        client:destroy()
    end)

    it("tries once at least, whatever retry_count says", function()
        for _, count in ipairs({ -1, 0.5, "1" }) do
            local client = consul.new({ simulate = true, retry_count = count })
            assert.same({ true, "true" }, { client:kv_put("tried", "a") })
            assert.equal(math.max(0, math.floor(count)), client.retry_count)
            client:destroy()
        end
        local away = consul.new({ consul_url = "http://127.0.0.1:1", retry_count = 0.5 })
        local ok, message = away:kv_get("a")
        assert.is_false(ok)
        assert.matches("connection refused", message)
        away:destroy()
    end)

    it("takes any timeout from 0, which is no limit", function()
        for _, timeout in ipairs({ 0, 0.5, 1500.5, "1500.5", 1e12, math.huge }) do
            local client = consul.new({ simulate = true, timeout = timeout })
            assert.equal(tonumber(timeout), client.timeout)
            assert.is_true(client.initialized, client.problem)
            client:destroy()
        end
    end)

    it("says which setting cannot be used", function()
        for expected, config in pairs({
            ["timeout must be a number from 0, not -1"] = { timeout = -1 },
            ['timeout must be a number from 0, not "soon"'] = { timeout = "soon" },
            ["timeout must be a number from 0, not a table"] = { timeout = {} },
            ['retry_count must be a number, not "often"'] = { retry_count = "often" },
            ["log_level must be one of DEBUG, INFO, WARN, ERROR, not \"LOUD\""] = { log_level = "LOUD" },
            ["acl_token must be a text, not a number"] = { acl_token = 5 },
            ["consul_url must be a text, not a number"] = { consul_url = 8500 },
        }) do
            local client = consul.new(config)
            assert.is_false(client.initialized)
            assert.same({ false, expected }, { client:kv_get("a") })
            client:destroy()
        end
        assert.error_matches(function() consul.new(5) end, "config must be a table")
    end)

    it("refuses to read keys that it refuses to write", function()
        local client = consul.new({ simulate = true })
        for _, key in ipairs({ "a//b", "..", "a/./b", "a/..", "a\0b", "a\tb", "", "\255" }) do
            local written, why = client:kv_put(key, "v")
            assert.is_false(written)
            assert.same({ false, why }, { client:kv_get(key) })
        end
        local listed, why = client:kv_get("a//b", true)
        assert.is_false(listed)
        assert.matches("empty segment", why)
        assert.is_true((client:kv_get("", true)))
        client:destroy()
    end)

    it("can be destroyed twice", function()
        local client = consul.new({ consul_url = "http://127.0.0.1:1" })
        assert.is_true(client.initialized)
        client:destroy()
        client:destroy()
        assert.is_false(client.initialized)
        local ok, message = client:kv_put("a", "b")
        assert.is_false(ok)
        assert.matches("destroyed", message)
        client = nil
        assert.equal(0, helper.live_handles())
    end)
end)

with_consul("the earlier module's client", function()
    local client, prefix

    before_each(function()
        client = consul.new({ consul_url = os.getenv("CONSUL_HTTP_ADDR"), timeout = 8000 })
        prefix = helper.prefix()
    end)

    after_each(function()
        client:kv_delete(prefix, true)
        client:destroy()
        client = nil
        assert.equal(0, helper.live_handles())
    end)

    it("puts, gets and deletes keys", function()
        assert.same({ true, "true" }, { client:kv_put(prefix .. "a", "hello") })
        local ok, body = client:kv_get(prefix .. "a")
        assert.is_true(ok)
        assert.equal("aGVsbG8=", body:match('"Value":"([^"]+)"'))
        assert.equal(prefix .. "a", consul.json.decode(body)[1].Key)

        assert.same({ true, "true" }, { client:kv_put(prefix .. "b", { n = 1 }) })
        ok, body = client:kv_get(prefix, true)
        assert.is_true(ok)
        assert.equal(2, #consul.json.decode(body))
        assert.equal(client:base64_encode('{"n":1}'), consul.json.decode(body)[2].Value)

        assert.same({ true, "true" }, { client:kv_delete(prefix .. "a") })
        assert.same({ true, "[]" }, { client:kv_get(prefix .. "a") })
        assert.same({ true, "true" }, { client:kv_delete(prefix, true) })
        assert.same({ true, "[]" }, { client:kv_get(prefix, true) })
    end)

    it("strips one leading slash, encodes keys and keeps every byte", function()
        local key = prefix .. "a b%c#é+?"
        assert.same({ true, "true" }, { client:kv_put("/" .. key, "x\0y\255") })
        local _, body = client:kv_get("/" .. key)
        local pair = consul.json.decode(body)[1]
        assert.equal(key, pair.Key)
        assert.equal(client:base64_encode("x\0y\255"), pair.Value)
        assert.same({ true, "true" }, { client:kv_delete("/" .. key) })
    end)

    it("reads what it has encrypted, in rows like Consul's", function()
        local native = assert(consul.connect({
            encryption_key = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", encryption_prefixes = prefix .. "secret/",
        }))
        local reader = consul.ConsulClient.over(native, { is_encrypting = true })
        local secret, plain = prefix .. "secret/a", prefix .. 'plain/<"é">'
        assert.same({ true, "true" }, { reader:kv_put(secret, "se\0cret") })
        local ok, body = reader:kv_get(secret)
        assert.is_true(ok)
        local row = consul.json.decode(body)[1]
        assert.equal(secret, row.Key)
        assert.equal(client:base64_encode("se\0cret"), row.Value)
        local _, stored = client:kv_get(secret)
        assert.are_not.equal(body, stored)
        assert.equal(body, (stored:gsub('"Value":"[^"]*"', function()
            return '"Value":"' .. row.Value .. '"'
        end)))
        ok, body = reader:kv_get(prefix .. "secret/", true)
        assert.is_true(ok)
        assert.equal(row.Value, consul.json.decode(body)[1].Value)
        assert.same({ true, "[]" }, { reader:kv_get(prefix .. "none") })
        assert.same({ true, "[]" }, { reader:kv_get(prefix .. "none/", true) })

        local session = assert(native.session:create({ ttl_ms = 10000 }))
        assert(native.kv:put(plain, "", { flags = 18446744073709551615ULL }))
        assert.is_true(native.kv:acquire(prefix .. "plain/held", "v", session))
        for _, key in ipairs({ prefix .. "plain/held", plain }) do
            assert.same(
                consul.json.decode((select(2, client:kv_get(key)))),
                consul.json.decode((select(2, reader:kv_get(key))))
            )
        end
        assert.equal(select(2, client:kv_get(prefix .. "plain/held")), select(2, reader:kv_get(prefix .. "plain/held")))

        -- Under another name it does not decrypt.
        local _, raw = client:http_request("GET", "/v1/kv/" .. secret .. "?raw")
        assert.is_true((client:http_request("PUT", "/v1/kv/" .. prefix .. "secret/b", raw)))
        local message
        ok, message = reader:kv_get(prefix .. "secret/b")
        assert.is_false(ok)
        assert.matches("secret/b", message)
        assert.is_false((reader:kv_get(prefix .. "secret/", true)))
        assert(native.session:destroy(session))
        native:close()
        native, reader = nil, nil
    end)

    it("registers, finds and deregisters services", function()
        local id = "svc-" .. prefix:gsub("/", "")
        local tags = { "v1", "primary" }
        assert.is_true((client:register_service(id, id .. "-name", "127.0.0.1", 9999, tags)))
        assert.same({ "v1", "primary" }, tags)
        local entry
        for _ = 1, 50 do
            local ok, body = client:discover_services(id .. "-name")
            assert.is_true(ok)
            entry = consul.json.decode(body)[1]
            if entry and #entry.Checks == 2 then
                break
            end
            client:http_request("GET", "/v1/health/service/" .. id .. "-name", nil, { index = 1, wait = "100ms" })
        end
        assert.equal(id, entry.Service.ID)
        assert.equal(9999, entry.Service.Port)
        assert.same(tags, entry.Service.Tags)
        local _, checks = client:http_request("GET", "agent/checks")
        local check = consul.json.decode(checks)["service:" .. id]
        assert.equal("http", check.Type)
        assert.is_true((client:deregister_service(id)))
        local _, services = client:http_request("GET", "/agent/services")
        assert.is_nil(consul.json.decode(services)[id])
        assert.same({ true, "[]" }, { client:discover_services("no-such-" .. id) })
    end)

    it("creates and destroys sessions", function()
        local ok, body = client:create_session("worker")
        assert.is_true(ok)
        local id = body:match('"ID":"([^"]+)"')
        local _, info = client:http_request("get", "/v1/session/info/" .. id)
        local session = consul.json.decode(info)[1]
        assert.equal("30s", session.TTL)
        assert.equal("delete", session.Behavior)
        assert.equal("worker", session.Name)
        assert.same({ true, "true" }, { client:destroy_session(id) })
        local refused, message = client:create_session("worker", "1s")
        assert.is_false(refused)
        assert.matches("TTL", message)
    end)

    it("reaches any endpoint, with or without /v1", function()
        for _, path in ipairs({ "/v1/status/leader", "v1/status/leader", "/status/leader", "status/leader" }) do
            local ok, body = client:http_request("GET", path)
            assert.is_true(ok)
            assert.matches("127.0.0.1", body)
        end
        assert.is_true((client:http_request("PUT", "/v1/kv/" .. prefix .. "x", "value", { flags = 42 })))
        local ok, body = client:http_request("GET", "/v1/kv/" .. prefix, nil, { recurse = "", stale = true })
        assert.is_true(ok)
        assert.equal(42, consul.json.decode(body)[1].Flags)
        ok, body = client:http_request("GET", "/v1/kv/" .. prefix .. "?keys", nil, "stale")
        assert.is_true(ok)
        assert.same({ prefix .. "x" }, consul.json.decode(body))
        local _, created = client:http_request("PUT", "/v1/session/create", { Name = "by table", TTL = "15s" })
        assert.is_true((client:destroy_session(consul.json.decode(created).ID)))
    end)

    it("reports HTTP errors as failures", function()
        local ok, message = client:http_request("GET", "/v1/kv/" .. prefix .. "none")
        assert.is_false(ok)
        assert.matches("404", message)
        ok, message = client:http_request("GET", "/v1/session/info/nonsense")
        assert.is_false(ok)
        assert.matches("500", message)
        ok, message = client:http_request("GET", "/v1/agent/self", nil, { token = "not-shown" })
        assert.is_true(ok or not message:find("not%-shown"))
    end)

    it("has the helpers that programs use", function()
        assert.equal('{"a":[1,"x\\"y"]}', client:table_to_json({ a = { 1, 'x"y' } }))
        assert.equal("aGk=", client:base64_encode("hi"))
        assert.equal("aGk=", client.base64_encode("hi"))
        assert.same({ false, "JSON cannot hold a function (at .f)" }, { client:kv_put(prefix .. "f", { f = print }) })
    end)
end)
