--- Services and checks: what is registered at the agent, and how it shows in health and catalog.

local consul = require("consul_ffi")
local helper = require("helper")

local with_consul = os.getenv("CONSUL_HTTP_ADDR") and describe or pending

with_consul("services", function()
    local client, name

    before_each(function()
        client = assert(consul.connect())
        name = helper.prefix():gsub("/", "")
    end)

    after_each(function()
        client.agent:service_deregister(name)
        client:close()
        client = nil
        assert.equal(0, helper.live_handles())
    end)

    --- The only instance, once it is in this state.
    local function instance(status)
        local entries, meta = assert(client.health:service(name))
        while not (entries[1] and entries[1].status == status) do
            entries, meta = assert(client.health:service(name, { index = meta.index, wait_ms = 30000 }))
        end
        assert.equal(1, #entries)
        return entries[1], meta
    end

    it("are registered with everything that belongs to them", function()
        local description = {
            name = name,
            address = "127.0.0.1",
            port = 8080,
            tags = { "v1", "primary" },
            meta = { version = "1.2.3" },
            tagged_addresses = { wan = { address = "192.0.2.1", port = 80 } },
            weights = { passing = 5, warning = 2 },
            enable_tag_override = true,
            check = { name = "alive", ttl_ms = 15000, status = "passing", notes = "reports itself" },
            checks = { { ttl_ms = 20000, status = "warning" } },
            replace_existing_checks = true,
        }
        assert(client.agent:service_register(description))
        assert.equal("alive", description.check.name)

        local entry, meta = instance("warning")
        assert.equal("127.0.0.1", entry.address)
        assert.equal(8080, entry.port)
        assert.equal(name, entry.service.id)
        assert.same({ "v1", "primary" }, entry.service.tags)
        assert.same({ version = "1.2.3" }, entry.service.meta)
        assert.same({ address = "192.0.2.1", port = 80 }, entry.service.tagged_addresses.wan)
        assert.same({ passing = 5, warning = 2 }, entry.service.weights)
        assert.is_true(entry.service.enable_tag_override)
        assert.is_true(entry.service.modify_index > 0 and meta.index > 0)
        assert.truthy(entry.node.name ~= "" and entry.node.datacenter ~= "")
        local notes = {}
        for _, check in ipairs(entry.checks) do
            notes[check.name] = check.notes
        end
        assert.equal("reports itself", notes.alive)

        local service = assert(client.agent:service(name))
        assert.equal(8080, service.port)
        local found
        for _, each in ipairs(assert(client.agent:services())) do
            found = found or each.id == name
        end
        assert.is_true(found)
        assert.equal("warning", client.agent:service_health(name).status)
        assert.equal(name, client.agent:services_health(name)[1].service.name)
    end)

    it("become healthy by their reports", function()
        assert(client.agent:service_register({ name = name, port = 1, tags = { "a" }, check = { ttl_ms = 15000 } }))
        instance("critical")
        assert.same({}, (client.health:service(name, { passing = true })))
        local id = "service:" .. name
        assert.is_true(client.agent:check_pass(id, "fine"))
        local entry = instance("passing")
        assert.equal("fine", entry.checks[#entry.checks].output ~= "" and entry.checks[#entry.checks].output or entry.checks[1].output)
        assert.equal(1, #client.health:service(name, { passing = true, tags = { "a" } }))
        assert.same({}, (client.health:service(name, { tags = { "a", "b" } })))
        assert.is_true(client.agent:check_warn(id))
        instance("warning")
        assert.is_true(client.agent:check_fail(id, "down"))
        instance("critical")
        assert.is_true(client.agent:check_update(id, "passing", "up again"))
        instance("passing")

        local checks = assert(client.health:checks(name))
        assert.equal(1, #checks)
        assert.equal(id, checks[1].id)
        assert.equal(name, checks[1].service)
        assert.equal("up again", checks[1].output)
        local of_node = assert(client.health:node(checks[1].node))
        assert.is_true(#of_node >= 2)
        assert.is_true(#assert(client.health:state("passing")) >= 2)
        local none, err = client.health:state("well")
        assert.is_nil(none)
        assert.equal(consul.ERR_ARGUMENT, err.code)
    end)

    it("go into maintenance and out of it", function()
        assert(client.agent:service_register({ name = name }))
        assert.is_true(client.agent:service_maintenance(name, true, "for repair"))
        local entry = instance("maintenance")
        assert.matches("for repair", entry.checks[1].notes .. entry.checks[#entry.checks].notes)
        assert.is_true(client.agent:service_maintenance(name, false))
        instance("passing")
        local ok, err = client.agent:service_maintenance("no-" .. name, true)
        assert.is_false(ok)
        assert.equal(consul.NOT_FOUND, err.code)
    end)

    it("are found in the catalog until they are removed", function()
        assert(client.agent:service_register({ name = name, tags = { "x" } }))
        instance("passing")
        local entries = assert(client.catalog:service(name, { tags = { "x" } }))
        assert.equal(name, entries[1].service.name)
        local tags
        for _, service in ipairs(assert(client.catalog:services())) do
            if service.name == name then
                tags = service.tags
            end
        end
        assert.same({ "x" }, tags)
        local node = assert(client.catalog:node(entries[1].node.name))
        assert.equal(entries[1].node.id, node.node.id)
        assert.is_true(#node.services >= 2)
        local names = {}
        for _, each in ipairs(assert(client.catalog:nodes())) do
            names[each.name] = true
        end
        assert.is_true(names[entries[1].node.name])

        assert.is_true(client.agent:service_deregister(name))
        local none, err = client.agent:service(name)
        assert.is_nil(none)
        assert.equal(consul.NOT_FOUND, err.code)
        none, err = client.agent:service_health(name)
        assert.is_nil(none)
        assert.equal(consul.NOT_FOUND, err.code)
    end)

    it("have checks of every kind", function()
        local kinds = {
            { http = "http://127.0.0.1:1/", http_method = "POST", http_headers = { ["X-A"] = { "1", "2" }, ["X-B"] = "3" }, http_body = "b", tls_skip_verify = true },
            { tcp = "127.0.0.1:1" },
            { grpc = "127.0.0.1:1", grpc_use_tls = true },
            { script = { "/bin/true", "a b" } },
        }
        for position, check in ipairs(kinds) do
            check.name, check.id = "kind " .. position, name .. position
            check.interval_ms, check.timeout_ms = 60000, 1000
            check.success_before_passing, check.failures_before_critical = 1, 2
            assert(client.agent:check_register(check))
        end
        -- Consul 1.8.7 itself ends when it is given an alias of a node that does not exist.
        assert(client.agent:service_register({ name = name }))
        assert(client.agent:check_register({ name = "alias", id = name .. "alias", alias_service = name, notes = "n" }))
        local found = {}
        for _, check in ipairs(assert(client.agent:checks())) do
            found[check.id] = check
        end
        assert.equal("alias", found[name .. "alias"].name)
        for position in ipairs(kinds) do
            assert.equal("kind " .. position, found[name .. position].name)
            assert(client.agent:check_deregister(name .. position))
        end
        assert.is_true(client.agent:check_deregister(name .. "alias"))
        local ok, err = client.agent:check_register({ name = name, docker = { container = "c", shell = "sh" } })
        assert.is_nil(ok)
        assert.equal(consul.ERR_ARGUMENT, err.code)
    end)

    it("are refused where they are wrong", function()
        for expected, description in pairs({
            ["NUL"] = { name = name, tags = { "a\0" } },
            ["service.name has a NUL"] = { name = "a\0" },
            ["meta.k"] = { name = name, meta = { k = "a\0" } },
        }) do
            local ok, err = client.agent:service_register(description)
            assert.is_nil(ok)
            assert.equal(consul.ERR_ARGUMENT, err.code)
            assert.truthy(err.message:find(expected, 1, true), err.message)
        end
        for expected, mistake in pairs({
            ["service.name must be a string, not nothing"] = function() client.agent:service_register({}) end,
            ["port must be below 2^32"] = function() client.agent:service_register({ name = name, port = 2 ^ 40 }) end,
            ['unknown service field "prot"'] = function() client.agent:service_register({ name = name, prot = 1 }) end,
            ['unknown check field "interval"'] = function() client.agent:service_register({ name = name, checks = { { interval = 1 } } }) end,
            ["tags[1] must be a string"] = function() client.agent:service_register({ name = name, tags = { 1 } }) end,
            ["enable must be a boolean"] = function() client.agent:maintenance("yes") end,
            ["either service_id or check_id"] = function() client.catalog:deregister({ node = "n", service_id = "a", check_id = "b" }) end,
            ["passing must be a boolean"] = function() client.health:service(name, { passing = 1 }) end,
        }) do
            local ok, message = pcall(mistake)
            assert.is_false(ok)
            assert.truthy(message:find("service_spec.lua:%d+: consul_ffi: ") and message:find(expected, 1, true), message)
        end
    end)
end)

with_consul("client.catalog", function()
    it("registers and removes what no agent knows", function()
        local client = assert(consul.connect())
        local node = helper.prefix():gsub("/", "")
        assert(client.catalog:register({
            node = node,
            address = "192.0.2.7",
            node_meta = { rack = "a" },
            tagged_addresses = { lan = "192.0.2.7" },
            service = { name = "external", id = "e1", port = 5 },
            checks = { { id = "c1", name = "c", status = "passing", service_id = "e1", output = "ok" } },
        }))
        local known = assert(client.catalog:node(node))
        assert.equal("192.0.2.7", known.node.address)
        assert.same({ rack = "a" }, known.node.meta)
        assert.equal("e1", known.services[1].id)
        local entry = client.health:service("external", { node_meta = { rack = "a" } })[1]
        assert.equal("192.0.2.7", entry.address)
        assert.equal("passing", entry.status)

        assert(client.catalog:deregister({ node = node, check_id = "c1" }))
        assert.same({}, (client.health:checks("external")))
        assert(client.catalog:deregister({ node = node, service_id = "e1" }))
        assert(client.catalog:deregister({ node = node }))
        local none, err = client.catalog:node(node)
        assert.is_nil(none)
        assert.equal(consul.NOT_FOUND, err.code)
        client:close()
    end)
end)

with_consul("client.agent and client.status", function()
    it("say who is there", function()
        local client = assert(consul.connect())
        local agent = assert(client.agent:self())
        assert.matches("^%d+%.%d+", agent.version)
        assert.equal(agent.node_name, consul.json.decode(agent.json).Config.NodeName)
        assert.is_true(agent.is_server)
        local members = assert(client.agent:members())
        assert.equal(agent.node_name, members[1].name)
        assert.equal("alive", members[1].status)
        assert.equal("consul", members[1].tags.role)
        assert.equal(agent.datacenter, client.catalog:datacenters()[1])
        local leader = assert(client.status:leader())
        assert.same({ leader }, (client.status:peers()))
        assert.is_true(client.agent:maintenance(true, "upgrade"))
        assert.is_true(client.agent:maintenance(false))
        client:close()
        client = nil
        assert.equal(0, helper.live_handles())
    end)
end)

with_consul("user events", function()
    local client, name

    before_each(function()
        client = assert(consul.connect())
        name = helper.prefix():gsub("/", "")
    end)

    after_each(function()
        client:close()
        assert.equal(0, helper.live_handles())
    end)

    --- The events of this name, once there are some.
    local function heard()
        local events, meta = assert(client.event:list(name))
        while not events[1] do
            events, meta = assert(client.event:list(name, { index = meta.index, wait_ms = 5000 }))
        end
        return events
    end

    it("are heard of by whom they are meant for", function()
        local fired = assert(client.event:fire(name, "a\0b", { node = "^nowhere$" }))
        assert.equal("^nowhere$", fired.node_filter)
        fired = assert(client.event:fire(name, "a\0b"))
        local events = heard()
        assert.equal(1, #events)
        assert.equal(fired.id, events[1].id)
        assert.equal("a\0b", events[1].payload)
        assert.is_true(events[1].ltime > 0 and #assert(client.event:list()) >= 1)
    end)

    it("are fired and read without waiting", function()
        local queue = assert(consul.queue())
        local later = client:on(queue)
        local ticket = assert(later.event:fire(name))
        local done, fired = queue:next(30000)
        assert.equal(ticket, done)
        assert.equal("", fired.payload)
        assert.equal(fired.id, heard()[1].id)
        ticket = assert(later.event:list(name))
        local _, events, meta = queue:next(30000)
        assert.equal(name, events[1].name)
        assert.is_true(meta.index > 0)
        queue:close()
    end)

    it("that cannot be are refused", function()
        local event, err = client.event:fire(name, ("x"):rep(600))
        assert.is_nil(event)
        assert.equal(consul.ERR_TOO_LARGE, err.code)
        event, err = client.event:fire(name, nil, { tag = "blue" })
        assert.is_nil(event)
        assert.equal(consul.ERR_ARGUMENT, err.code)
        event, err = client.event:fire(name, nil, { node = "a\0b" })
        assert.is_nil(event)
        assert.equal(consul.ERR_ARGUMENT, err.code)
        assert.has_error(function() client.event:fire(name, 7) end)
        assert.has_error(function() client.event:fire(name, "", { service = true }) end)
    end)
end)
