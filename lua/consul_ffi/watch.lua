--- Watches: `client:watch(what)`. A watch is a query that the library keeps asking, and its newest
--- state is always there to be read.
---
---     local watch = assert(client:watch({ service = "web", policy = "passing_or_warning" }))
---     assert(watch:wait_ready(5000))
---     local address, port = watch:pick("round_robin")
---
--- What is watched is one of `key`, `prefix`, `service` (with `tags` and `policy`: "passing",
--- "passing_or_warning" or "any"), `services = true`, `nodes = true`, `service_checks`, `node_checks`,
--- `state_checks` ("any", "passing", "warning", "critical"), `events` (true, or a name) and `path`. How
--- it is told of: `settle_ms = { 100, 1000 }`, `floor = { 50, 60000 }` (percent, for how long),
--- `ignore_check_output`, `last_seen_index`, `max_rate` (requests a second), `last_good_file`, `max_age_ms`
--- (while Consul cannot be asked, what is older is not read: `value`, `find`, `list`, `pick` and `lease`
--- return nil and the error for which it cannot be asked); and the
--- options of its requests, such as `token`, `near`, `filter` and `wait_ms`.
---
--- A watch stands still until `refresh` or `wait` moves it to a newer state. Reading asks nobody.
---
--- The watch of `client:on(queue)` comes from `queue:next` each time that something happens to it,
--- with what that is: "ready" (the first state is complete), "changed", "health" (and the error, nil
--- when all is well again), "ended" (and the error, for the last time).

local ffi = require("ffi")
local C = require("consul_ffi.loader")
local call = require("consul_ffi.call")
local check = require("consul_ffi.check")
local errors = require("consul_ffi.errors")
local number = require("consul_ffi.number")
local result = require("consul_ffi.result")
local rows = require("consul_ffi.rows")
local shown = require("consul_ffi.shown")
local spec = require("consul_ffi.spec")
local stats = require("consul_ffi.stats")

local begin, of, plain = call.begin, call.of, call.plain
local codes = errors.codes
local spec_box, watch_box = result.box("watch_spec"), result.box("watch")
local view_box, lease_box = result.box("view"), result.box("lease")

local POLICIES = {
    passing = C.CONSUL_POLICY_PASSING,
    passing_or_warning = C.CONSUL_POLICY_PASSING_OR_WARNING,
    any = C.CONSUL_POLICY_ANY,
}

local PICKS = {
    round_robin = C.CONSUL_PICK_ROUND_ROBIN,
    random = C.CONSUL_PICK_RANDOM,
    weighted = C.CONSUL_PICK_WEIGHTED,
    least_connections = C.CONSUL_PICK_LEAST_CONNECTIONS,
    nearest = C.CONSUL_PICK_NEAREST,
    hash = C.CONSUL_PICK_HASH,
}

local STATES = {
    [C.CONSUL_VIEW_PENDING] = "pending",
    [C.CONSUL_VIEW_FRESH] = "fresh",
    [C.CONSUL_VIEW_EMPTY] = "empty",
    [C.CONSUL_VIEW_STALE] = "stale",
    [C.CONSUL_VIEW_EXPIRED] = "expired",
}

local NEWS = {
    [C.CONSUL_EVENT_WATCH_READY] = "ready",
    [C.CONSUL_EVENT_WATCH_CHANGED] = "changed",
    [C.CONSUL_EVENT_WATCH_HEALTH] = "health",
    [C.CONSUL_EVENT_WATCH_ENDED] = "ended",
}

local function read_name(row)
    return { name = ffi.string(row.name, row.name_len), tags = result.texts(row.tags, row.tag_count) }
end

--- What can be watched: its number in the library, and how its rows are read.
local SUBJECTS = {
    key = { C.CONSUL_WATCH_KEY, "consul_view_kv_at", result.pair },
    prefix = { C.CONSUL_WATCH_PREFIX, "consul_view_kv_at", result.pair },
    service = { C.CONSUL_WATCH_SERVICE, "consul_view_service_entry_at", rows.entry },
    services = { C.CONSUL_WATCH_SERVICES, "consul_view_service_name_at", read_name },
    nodes = { C.CONSUL_WATCH_NODES, "consul_view_node_at", rows.node },
    service_checks = { C.CONSUL_WATCH_SERVICE_CHECKS, "consul_view_check_at", rows.check },
    node_checks = { C.CONSUL_WATCH_NODE_CHECKS, "consul_view_check_at", rows.check },
    state_checks = { C.CONSUL_WATCH_STATE_CHECKS, "consul_view_check_at", rows.check },
    events = { C.CONSUL_WATCH_EVENTS, "consul_view_user_event_at", rows.user_event },
    path = { C.CONSUL_WATCH_PATH },
}

