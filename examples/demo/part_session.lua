local consul = require("consul_ffi")
local show = require("show")

return function(client, prefix)
    show.heading("A session that the library keeps alive")

    local session = assert(client.session:start({ name = prefix, ttl_ms = 10000, behavior = "delete" }))
    local info = assert(client.session:info(session))
    show.line("started", "%s on %s, TTL %d s, behavior %s", show.short(info.id), info.node, info.ttl_ms / 1000, info.behavior)
    show.expect(session:is_valid(), "a new session is not valid")
    show.line("valid for", "%.1f s more, renewed in the background", session:remaining_ms() / 1000)

    local key = prefix .. "/ephemeral"
    assert(client.kv:acquire(key, "mine", session))
    assert(session:destroy())
    local gone, err = client.kv:get(key)
    show.expect(gone == nil and err.code == consul.NOT_FOUND, "the key outlived its session")
    show.line("destroyed", "and its key went with it")
end
