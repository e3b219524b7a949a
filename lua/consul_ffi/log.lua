--- The library's log, one for the process: silent until a level is set.
---
---     consul.log.set_level("warning")
---     for _, record in ipairs(consul.log.take()) do
---         print(record.level, record.area, record.message)
---     end

local ffi = require("ffi")
local C = require("consul_ffi.loader")
local check = require("consul_ffi.check")
local errors = require("consul_ffi.errors")
local is_queue = require("consul_ffi.queue").is_queue
local result = require("consul_ffi.result")

local log = {}

local box = result.box("log_records")

local function set(value, name, c_name)
    local problem = value ~= nil and errors.for_nul(check.type(value, "string", name), name)
    if problem then
        return nil, problem
    end
    return errors.answer(C[c_name](value))
end

--- Records what matters as much as this level or more: "error", "warning", "info" or "debug"; nil for
--- silence.
function log.set_level(level)
    return set(level, "level", "consul_log_set_level")
end

--- Writes the records to the end of this file from now on instead of keeping them; nil ends that.
function log.set_file(path)
    return set(path, "path", "consul_log_set_file")
end

local limits = { max_bytes = true, max_files = true, max_age_days = true }

--- Has the log file make room by renaming it to "FILE.1", what was that to "FILE.2", and so on: at
--- `max_bytes`, keeping `max_files` old ones, for `max_age_days` days (a new file begins each day then).
--- What is absent is no bound; nil is none at all.
function log.set_rotation(bounds)
    bounds = check.type(bounds or {}, "table", "bounds")
    check.known(bounds, limits, "bound")
    local function bound(name, whole)
        return bounds[name] and whole(bounds[name], name) or 0
    end
    return errors.answer(C.consul_log_set_rotation(
        bound("max_bytes", check.uint64),
        bound("max_files", check.uint32),
        bound("max_age_days", check.uint32)))
end

local function record(row)
    return {
        level = ffi.string(row.level_name, row.level_name_len),
        area = ffi.string(row.area, row.area_len),
        time_ms = tonumber(row.time_ms),
        message = ffi.string(row.message, row.message_len),
    }
end

--- The records of a handle, which is freed.
local function read(handle)
    local records, list = ffi.gc(handle, C.consul_log_records_free), {}
    for index = 0, tonumber(C.consul_log_records_count(records)) - 1 do
        list[index + 1] = record(C.consul_log_records_at(records, index))
    end
    C.consul_log_records_free(ffi.gc(records, nil))
    return list
end

--- The records that nobody has taken yet, the oldest first, `most` (1024) at most: an empty list when
--- there is none.
function log.take(most)
    local out = box()
    local limit = check.optional_uint64(most, "most", 1024)
    local status = C.consul_log_take(limit, out)
    if status < 0 then
        return nil, errors.from(status)
    end
    return status == errors.codes.OK and read(out[0]) or {}
end

--- Has the records arrive in this queue from now on, and in no other: `queue:next` returns
--- `consul.log`, and the list of records that wait then. nil ends that.
function log.set_queue(queue)
    if queue ~= nil and not is_queue(queue) then
        check.fail("queue must be one of consul.queue()")
    end
    if queue and not queue.handle then
        return nil, errors.new(errors.codes.ERR_HANDLE, "the queue was closed")
    end
    local tag = queue and queue:async().tag or 0
    local done, problem = errors.answer(C.consul_log_set_queue(queue and queue.handle, tag))
    if done then
        if log.feed then
            log.feed.queue.tickets[log.feed.tag] = nil
        end
        log.queue = nil
        log.feed = queue and { queue = queue, tag = queue.tag }
        if queue then
            queue:follow(log)
        end
    end
    return done, problem
end

--- What an event of the queue says: whether it is the last one, and the records.
function log:hear(event)
    local out, status = box(), C.consul_event_status(event)
    if status < 0 then
        return true, nil, errors.of(status, C.consul_event_error(event))
    end
    return false, C.consul_event_take_log_records(event, out) == errors.codes.OK and read(out[0]) or {}
end

--- How many records were lost because nobody took them, or because the file could not be written.
function log.dropped()
    return tonumber(C.consul_log_dropped())
end

return log