local function chosen(words, word, name)
    local value = words[check.type(word, "string", name)]
    if not value then
        local known = {}
        for each in pairs(words) do
            known[#known + 1] = each
        end
        table.sort(known)
        check.fail('%s is "%s", it takes %s', name, word, table.concat(known, ", "))
    end
    return value
end

local function set_two(handle, value, name, c_name, convert)
    check.type(value, "table", name)
    return C[c_name](handle, convert(value[1], name .. "[1]"), check.uint64(value[2], name .. "[2]"))
end

--- How each is set that is not what is watched.
local SETTERS = {
    tags = spec.each(function(handle, value, name)
        return spec.text(handle, value, name, "consul_watch_spec_add_tag")
    end),
    policy = function(handle, value, name)
        return C.consul_watch_spec_set_policy(handle, chosen(POLICIES, value, name))
    end,
    settle_ms = function(handle, value, name, c_name)
        return set_two(handle, value, name, c_name, check.uint64)
    end,
    floor = function(handle, value, name, c_name)
        return set_two(handle, value, name, c_name, check.uint32)
    end,
    ignore_check_output = spec.flag,
    last_seen_index = spec.number,
    max_rate = spec.uint32,
    last_good_file = spec.text,
    max_age_ms = spec.number,
}

local OWN = {}
for name in pairs(SUBJECTS) do
    OWN[name] = true
end
for name in pairs(SETTERS) do
    OWN[name] = true
end

--- What of it is watched: the subject, and its name in it, if it needs one.
local function subject_of(what)
    local found, name
    for each in pairs(SUBJECTS) do
        if what[each] ~= nil then
            if found then
                check.fail("a watch is of one thing, not of %s and %s", found, each)
            end
            found, name = each, what[each]
        end
    end
    if not found then
        check.fail("a watch needs a key, a prefix, a service or another thing to watch")
    end
    local bare = found == "services" or found == "nodes" or (found == "events" and name == true)
    if bare then
        if name ~= true then
            check.fail("%s must be true, not %s", found, check.shown(name))
        end
        return found
    end
    return found, check.type(name, "string", found)
end

local function set_all(native, what)
    for name, setter in pairs(SETTERS) do
        if what[name] ~= nil then
            local status, problem = setter(native, what[name], name, "consul_watch_spec_set_" .. name)
            if status ~= codes.OK then
                return problem or errors.from(status)
            end
        end
    end
end

--- The native description; nil and an error for what is not allowed.
local function open(subject, name, what)
    local problem = name and errors.for_nul(name, subject)
    if problem then
        return nil, problem
    end
    local out = spec_box()
    local status = C.consul_watch_spec_new(SUBJECTS[subject][1], name, out)
    if status ~= codes.OK then
        return nil, errors.from(status)
    end
    local native = ffi.gc(out[0], C.consul_watch_spec_free)
    problem = set_all(native, what)
    if not problem then
        return native
    end
    C.consul_watch_spec_free(ffi.gc(native, nil))
    return nil, problem
end

local Watch = {}
Watch.__index = Watch
Watch.__tostring = shown("watch of", function(watch)
    -- What comes after the path of a request may be secret.
    local of = watch.of and watch.subject == "path" and watch.of:match("^[^?]*") or watch.of
    return of and watch.subject .. " " .. of or watch.subject
end)

local function check_self(watch)
    if type(watch) ~= "table" or not watch.subject then
        check.fail("a method is called with a colon, as in watch:refresh()")
    end
    return watch.view
end

--- Starts a watch. That Consul is away is no error.
local function new(client, what)
    check.type(what, "table", "watch")
    local subject, name = subject_of(what)
    local call, out = begin(client, what, OWN), watch_box()
    local native = call:with(open(subject, name, what))
    local status = codes.OK
    if native and call.settings then
        status = C.consul_watch_spec_set_options(native, call.settings)
    end
    local queue = call.queue
    local async = queue and queue:async()
    if status == codes.OK then
        status = C.consul_watch_start(call.handle, native, async and async.queue, async and async.tag or 0, out)
    end
    C.consul_watch_spec_free(native and ffi.gc(native, nil))
    local problem = call:finish(status)
    if problem then
        return nil, problem
    end
    local handle, view = ffi.gc(out[0], C.consul_watch_free), view_box()
    status = C.consul_watch_view(handle, view)
    if status ~= codes.OK then
        return nil, errors.from(status)
    end
    local watch = setmetatable({
        client = client,
        handle = handle,
        view = ffi.gc(view[0], C.consul_view_free),
        subject = subject,
        of = name,
    }, Watch)
    if queue then
        queue:follow(watch)
    end
    return watch
end

--- What an event of the queue tells of it, and whether it is the last.
function Watch:hear(event)
    local news = NEWS[C.consul_event_type(event)]
    local status = C.consul_event_status(event)
    local problem = status ~= codes.OK and errors.of(status, C.consul_event_error(event)) or nil
    return news == "ended", news, problem
end

--- The end of a wait: goes on to the newest state, which there is.
local function moved(view, problem)
    if not problem then
        C.consul_view_refresh(view)
    end
    return plain(problem)
end

--- Waits so many milliseconds for a state to read, if only that there is nothing, without a number
--- for ever, and moves there. The error's code is ERR_TIMEOUT when there is none in time.
function Watch:wait_ready(timeout_ms)
    local view, call = check_self(self), of(self)
    local status = C.consul_watch_wait_ready_async(self.handle, check.patience(timeout_ms), call.async)
    return call:conclude(status, function(problem)
        return moved(view, problem)
    end)
end

--- Waits so many milliseconds for a newer state, without a number for ever, and moves there. False
--- and an error with the code NO_CHANGE when there was none.
function Watch:wait(timeout_ms)
    local view, call = check_self(self), of(self)
    local version, limit = C.consul_view_version(view), check.patience(timeout_ms)
    local status = C.consul_watch_wait_newer(self.handle, version, limit, call.async)
    return call:conclude(status, function(problem)
        return moved(view, problem)
    end)
end

--- Moves to the newest state. False when it is there already.
function Watch:refresh()
    return C.consul_view_refresh(check_self(self)) == codes.OK
end

--- The version of the state it stands at; 0ULL before anything was found.
function Watch:version()
    return C.consul_view_version(check_self(self))
end

--- The index of the answer it stands at.
function Watch:index()
    return C.consul_view_index(check_self(self))
end

--- How far the state can be trusted: "fresh", "empty" (Consul has said that there is nothing),
--- "stale" (Consul cannot be asked: see `age_ms`), "expired" (for longer than `max_age_ms`), "pending"
--- (nothing was found yet).
function Watch:state()
    return STATES[C.consul_view_state(check_self(self))]
end

--- How many milliseconds ago Consul confirmed the state; math.huge when it never did.
function Watch:age_ms()
    return number.milliseconds(C.consul_view_age_ms(check_self(self)))
end

--- The error for which what was found is too old to be read; nil where it is not.
local function too_old(view)
    local status = C.consul_view_check(view)
    return status ~= codes.OK and errors.from(status) or nil
end

--- What a read returns that has found nothing: of what was looked for, where it was something by name.
local function nothing(view, name, text)
    local problem = text and errors.for_nul(text, name) or too_old(view)
    return nil, problem or errors.about(errors.from(codes.NOT_FOUND), name, text)
end

--- How many things there are; 0 where they are too old to be read.
function Watch:count()
    return tonumber(C.consul_view_count(check_self(self)))
end

--- The value of a key, in a watch of a key or a prefix; nil and an error with the code NOT_FOUND when there
--- is none.
function Watch:value(key)
    local view = check_self(self)
    if type(key) ~= "string" then
        check.type(key, "string", "key")
    end
    local row = C.consul_view_find_kv(view, key)
    -- C ends a key at a NUL: what it has found then is another one.
    if row ~= nil and row.key_len == #key then
        return ffi.string(row.value, row.value_len)
    end
    return nothing(view, "key", key)
end

--- The instance of a service with this id.
local function find_entry(view, id)
    local row = C.consul_view_find_service_entry(view, check.type(id, "string", "id"))
    if row ~= nil and row.service.id_len == #id then
        return rows.entry(row)
    end
    return nothing(view, "id", id)
end

--- The pair of a key, or the instance of a service with this id; nil and an error with the code NOT_FOUND
--- when there is none.
function Watch:find(name)
    local view = check_self(self)
    if self.subject == "service" then
        return find_entry(view, name)
    end
    local row = C.consul_view_find_kv(view, check.type(name, "string", "key"))
    if row ~= nil and row.key_len == #name then
        return result.pair(row)
    end
    return nothing(view, "key", name)
end

--- Everything there is, as a list of tables. Of a path it is the body as a string.
function Watch:list()
    local view = check_self(self)
    if self.subject == "path" then
        local body = C.consul_view_body(view)
        if body ~= nil then
            return ffi.string(body, C.consul_view_body_len(view))
        end
        return nothing(view)
    end
    local at, read = C[SUBJECTS[self.subject][2]], SUBJECTS[self.subject][3]
    local list = {}
    for index = 0, tonumber(C.consul_view_count(view)) - 1 do
        list[index + 1] = read(at(view, index))
    end
    local problem = not list[1] and too_old(view) or nil
    return not problem and list or nil, problem
end

--- The address and the port of an instance, and its id, picked by "round_robin", "random",
--- "weighted", "least_connections", "nearest" or "hash" (of a key); nil and an error with the code NOT_FOUND
--- when there is none to pick.
function Watch:pick(how, key)
    local view, pick = check_self(self), PICKS[how] or chosen(PICKS, how, "how")
    if key ~= nil and type(key) ~= "string" then
        check.type(key, "string", "key")
    end
    local row = C.consul_view_pick(view, pick, key, key and #key or 0)
    if row ~= nil then
        return ffi.string(row.address, row.address_len), row.service.port,
            ffi.string(row.service.id, row.service.id_len)
    end
    return nothing(view)
end

local Lease = {}
Lease.__index = Lease
Lease.__tostring = shown("lease of", function(lease)
    return ("%s at %s:%d"):format(lease.id, lease.address, lease.port)
end, function()
    return "in use"
end)

--- Ends the use of the instance. Harmless when it was ended before.
function Lease:close()
    if self.handle then
        C.consul_lease_free(ffi.gc(self.handle, nil))
        self.handle = nil
    end
end

--- As `pick`, and counts a use of the instance until `lease:close()`: `lease.address`, `lease.port`
--- and `lease.id`. nil and an error with the code NOT_FOUND when there is none to pick.
function Watch:lease(how, key)
    local out = lease_box()
    local pick = PICKS[how] or chosen(PICKS, how, "how")
    if key ~= nil then
        check.type(key, "string", "key")
    end
    local status = C.consul_view_lease(check_self(self), pick, key, key and #key or 0, out)
    if status ~= codes.OK then
        return nil, errors.from(status)
    end
    local handle = ffi.gc(out[0], C.consul_lease_free)
    local row = C.consul_lease_service_entry(handle)
    return setmetatable({
        handle = handle,
        address = ffi.string(row.address, row.address_len),
        port = row.service.port,
        id = ffi.string(row.service.id, row.service.id_len),
    }, Lease)
end

--- How it is getting on (consul_ffi/stats.lua): `state` ("pending", "fresh", "empty", "stale", "ended"),
--- `last_success_ms`, `next_try_ms`, `last_error`, `consecutive_failures`, `index`, `requests`,
--- `in_flight`, `holding_back`, `last_good_error` and the `version` of the newest state.
function Watch:stats()
    check_self(self)
    return stats(self.handle, "watch")
end

--- Stops it. What was found stays to be read.
function Watch:stop()
    check_self(self)
    return errors.answer(C.consul_watch_stop(self.handle))
end

--- Stops and ends it. Harmless when it was closed before.
function Watch:close()
    local view = check_self(self)
    if view then
        C.consul_view_free(ffi.gc(view, nil))
        C.consul_watch_free(ffi.gc(self.handle, nil))
        self.view, self.handle = nil, nil
    end
end

return new
