--- Waiting for calls without blocking the thread: what the hosts of `consul_ffi/host` have in common.
---
---     local host = assert(require("consul_ffi.host.luv").new())
---     local later = client:on(host.queue)
---     local value, meta = host:await(later.kv:get("app/greeting"))
---
--- What is awaited is a ticket, or a watch of the queue, or the log; its state is `ticket.call`, or the
--- watch itself. A host is a queue and a way to sleep: `sleep(state)` lets others run until
--- `wake(state, count)` is called for the same state, and may return earlier.

local check = require("consul_ffi.check")
local errors = require("consul_ffi.errors")
local new_queue = require("consul_ffi.queue").new

local codes = errors.codes

-- Of the log, while nobody awaits it.
local MOST_RECORDS = 1024

local Host = {}

local function pack(...)
    return { n = select("#", ...), ... }
end

--- Where a host keeps what it knows of a ticket or a watch.
local function state_of(item)
    return item.call or item
end

--- What is left of two pieces of news of one kind: the newer one, or the records of both.
local function merged(old, new)
    if type(new[1]) ~= "table" then
        return new
    end
    local records = old[1]
    for _, record in ipairs(new[1]) do
        records[#records + 1] = record
    end
    while #records > MOST_RECORDS do
        table.remove(records, 1)
    end
    return old
end

--- What nobody awaits now is kept: one piece of news of each kind.
local function hear(state, told)
    local news = state.news or {}
    state.news = news
    local is_records = type(told[1]) == "table"
    for position, old in ipairs(news) do
        if old[1] == told[1] or is_records and type(old[1]) == "table" then
            news[position] = merged(old, told)
            return
        end
    end
    news[#news + 1] = told
end

--- What a state has to say, if it has: a call's says the same for ever, a watch says a thing once.
local function said(state)
    if not state.hear then
        return state.answer
    end
    local told = state.news and table.remove(state.news, 1)
    if told and told[1] == "ended" then
        state.over = true
    end
    return told
end

--- Why nothing will be heard any more; nil while something may.
local function silence(host, state)
    if host.closed then
        return errors.new(codes.ERR_CLOSED, "the host was closed")
    elseif state.hear and state.over then
        return errors.new(codes.ERR_CLOSED, "it has ended: nothing more comes")
    elseif state.hear and host.leaving then
        return errors.new(codes.ERR_CLOSED, "the worker is exiting")
    end
end

--- What the blocking call would have returned: `host:await(later.kv:get(key))`. Meanwhile others
--- run. Several may await one ticket, and it may be awaited again. What a call has returned at once in
--- place of a ticket is passed on.
---
--- Of a watch it returns what happens to it next: "ready", "changed", "health", "ended" and an error;
--- of `consul.log`, after `consul.log.set_queue(host.queue)`, the next records; of the ticket of
--- `lock:set_queue(host.queue)` "lost" or "ended", and an error.
function Host:await(item, problem)
    if not item or item == true then
        return item, problem
    elseif type(item) ~= "table" or item.queue ~= self.queue then
        check.fail("await takes what a call through client:on(host.queue) returns")
    end
    local state = state_of(item)
    while true do
        local answer = said(state)
        if answer then
            return unpack(answer, 1, answer.n)
        end
        local why = silence(self, state)
        if why then
            return nil, why
        end
        state.sleepers = (state.sleepers or 0) + 1
        self.sleepers = self.sleepers + 1
        self:sleep(state)
    end
end

--- Wakes who awaits a ticket or a watch.
local function rouse(host, state)
    local count = state.sleepers or 0
    if count > 0 then
        state.sleepers = nil
        host.sleepers = host.sleepers - count
        host:wake(state, count)
    end
end

local function delivered(host, item, ...)
    if not item then
        return item, ...
    end
    local state = state_of(item)
    if not state.hear then
        state.answer = pack(...)
    elseif (...) then
        hear(state, pack(...))
    end
    rouse(host, state)
    return true
end

--- Takes one event from the queue and wakes who awaits it: true; false and NO_CHANGE when there was
--- none in so many milliseconds, nil and an error when the queue is closed. For hosts.
function Host:deliver(timeout_ms)
    return delivered(self, self.queue:next(timeout_ms))
end

--- Wakes everybody who awaits something. For hosts.
function Host:rouse_all(items)
    for _, item in pairs(items) do
        rouse(self, state_of(item))
    end
end

--- Closes the host and its queue: what is in flight is cancelled, and who awaits it gets nil and an
--- error with the code ERR_CLOSED. Harmless when it was closed before.
function Host:close()
    if self.closed then
        return
    end
    self.closed = true
    if self.stop then
        self:stop()
    end
    local items = self.queue.tickets
    self.queue:close()
    self:rouse_all(items)
end

--- A kind of host: its methods are added to what this returns.
local function kind()
    local class = {}
    for name, method in pairs(Host) do
        class[name] = method
    end
    class.__index = class
    return class
end

--- A host of a kind. `options` are those of its queue.
local function new(class, options)
    local queue, problem = new_queue(options)
    if not queue then
        return nil, problem
    end
    return setmetatable({ queue = queue, sleepers = 0 }, class)
end

--- Lets a coroutine go on; its error is raised here, with where it came from.
local function resume(thread, ...)
    local fine, problem = coroutine.resume(thread, ...)
    if not fine then
        error(debug.traceback(thread, tostring(problem)), 0)
    end
end

--- Whether this is a coroutine, and not the program's main line.
local function in_coroutine()
    local thread, is_main = coroutine.running()
    return thread and not is_main and thread
end

--- Sleeping for hosts with bare coroutines: yields, until `wake` resumes.
local function yield(state)
    state.threads = state.threads or {}
    table.insert(state.threads, in_coroutine())
    coroutine.yield()
end

--- Lets everybody go on who has yielded, by `step(thread)`. The first error is raised
--- when all of them have.
local function resume_all(state, step)
    local threads = state.threads or {}
    state.threads = nil
    local failed, why = false, nil
    for _, thread in ipairs(threads) do
        local fine, problem = pcall(step, thread)
        if not fine and not failed then
            failed, why = true, problem
        end
    end
    if failed then
        error(why, 0)
    end
end

return {
    kind = kind,
    new = new,
    in_coroutine = in_coroutine,
    resume = resume,
    yield = yield,
    resume_all = resume_all,
}
