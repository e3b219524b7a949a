-- What can go wrong, and what a program does about it.

local consul = require("consul_ffi")

-- An error's name is in its code, and tostring() gives a line for people.
local client = assert(consul.connect())

local value, err = client.kv:get("app/none")
if not value and err.code == consul.NOT_FOUND then
    print("not found: take the default")
end

local ok
assert(client.kv:put("app/counter", "1"))
ok, err = client.kv:cas("app/counter", "1", 0) -- 0: only if the key does not exist
if ok == false and err.code == consul.CONFLICT then
    print("conflict: read it again, then try again")
end
assert(client.kv:delete("app/counter"))

value, err = client.kv:get("app/none", { token = "11111111-2222-3333-4444-555555555555" })
if not value and err.code == consul.ERR_DENIED then
    print(("denied: another token is needed (HTTP %d)"):format(err.http_status))
else
    print("denied: not here, this Consul asks for no token")
end

local nobody = assert(consul.connect({ address = "http://127.0.0.1:1" })) -- nobody listens there
value, err = nobody.kv:get("app/none")
if not value and err.code == consul.ERR_CONNECT then
    print("connect: " .. (err.retryable and "try again later" or "give up"))
end
nobody:close()

-- Consul answers this after a minute.
local slow = "/v1/kv/app/none?index=1000000000&wait=60s"
value, err = client:request("GET", slow, nil, { timeout_ms = 200 })
if not value and err.code == consul.ERR_TIMEOUT then
    print("timeout: the deadline passed")
end

-- A change that was sent and not answered may have been applied, so it is not simply done again.
local key, payment = "app/payment", "payment 4711"
ok, err = client.kv:cas(key, payment, 0, { timeout_ms = 30000 })
if ok then
    print("outcome: written")
elseif err.code == consul.CONFLICT then
    print("outcome: it was there already")
elseif not err.outcome_unknown then
    print("outcome: not written")
elseif client.kv:get(key) == payment then
    print("outcome: no answer, but it was written")
else
    print("outcome: no answer, and not written so far")
end
assert(client.kv:delete(key))
client:close()
