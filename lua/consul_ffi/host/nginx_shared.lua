--- One worker of nginx watches for all of them: it writes what it sees into a shared dict, where each
--- worker reads it, those that start later too.
---
---     lua_shared_dict consul 10m;                                       # in nginx.conf
---
---     local shared = require("consul_ffi.host.nginx_shared")
---     local web = assert(shared.new(host, later, {                      -- in init_worker_by_lua
---         dict = ngx.shared.consul, name = "web", watch = { service = "web" },
---     }))
---     local list, state = web:list()                                    -- anywhere
---
--- Which worker it is, is settled in the dict: when it exits another one takes its place within a
--- second, and within seconds when it dies. Two for a moment do no harm.

local check = require("consul_ffi.check")
local json = require("consul_ffi.json")

local ngx = ngx

local TURN_EVERY, LEASE = 1, 3 -- seconds

local OWN = { dict = true, name = true, watch = true }

local Shared = {}
Shared.__index = Shared

--- Keeps the newest state for the other workers.
local function publish(shared, watch)
    watch:refresh()
    local list = watch:list()
    local text = json.encode(type(list) == "table" and json.array(list) or list or json.null)
    local set, problem = shared.dict:set(shared.content_key, watch:state() .. " " .. text)
    if not set then
        ngx.log(ngx.ERR, "consul_ffi: ", shared.name, " does not fit into the shared dict: ", problem)
        return
    end
    shared.dict:incr(shared.version_key, 1, 0)
end

local function owner_of(shared)
    return shared.dict:get(shared.owner_key)
end

--- Watches until this worker exits, or another one has taken over. A timer's work.
local function watch_for_all(_, shared)
    local watch, problem = shared.later:watch(shared.what)
    shared.watch = watch
    if not watch then
        ngx.log(ngx.ERR, "consul_ffi: ", shared.name, " cannot be watched: ", tostring(problem))
    end
    local news = watch
    while news do
        news = shared.host:await(watch)
        if news and news ~= "ended" then
            publish(shared, watch)
        end
    end
    if watch then
        watch:close()
    end
    shared.watch, shared.watching = nil, false
    if owner_of(shared) == ngx.worker.pid() then
        shared.dict:delete(shared.owner_key)
    end
end

--- Sees to it that one worker watches.
local function take_turn(exiting, shared)
    if exiting then
        return
    end
    local me, owner = ngx.worker.pid(), owner_of(shared)
    if owner == me then
        shared.dict:set(shared.owner_key, me, LEASE)
    elseif not owner and shared.dict:add(shared.owner_key, me, LEASE) then
        owner = me
    end
    if owner == me and not shared.watching then
        shared.watching = ngx.timer.at(0, watch_for_all, shared)
    elseif owner ~= me and shared.watch then
        shared.watch:stop()
    end
end

--- What is watched for all workers. `later` is the client of the host's queue; `options.dict` is the
--- dict, `options.name` what it is called there, and `options.watch` as `client:watch` takes it.
local function new(host, later, options)
    check.known(check.type(options, "table", "options"), OWN, "option")
    local name = check.type(options.name, "string", "name")
    local shared = setmetatable({
        host = host,
        later = later,
        what = check.type(options.watch, "table", "watch"),
        name = name,
        dict = options.dict or check.fail("dict must be one of ngx.shared"),
        owner_key = name .. ":owner",
        content_key = name .. ":content",
        version_key = name .. ":version",
    }, Shared)
    take_turn(false, shared)
    local started, problem = ngx.timer.every(TURN_EVERY, take_turn, shared)
    if not started then
        return nil, problem
    end
    return shared
end

--- What `watch:list()` gives in the worker that watches, and `watch:state()` there when it was told
--- last; nil and "pending" before anything was found. The table is the same until something changes:
--- only to be read. Numbers of 64 bits are Lua numbers where those hold them.
function Shared:list()
    local version = self.dict:get(self.version_key)
    -- A dict that is too small drops things.
    local content = version ~= self.version and self.dict:get(self.content_key)
    if content then
        local state, text = content:match("^(%l+) (.*)$")
        local list, problem = json.decode(text)
        if problem then
            return nil, problem
        end
        self.version, self.state, self.content = version, state, list ~= json.null and list or nil
    end
    return self.content, self.state or "pending"
end

--- Whether this worker is the one that watches.
function Shared:is_watching()
    return self.watch ~= nil
end

return { new = new }
