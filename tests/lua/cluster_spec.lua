local consul = require("consul_ffi")
local helper = require("helper")

--- tests/ring/golden.py has written it, an implementation of its own.
local function golden()
    local file = assert(io.open(helper.root .. "tests/ring/golden.txt"))
    local text = file:read("*a")
    file:close()
    local nodes, letters, replicas = text:match("^(.-)\n\n(.-)\n\n(.*)$")
    local names, weights = {}, {}
    for name, weight in nodes:gmatch("(%S+) (%d+)") do
        names[#names + 1] = name
        weights[name] = tonumber(weight)
    end
    local function name_of(letter)
        return names[letter:byte() - 96]
    end
    return weights, letters:gsub("\n", ""), replicas, name_of
end

local function key_of(number)
    return number .. ":" .. ("é"):rep(number % 37)
end

describe("consul.ring", function()
    after_each(function()
        assert.equal(0, helper.live_handles())
    end)

    it("says of ten thousand keys what another implementation says", function()
        local weights, letters, replicas, name_of = golden()
        local ring = assert(consul.ring())
        assert.is_true(ring:set(weights))
        for number = 0, 9999 do
            local wanted = name_of(letters:sub(number + 1, number + 1))
            if ring:node_for_key(key_of(number)) ~= wanted then
                error("key " .. number .. " is not " .. wanted .. "'s")
            end
        end
        local number = 0
        for wanted in replicas:gmatch("%S+") do
            local found = assert(ring:replicas_for_key(key_of(number), #wanted))
            assert.equal(#wanted, #found)
            for place = 1, #wanted do
                assert.equal(name_of(wanted:sub(place, place)), found[place])
            end
            number = number + 1
        end
        assert.equal(1000, number)
        ring:close()
    end)

    it("can be changed", function()
        local ring = assert(consul.ring({ virtual_nodes = 40 }))
        assert.is_nil(ring:node_for_key("k"))
        assert.is_true(ring:set({ "b", "a" }))
        assert.is_true(ring:add("a", 3))
        assert.same({ "a", "b" }, ring:nodes())
        assert.equal(3, ring:weight("a"))
        assert.is_nil(ring:weight("c"))
        assert.equal(2, ring:count())
        assert.equal(2, ring:version())
        assert.is_true(ring:remove("a"))
        local removed, err = ring:remove("a")
        assert.is_false(removed)
        assert.equal(consul.NOT_FOUND, err.code)
        assert.equal("b", ring:node_for_key("k"))
        local added, refused = ring:add("a", 1001)
        assert.is_nil(added)
        assert.equal(consul.ERR_ARGUMENT, refused.code)
        assert.is_nil((ring:add("a\0")))
        ring:close()
        ring:close()
        assert.is_nil(ring:node_for_key("k"))
        assert.is_nil((consul.ring({ virtual_nodes = 10001 })))
        assert.has_error(function()
            ring.add("a")
        end)
    end)
end)

local with_consul = os.getenv("CONSUL_HTTP_ADDR") and describe or pending

with_consul("client:cluster", function()
    local client, prefix

    before_each(function()
        client, prefix = assert(consul.connect()), helper.prefix()
    end)

    after_each(function()
        assert(client.kv:delete_prefix(prefix))
        assert.is_true(client:close(helper.PATIENCE_MS))
        client = nil
        assert.equal(0, helper.live_handles())
    end)

    local function member(id, campaigns)
        return assert(client:cluster({
            id = id, address = id .. ":7000", prefix = prefix, ttl_ms = 60000, min_nodes = 2,
            meta = { rack = "r1" }, campaigns = campaigns,
        }))
    end

    --- Waits for changes until it holds.
    local function wait_until(cluster, holds)
        local seen = cluster:version()
        while not holds() do
            assert(cluster:wait_change(seen, 30000))
            seen = cluster:version()
        end
    end

    it("tells who is in it, who leads and who owns a key", function()
        local queue = consul.queue()
        local one = member("one", true)
        assert.is_true(one:wait_joined(30000))
        local ticket = assert(one:set_queue(queue))
        wait_until(one, function()
            return one:is_leader() and one:leader() == "one"
        end)
        assert.equal("one", one:id())
        assert.is_false(one:has_enough_nodes())
        assert.is_true(one:age_ms() < math.huge)
        assert.equal("joined", one:stats().state)
        local changed, err = one:wait_change(one:version() + 1000, 0)
        assert.is_false(changed)
        assert.equal(consul.NO_CHANGE, err.code)

        local two = member("two", false)
        assert.is_true(two:wait_joined(30000))
        local from, what, nodes
        repeat
            from, what, nodes = queue:next(30000)
            assert.equal(ticket, from)
        until what == "joined"
        assert.equal("two", nodes[1].id)
        assert.equal("alive", nodes[1].state)
        assert.same({ rack = "r1" }, nodes[1].meta)
        wait_until(one, function()
            return one:living() == 2
        end)
        nodes = one:nodes()
        assert.equal(2, #nodes)
        assert.is_true(nodes[1].is_leader)
        local node = one:node_for_key("AAPL")
        assert.equal(node.id .. ":7000", node.address)
        local replicas = one:replicas_for_key("AAPL", 5)
        assert.equal(2, #replicas)
        assert.equal(node.id, replicas[1].id)

        assert.is_true(two:set_weight(7))
        assert.is_true(two:set_meta("rack", nil))
        repeat
            from, what = queue:next(30000)
        until what == "ring"
        assert.is_true(two:leave())
        two:close()
        repeat
            from, what, nodes = queue:next(30000)
        until what == "left"
        assert.equal("two", nodes[1].id)
        local leaving = one:on(queue):leave()
        local left, done
        repeat
            from, what = queue:next(30000)
            left = left or from == leaving and what == true
            done = done or from == ticket and what == "ended"
        until left and done
        one:close()
        queue:close()
    end)

    it("refuses what cannot be", function()
        local cluster, err = client:cluster({ id = "a/b" })
        assert.is_nil(cluster)
        assert.equal(consul.ERR_ARGUMENT, err.code)
        assert.has_error(function()
            client:cluster({ id = "a", wieght = 1 })
        end)
        assert.has_error(function()
            client:cluster({})
        end)
    end)
end)
