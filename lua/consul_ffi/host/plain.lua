--- Awaiting without an event loop: who awaits drives the queue itself.
---
---     local host = assert(require("consul_ffi.host.plain").new())
---     local later = client:on(host.queue)
---     host:spawn(function() print(host:await(later.kv:get("app/one"))) end)
---     host:spawn(function() print(host:await(later.kv:get("app/two"))) end)
---     host:run()

local await = require("consul_ffi.await")

local Plain = await.kind()

--- A host; `options` as of `consul.queue`.
local function new(options)
    local host, problem = await.new(Plain, options)
    if host then
        host.threads, host.running = {}, 0
    end
    return host, problem
end

--- Runs a function in a coroutine, until it awaits something; it goes on in `host:run()`, and while
--- others await.
function Plain:spawn(body, ...)
    local function whole(...)
        body(...)
        self.running = self.running - 1
    end
    local thread = coroutine.create(whole)
    self.threads[thread] = true
    self.running = self.running + 1
    self:step(thread, ...)
end

--- Lets a coroutine of `spawn` run to where it awaits next.
function Plain:step(thread, ...)
    local fine, problem = pcall(await.resume, thread, ...)
    if coroutine.status(thread) == "dead" then
        self.threads[thread] = nil
    end
    if not fine then
        self.running = self.running - 1
        error(problem, 0)
    end
end

--- Returns when everything that was spawned has ended. An error in it is raised here.
function Plain:run()
    while self.running > 0 and self:deliver() do
    end
end

function Plain:sleep(state)
    if self.threads[await.in_coroutine()] then
        await.yield(state)
    else
        self:deliver()
    end
end

function Plain:wake(state)
    await.resume_all(state, function(thread)
        self:step(thread)
    end)
end

return { new = new }
