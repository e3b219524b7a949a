-- Takes one from the stock and notes the order, both or neither.

local consul = require("consul_ffi")
local client = assert(consul.connect())

assert(client.kv:put("shop/stock", "10"))

local stock, meta = client.kv:get("shop/stock")
if not stock then
    error(tostring(meta))
end
local left = tonumber(stock) - 1

-- Only if nobody changed the stock since it was read.
local txn = client:txn():cas("shop/stock", tostring(left), meta.modify_index):set("shop/order", "one")

-- Commits, and says what came of it.
local function commit()
    local results, err = txn:commit()
    if results then
        print(("ordered, %d left"):format(left))
    elseif err.code == consul.CONFLICT then
        -- Nothing was done, and the error says why.
        for _, reason in ipairs(err.errors) do
            print(("rolled back by operation %d: %s"):format(reason.operation, reason.what))
        end
    else
        error(tostring(err))
    end
end

commit()
-- Once more: the stock has changed by now. A real program reads it and tries again.
commit()

assert(client.kv:delete_prefix("shop/"))
client:close()
