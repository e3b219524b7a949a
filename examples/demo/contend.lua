--- What the second contender for the demo's lock does, in a process of its own or beside the first:
--- `await` gives what a call returns, `say` tells the first of it.

local consul = require("consul_ffi")
local show = require("show")

return function(client, key, go, await, say)
    local lock = assert(client:lock(key, { value = "second" }))

    local ok, err = await(lock:try_acquire())
    show.expect(ok == false and err.code == consul.HELD, "the lock is free")
    say("held " .. lock:holder())

    assert(await(lock:acquire(20000)))
    say(("acquired %s %.6f"):format(show.number(lock:fencing_token()), show.seconds()))

    local value, meta = await(client.kv:get(go))
    while not value do
        value, meta = await(client.kv:get(go, { index = meta.meta.index, wait_ms = 10000 }))
    end
    assert(await(lock:release()))
    say("released")
    lock:close()
end
