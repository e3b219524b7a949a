local consul = require("consul_ffi")
local helper = require("helper")

local with_consul = os.getenv("CONSUL_HTTP_ADDR") and describe or pending

with_consul("client:txn", function()
    local client, prefix

    before_each(function()
        client = assert(consul.connect())
        prefix = helper.prefix()
    end)

    after_each(function()
        client.kv:delete_prefix(prefix)
        client:close()
        client = nil
        assert.equal(0, helper.live_handles())
    end)

    it("applies all operations together", function()
        local results, meta = client:txn()
            :check_not_exists(prefix .. "a")
            :set(prefix .. "a", "one\0", 9007199254740993ULL)
            :set(prefix .. "b", "two")
            :get(prefix .. "a")
            :get_tree(prefix)
            :delete(prefix .. "b")
            :commit()
        assert(results, meta)
        assert.equal(5, #results)
        assert.equal("kv", results[3].kind)
        assert.equal("one\0", results[3].value)
        assert.is_true(results[3].flags == 9007199254740993ULL)
        assert.equal(prefix .. "b", results[5].key)
        assert.is_nil((client.kv:get(prefix .. "b")))
    end)

    it("applies nothing when one of them fails, and says which", function()
        client.kv:put(prefix .. "a", "1")
        local results, err = client:txn():set(prefix .. "b", "2"):check_not_exists(prefix .. "a"):commit()
        assert.is_false(results)
        assert.equal(consul.CONFLICT, err.code)
        assert.equal(1, #err.errors)
        assert.equal(2, err.errors[1].operation)
        assert.matches("exists", err.errors[1].what)
        assert.is_false(err.errors[1].denied)
        assert.matches("^operation 2: ", err.message)
        assert.is_nil((client.kv:get(prefix .. "b")))
    end)

    it("compares, locks and unlocks", function()
        local id = assert(client.session:create({ lock_delay_ms = 0 }))
        local locked = assert(client:txn():lock(prefix .. "l", "me", id, 5):commit())
        local index = locked[1].modify_index
        assert.is_true(index > 0 and locked[1].flags == 5)
        assert(client:txn()
            :check_session(prefix .. "l", id)
            :check_index(prefix .. "l", index)
            :cas(prefix .. "l", "still me", index, 6)
            :commit())
        assert.is_false((client:txn():check_index(prefix .. "l", index):commit()))
        assert(client:txn():unlock(prefix .. "l", "free", id):commit())
        assert.is_false((client:txn():delete_cas(prefix .. "l", index):commit()))
        assert(client:txn():delete_tree(prefix):commit())
        assert.same({}, (client.kv:keys(prefix)))
        assert(client.session:destroy(id))
    end)

    it("takes any other operation as Consul writes it", function()
        local node = client:request("GET", "/v1/agent/self")
        local name = consul.json.decode(node.body).Config.NodeName
        local operation = { Node = { Verb = "get", Node = { Node = name } } }
        local txn = client:txn():add(operation):add(consul.json.encode(operation))
        for _ = 1, 2 do
            local results = assert(txn:commit())
            assert.equal("node", results[2].kind)
            assert.equal(name, results[1].data.Node)
        end
    end)

    it("keeps what is refused for the commit", function()
        local refused = {
            ["key has a NUL at byte 2"] = client:txn():set("a\0", "x"),
            ['operation 2: the key "/a"'] = client:txn():get("a"):get("/a"),
            ["operation 1: "] = client:txn():delete_tree(""),
        }
        for expected, txn in pairs(refused) do
            local results, err = txn:commit()
            assert.is_nil(results)
            assert.equal(consul.ERR_ARGUMENT, err.code)
            assert.truthy(err.message:find(expected, 1, true), err.message)
        end
    end)
end)
