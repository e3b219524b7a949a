--- How the program is, put together: `client:health_report()`, or `consul.health_report()` without a
--- client.
---
---     local report = client:health_report()
---     report:set("database", "passing", nil, 30000)    -- critical when it gets older than 30 s
---     local json, http_status = report:document()      -- what the program's /health sends
---
--- The status is the worst of the checks; 200 passing, 429 warning, 503 critical, as an HTTP check of
--- Consul understands them. With a client the document tells of its services, locks and sessions
--- too, and whether its agent answers.

local ffi = require("ffi")
local C = require("consul_ffi.loader")
local check = require("consul_ffi.check")
local errors = require("consul_ffi.errors")
local result = require("consul_ffi.result")
local shown = require("consul_ffi.shown")

local box = result.box("health_report")

local WORDS = { [200] = "passing", [429] = "warning", [503] = "critical" }

local Report = {}
Report.__index = Report
Report.__tostring = shown("health report", nil, function(report)
    return WORDS[select(2, report:document())] or "unknown"
end)

local function check_self(report)
    if getmetatable(report) ~= Report then
        check.fail("a method is called with a colon, as in report:document()")
    end
    return report.handle
end

--- Sets how a part of the program is: "passing", "warning" or "critical". With `max_age_ms` it counts
--- as critical when it is not set again for longer.
function Report:set(name, status, note, max_age_ms)
    local handle = check_self(self)
    local problem = errors.for_nul(check.type(name, "string", "name"), "name")
        or errors.for_nul(check.type(status, "string", "status"), "status")
        or note ~= nil and errors.for_nul(check.type(note, "string", "note"), "note")
    local limit = check.optional_uint64(max_age_ms, "max_age_ms", 0)
    if problem then
        return nil, problem
    end
    return errors.answer(C.consul_health_report_set(handle, name, status, note, limit))
end

--- Forgets a part of the program. False and NOT_FOUND when there was none of this name.
function Report:remove(name)
    local handle = check_self(self)
    local problem = errors.for_nul(check.type(name, "string", "name"), "name")
    if problem then
        return nil, problem
    end
    return errors.answer(C.consul_health_report_remove(handle, name))
end

--- The JSON and the HTTP status to send. Makes no request.
function Report:document()
    local http_status, out = ffi.new("int32_t[1]"), result.text_box()
    local status = C.consul_health_report_document(check_self(self), http_status, out)
    if status ~= errors.codes.OK then
        return nil, errors.from(status)
    end
    return result.copy_text(out), http_status[0]
end

--- Ends the report. Harmless when it was closed before.
function Report:close()
    local handle = check_self(self)
    if handle then
        C.consul_health_report_free(ffi.gc(handle, nil))
        self.handle = nil
    end
end

--- A report without checks. A method of a client, or called without one.
return function(client)
    if client ~= nil and (type(client) ~= "table" or not client.client) then
        check.fail("a method is called with a colon, as in client:health_report()")
    elseif client and not client.handle then
        return nil, errors.new(errors.codes.ERR_CLOSED, "the client was closed")
    end
    local out = box()
    local status = C.consul_health_report_new(client and client.handle, out)
    if status ~= errors.codes.OK then
        return nil, errors.from(status)
    end
    return setmetatable({ handle = ffi.gc(out[0], C.consul_health_report_free) }, Report)
end
