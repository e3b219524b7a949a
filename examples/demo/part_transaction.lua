local consul = require("consul_ffi")
local show = require("show")

return function(client, prefix)
    local from, to = prefix .. "/account/a", prefix .. "/account/b"
    show.heading("A transaction: all or nothing")

    local opened = assert(client:txn():set(from, "100"):set(to, "0"):commit())
    show.line("open two accounts", "both at index %s", show.number(opened[1].modify_index))

    local moved = assert(client:txn()
        :check_index(from, opened[1].modify_index)
        :set(from, "60")
        :set(to, "40")
        :get(from)
        :get(to)
        :commit())
    show.line("move 40", "now %s and %s", moved[#moved - 1].value, moved[#moved].value)

    local ok, err = client:txn():set(from, "0"):check_index(to, opened[2].modify_index):commit()
    show.expect(ok == false and err.code == consul.CONFLICT, "a stale transaction was applied")
    show.expect(client.kv:get(from) == "60", "a rolled back transaction changed a key")
    show.line("move on a stale index", "rolled back, operation %d refused", err.errors[1].operation)
end
