local consul = require("consul_ffi")
local helper = require("helper")

local with_consul = os.getenv("CONSUL_HTTP_ADDR") and describe or pending

with_consul("client.kv", function()
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

    it("keeps every byte of a value", function()
        local bytes = {}
        for byte = 0, 255 do
            bytes[byte + 1] = string.char(byte)
        end
        local value = table.concat(bytes)
        for _, each in ipairs({ value, "", "\0", value:rep(2000) }) do
            assert.is_true(client.kv:put(prefix .. "bytes", each))
            assert.is_true(client.kv:get(prefix .. "bytes") == each)
        end
    end)

    it("encrypts values at rest, and tells a wrong key from a value", function()
        local first = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
        local second = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
        local function sealing(key, old)
            return assert(consul.connect({ encryption_key = key, encryption_old_keys = old, encryption_prefixes = prefix }))
        end
        local key = prefix .. "secret"
        local before, after, alone = sealing(first), sealing(second, first), sealing(second)
        assert.is_true(before.kv:put(key, "s3cret"))
        assert.equal("s3cret", (before.kv:get(key)))
        assert.equal("\0CFE", client.kv:get(key):sub(1, 4))
        local value, err = alone.kv:get(key)
        assert.is_nil(value)
        assert.equal(consul.ERR_CRYPTO, err.code)
        assert.truthy(err.message:find(key, 1, true))
        assert.same({ rewritten = 1, current = 0, held = 0, outside = 0, failed = 0 }, after.kv:reencrypt(prefix))
        assert.same({ rewritten = 0, current = 1, held = 0, outside = 0, failed = 0 }, after.kv:reencrypt(prefix))
        assert.equal("s3cret", (alone.kv:get(key)))
        value, err = client.kv:reencrypt(prefix)
        assert.is_nil(value)
        assert.equal(consul.ERR_CONFIG, err.code)
        for _, each in ipairs({ before, after, alone }) do
            each:close()
        end
    end)

    it("keeps every bit of flags and indexes", function()
        for _, flags in ipairs({ 9007199254740993ULL, 0x2ddccbc058a50c18ULL, 18446744073709551615ULL }) do
            assert.is_true(client.kv:put(prefix .. "flags", "x", { flags = flags }))
            local _, meta = client.kv:get(prefix .. "flags")
            assert.is_true(meta.flags == flags)
        end
        assert.is_true(client.kv:put(prefix .. "flags", "y", { flags = "3304740253564472344" }))
        local _, meta = client.kv:get(prefix .. "flags")
        assert.is_true(meta.flags == 0x2ddccbc058a50c18ULL)
        assert.equal("cdata", type(meta.modify_index))
        local ok, err = client.kv:cas(prefix .. "flags", "z", 9007199254740993ULL)
        assert.is_false(ok)
        assert.equal(consul.CONFLICT, err.code)
    end)

    it("tells absent, empty and forbidden apart", function()
        local value, err = client.kv:get(prefix .. "absent")
        assert.is_nil(value)
        assert.equal(consul.NOT_FOUND, err.code)
        assert.is_true(err.meta.index > 0)

        client.kv:put(prefix .. "empty", "")
        local meta
        value, meta = client.kv:get(prefix .. "empty")
        assert.equal("", value)
        assert.is_true(meta.modify_index > 0)

        value, err = client.kv:get("/slash")
        assert.is_nil(value)
        assert.equal(consul.ERR_ARGUMENT, err.code)
    end)

    it("says who holds a key", function()
        local id = assert(client.session:create({ behavior = "delete", lock_delay_ms = 0 }))
        local other = assert(client.session:create({ lock_delay_ms = 0 }))
        assert.is_true(client.kv:acquire(prefix .. "lock", "me", id, { flags = 7 }))
        local _, meta = client.kv:get(prefix .. "lock")
        assert.equal(id, meta.session)
        assert.is_true(meta.flags == 7 and meta.lock_index == 1)

        local ok, err = client.kv:acquire(prefix .. "lock", "other", other)
        assert.is_false(ok)
        assert.equal(consul.HELD, err.code)
        ok, err = client.kv:release(prefix .. "lock", "other", other)
        assert.is_false(ok)
        assert.equal(consul.CONFLICT, err.code)
        assert.is_true(client.kv:release(prefix .. "lock", "free", id))
        _, meta = client.kv:get(prefix .. "lock")
        assert.is_nil(meta.session)
        assert.is_true(client.session:destroy(id))
        assert.is_true(client.session:destroy(other))
    end)

    it("writes and deletes only what nobody has changed", function()
        assert.is_true(client.kv:cas(prefix .. "k", "1", 0))
        assert.is_false((client.kv:cas(prefix .. "k", "2", 0)))
        local _, meta = client.kv:get(prefix .. "k")
        assert.is_true(client.kv:cas(prefix .. "k", "2", meta.modify_index, { flags = 5 }))
        assert.is_true(client.kv:update(prefix .. "k", "3"))
        local value, now = client.kv:get(prefix .. "k")
        assert.equal("3", value)
        assert.is_true(now.flags == 5)
        assert.is_false((client.kv:delete_cas(prefix .. "k", meta.modify_index)))
        assert.is_true(client.kv:delete_cas(prefix .. "k", now.modify_index))
        assert.is_true(client.kv:delete(prefix .. "k"))
    end)

    it("lists keys and their values", function()
        for _, name in ipairs({ "a", "b/1", "b/2" }) do
            assert(client.kv:put(prefix .. name, name))
        end
        local list, meta = client.kv:list(prefix)
        assert.equal(3, #list)
        assert.equal(prefix .. "a", list[1].key)
        assert.equal("b/2", list[3].value)
        assert.is_true(meta.index > 0)
        assert.same({ prefix .. "a", prefix .. "b/" }, (client.kv:keys(prefix, { separator = "/" })))
        assert.same({ prefix .. "b/1", prefix .. "b/2" }, (client.kv:keys(prefix .. "b/")))
        assert.same({}, (client.kv:list(prefix .. "none")))
        assert.is_true(client.kv:delete_prefix(prefix .. "b/"))
        assert.equal(1, #client.kv:keys(prefix))
    end)

    it("waits for a change", function()
        client.kv:put(prefix .. "k", "1")
        local _, meta = client.kv:get(prefix .. "k")
        local began = meta.index
        local value
        value, meta = client.kv:get(prefix .. "k", { index = began, wait_ms = 20 })
        assert.equal("1", value)
        assert.is_true(meta.index == began)
        client.kv:put(prefix .. "k", "2")
        value, meta = client.kv:get(prefix .. "k", { index = began, wait_ms = 60000 })
        assert.equal("2", value)
        assert.is_true(meta.index > began)
    end)

    it("refuses a key with a NUL instead of cutting it", function()
        for _, method in ipairs({ "get", "list", "keys", "delete", "delete_prefix" }) do
            local answer, err = client.kv[method](client.kv, prefix .. "a\0b")
            assert.is_nil(answer)
            assert.equal(consul.ERR_ARGUMENT, err.code)
            assert.matches("has a NUL at byte", err.message)
        end
        assert.is_nil((client.kv:put(prefix .. "\0", "x")))
        assert.same({}, (client.kv:list(prefix)))
    end)

    it("reads options and leaves the caller's table alone", function()
        local given = { consistency = "consistent", timeout_ms = 30000, flags = 3 }
        local guarded = setmetatable({}, {
            __index = given,
            __newindex = function()
                error("the table was changed")
            end,
        })
        assert.is_true(client.kv:put(prefix .. "k", "v", given))
        assert.is_true(client.kv:put(prefix .. "k", "v", guarded))
        assert.same({ consistency = "consistent", timeout_ms = 30000, flags = 3 }, given)
        local value, err = client.kv:get(prefix .. "k", { consistency = "sometimes" })
        assert.is_nil(value)
        assert.equal("ERR_CONFIG", err.name)
        assert.matches("one of default, consistent, stale", err.message)
    end)
end)
