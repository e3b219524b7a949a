--- The losses of a lock, a semaphore or a kept session in a queue: `lock:set_queue(queue)`.
---
---     local losses = assert(lock:set_queue(host.queue))
---     local what, err = host:await(losses)      -- "lost", or "ended" when nothing more comes

local C = require("consul_ffi.loader")
local check = require("consul_ffi.check")
local errors = require("consul_ffi.errors")
local is_queue = require("consul_ffi.queue").is_queue

local codes = errors.codes

local Losses = {}
Losses.__index = Losses

function Losses:__tostring()
    return "consul ticket of " .. tostring(self.object)
end

--- What an event of the queue says: whether it is the last one, "lost" or "ended", and why.
function Losses:hear(event)
    local status = C.consul_event_status(event)
    local lost = status == codes.ERR_LOCK_LOST or status == codes.ERR_SESSION_INVALID
    return not lost, lost and "lost" or "ended", errors.of(status, C.consul_event_error(event))
end

--- Ends it: its ticket comes once more, with "ended".
function Losses:cancel()
    return errors.answer(C.consul_queue_cancel(self.queue.handle, self.tag))
end

--- Has the losses of an object arrive in this queue by the ticket that is returned, and in no other;
--- nil ends that. `hear` reads the events of an object that tells of more than that.
return function(object, set, queue, hear)
    if queue ~= nil and not is_queue(queue) then
        check.fail("queue must be one of consul.queue()")
    end
    if queue and not queue.handle then
        return nil, errors.new(codes.ERR_HANDLE, "the queue was closed")
    end
    -- One whose calls arrive in another queue is still the same.
    while object.original do
        object = object.original
    end
    local tag = queue and queue:async().tag or 0
    local done, problem = errors.answer(set(object.handle, queue and queue.handle, tag))
    if not done then
        return nil, problem
    end
    local before = object.losses
    if before then
        before.queue.tickets[before.tag] = nil
    end
    object.losses = nil
    if not queue then
        return true
    end
    -- As long as it is listened to, the collector leaves it alone.
    local ticket = setmetatable({ object = object, tag = queue.tag, hear = hear }, Losses)
    queue:follow(ticket)
    object.losses = ticket
    return ticket
end
