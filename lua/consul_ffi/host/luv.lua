--- Awaiting in coroutines on libuv's loop, by luv.
---
---     local host = assert(require("consul_ffi.host.luv").new())
---     local later = client:on(host.queue)
---     coroutine.wrap(function() print(host:await(later.kv:get("app/greeting"))) end)()
---     uv.run()
---
--- The loop ends when nobody awaits anything: the host holds it no longer than that.

local uv = require("luv")
local await = require("consul_ffi.await")
local check = require("consul_ffi.check")

local Luv = await.kind()

-- The handle of every descriptor that was polled, to be used again by who gets the same number. They
-- are never closed: luv crashes at exit when its loop has not run since (seen with 1.44), and one that
-- the collector closes late takes the descriptor's next owner out of the loop.
local handles = {}

--- A host on the loop of this thread; `options` as of `consul.queue`.
local function new(options)
    local host, problem = await.new(Luv, options)
    local fd = host and host.queue:fd()
    if not fd then
        return nil, problem or "no event descriptor is left"
    end
    handles[fd] = handles[fd] or uv.new_poll(fd)
    host.poll = handles[fd]
    host.readable = function()
        host:drain()
    end
    return host
end

--- The descriptor is level-triggered: what an error in a coroutine leaves in the queue comes again.
function Luv:drain()
    while not self.closed and self:deliver(0) do
    end
    if not self.closed and self.sleepers == 0 then
        self.poll:stop()
    end
end

function Luv:sleep(state)
    if not await.in_coroutine() then
        check.fail("await is called in a coroutine")
    end
    self.poll:start("r", self.readable)
    await.yield(state)
end

function Luv:wake(state)
    await.resume_all(state, await.resume)
end

function Luv:stop()
    self.poll:stop()
end

return { new = new }
