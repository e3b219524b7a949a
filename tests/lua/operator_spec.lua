-- What operators do. What needs a management token runs in a program of its own, beside an agent that
-- denies by default.

local consul = require("consul_ffi")
local helper = require("helper")

local with_consul = os.getenv("CONSUL_HTTP_ADDR") and describe or pending

with_consul("what operators do", function()
    local client

    before_each(function()
        client = assert(consul.connect())
    end)

    after_each(function()
        client:close()
        client = nil
        assert.equal(0, helper.live_handles())
    end)

    it("lists the servers of Raft and removes only known ones", function()
        local peers = assert(client.operator:raft_peers())
        assert.equal(1, #peers)
        assert.is_true(peers[1].is_leader and peers[1].is_voter)
        assert.equal(client.status:leader(), peers[1].address)
        for _, subject in ipairs({ { id = "none" }, { address = "127.0.0.1:1" } }) do
            local removed, problem = client.operator:raft_peer_remove(subject)
            assert.is_nil(removed)
            assert.equal(consul.ERR_HTTP, problem.code)
        end
        assert.has_error(function()
            client.operator:raft_peer_remove({})
        end)
    end)

    it("configures autopilot", function()
        -- It is there a moment after the first leader is.
        local config, patience = nil, os.time() + 30
        repeat
            config = client.operator:autopilot_config()
        until config or os.time() > patience
        assert.equal("200ms", config.LastContactThreshold)
        assert.is_true(client.operator:autopilot_config_set(config))
        local set, problem = client.operator:autopilot_config_cas(config, 1)
        assert.is_false(set)
        assert.equal(consul.CONFLICT, problem.code)
        assert.equal("boolean", type(assert(client.operator:autopilot_health()).Healthy))
        local state, refused = client.operator:autopilot_state()
        assert.is_true(state ~= nil or refused.code == consul.ERR_UNSUPPORTED)
    end)

    it("tells how the cluster is, also of one that is away", function()
        local report = assert(client.operator:cluster_report())
        assert.equal(client.status:leader(), report.leader)
        assert.is_true(report.endpoints[1].reachable)
        local nobody = assert(consul.connect({ address = "http://127.0.0.1:1" }))
        report = assert(nobody.operator:cluster_report())
        assert.is_nil(report.leader)
        assert.equal("leader", report.missing[1].part)
        assert.equal("down", report.endpoints[1].state)
        nobody:close()
    end)

    it("says that gossip is not encrypted, and whom it cannot join", function()
        local key = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
        local operator = client.operator
        for _, answer in ipairs({
            { operator:keyring() },
            { operator:keyring_install(key) },
            { operator:keyring_use(key) },
            { operator:keyring_remove(key) },
            { client.agent:join("127.0.0.1:1", { wan = false }) },
        }) do
            assert.equal(consul.ERR_HTTP, answer[2].code)
        end
        -- Newer versions do not mind that there is no such node.
        local _, problem = client.agent:force_leave("none", { prune = true })
        assert.is_true(problem == nil or problem.code == consul.ERR_HTTP)
        local left, refused = client.agent:leave({ token = "a\0b" })
        assert.is_nil(left)
        assert.equal(consul.ERR_ARGUMENT, refused.code)
    end)

    it("exports and imports keys", function()
        local prefix = helper.prefix()
        assert(client.kv:put(prefix .. "a", "\0\255", { flags = 7 }))
        local exported = assert(client.kv:export(prefix))
        assert.equal(prefix .. "a", consul.json.decode(exported)[1].key)
        assert(client.kv:delete_prefix(prefix))
        assert.is_true(client.kv:import(exported))
        assert.is_true(client.kv:import(exported, { prefix = "copy-of-" }))
        local value, meta = client.kv:get("copy-of-" .. prefix .. "a")
        assert.equal("\0\255", value)
        assert.is_true(meta.flags == 7)
        assert(client.kv:delete_prefix("copy-of-" .. prefix))
        assert(client.kv:delete_prefix(prefix))
        local imported, problem = client.kv:import("{}")
        assert.is_nil(imported)
        assert.equal(consul.ERR_ARGUMENT, problem.code)
    end)

    it("refuses what is no snapshot", function()
        local path = helper.folder() .. "snapshot"
        helper.write(path, "garbage")
        for _, answer in ipairs({
            { client.snapshot:inspect(path) },
            { client.snapshot:restore(path) },
        }) do
            assert.is_nil(answer[1])
            assert.equal(consul.ERR_DECODE, answer[2].code)
        end
        assert.equal(consul.ERR_ARGUMENT, select(2, client.snapshot:inspect("a\0b")).code)
    end)

    it("controls access, and saves and restores, by a management token", function()
        helper.must("cd " .. helper.quote(helper.root) .. [[ &&
            tests/support/with-consul.sh --acl deny luajit tests/lua/operator_program.lua]])
    end)
end)
