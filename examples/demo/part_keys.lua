local consul = require("consul_ffi")
local show = require("show")

return function(client, prefix)
    local key = prefix .. "/greeting"
    show.heading("Keys and values")

    assert(client.kv:put(key, "hello"))
    local value, meta = client.kv:get(key)
    show.line("get", "%q, modify index %s", show.expect(value, "the key is gone"), show.number(meta.modify_index))

    assert(client.kv:cas(key, "hello, world", meta.modify_index))
    show.line("compare and set", "written, nobody came in between")
    local ok, err = client.kv:cas(key, "too late", meta.modify_index)
    show.expect(ok == false and err.code == consul.CONFLICT, "the second compare-and-set was not refused")
    show.line("the same once more", "refused: %s", err.name)

    local bytes = {}
    for byte = 0, 255 do
        bytes[byte + 1] = string.char(byte)
    end
    local flags = 0x2ddccbc058a50c18ULL
    assert(client.kv:put(prefix .. "/bytes", table.concat(bytes), { flags = flags }))
    local back, of_bytes = client.kv:get(prefix .. "/bytes")
    show.expect(back == table.concat(bytes) and of_bytes.flags == flags, "a byte or a bit was lost")
    show.line("all 256 bytes", "came back the same")
    show.line("flags above 2^53", "%s, exact", show.number(of_bytes.flags))

    local pairs_found = assert(client.kv:list(prefix .. "/"))
    show.expect(#pairs_found == 2, "the list has other keys")
    for _, pair in ipairs(pairs_found) do
        show.line("list", "%s  %d bytes", pair.key, #pair.value)
    end

    local absent, missing = client.kv:get(prefix .. "/absent")
    show.expect(absent == nil and missing.code == consul.NOT_FOUND, "an absent key was found")
    show.line("a key that is not there", missing.name)
end
