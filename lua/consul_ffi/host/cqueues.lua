--- Awaiting in the coroutines of a cqueues controller.
---
---     local host = assert(require("consul_ffi.host.cqueues").new())
---     local later = client:on(host.queue)
---     controller:wrap(function() print(host:await(later.kv:get("app/greeting"))) end)
---     assert(controller:loop())
---
--- A host belongs to one controller, which ends when nobody awaits anything and its own coroutines
--- have ended.

local cqueues = require("cqueues")
local condition = require("cqueues.condition")
local await = require("consul_ffi.await")
local check = require("consul_ffi.check")

local Cqueues = await.kind()

--- A host; `options` as of `consul.queue`.
local function new(options)
    local host, problem = await.new(Cqueues, options)
    local fd = host and host.queue:fd()
    if not fd then
        return nil, problem or "no event descriptor is left"
    end
    host.fd = fd
    host.readable = { pollfd = fd, events = "r" }
    host.stopped = condition.new()
    return host
end

--- A coroutine of the controller, as long as somebody awaits something.
local function pump(host)
    while host.sleepers > 0 do
        cqueues.poll(host.readable, host.stopped)
        while not host.closed and host:deliver(0) do
        end
    end
    host.pumping = false
end

function Cqueues:sleep(state)
    local controller = cqueues.running()
    if not controller then
        check.fail("await is called in a coroutine of a cqueues controller")
    end
    if not self.pumping then
        self.pumping = true
        controller:wrap(pump, self)
    end
    state.condition = state.condition or condition.new()
    state.condition:wait()
end

function Cqueues:wake(state)
    state.condition:signal()
end

function Cqueues:stop()
    self.stopped:signal()
    cqueues.cancel(self.fd)
end

return { new = new }
