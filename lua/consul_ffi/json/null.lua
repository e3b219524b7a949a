--- JSON's `null` as a value that a table can hold.

return setmetatable({}, {
    __tostring = function()
        return "null"
    end,
})
