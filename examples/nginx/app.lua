-- The Lua of nginx.conf: a live view in every worker, and a call that a request awaits.

local consul = require("consul_ffi")
local nginx = require("consul_ffi.host.nginx")
local balancer = require("ngx.balancer")

local app = {}

-- Once for all workers: a client starts nothing, and goes on in each of them.
local client = assert(consul.connect())
local host, later, web

function app.start()
    host = assert(nginx.new())
    later = client:on(host.queue)
    web = assert(client:watch({ service = "web", policy = "passing" }))
end

-- Releases the locks and ends the sessions of this worker.
function app.stop()
    client:close(2000)
end

-- A balancer cannot say that there is nobody: it is said before.
function app.check()
    web:refresh()
    if web:count() == 0 then
        return ngx.exit(ngx.HTTP_SERVICE_UNAVAILABLE)
    end
end

-- Picks an instance; when nginx asks again for the same request, one that was not tried.
function app.balance()
    local tried = ngx.ctx.tried
    if not tried then
        tried = {}
        ngx.ctx.tried = tried
        balancer.set_more_tries(math.max(web:count() - 1, 0))
    end
    for _ = 1, 2 * web:count() do
        local address, port, id = web:pick("round_robin")
        if address and not tried[id] then
            tried[id] = true
            return assert(balancer.set_current_peer(address, port))
        end
    end
    return ngx.exit(ngx.ERROR)
end

-- Waits for Consul; the worker serves other requests meanwhile.
function app.greeting()
    local value, err = host:await(later.kv:get("app/greeting"))
    if value then
        return ngx.say(value)
    end
    ngx.status = err.code == consul.NOT_FOUND and ngx.HTTP_NOT_FOUND or ngx.HTTP_SERVICE_UNAVAILABLE
    ngx.say(tostring(err))
end

return app
