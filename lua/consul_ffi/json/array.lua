--- Tells an empty JSON array from an empty object.

local array = {}

local MARK = {}

--- Marks a table without a metatable of its own as an array and returns it.
function array.mark(t)
    return setmetatable(t, MARK)
end

--- How many elements the table has as an array; nil when it is an object.
function array.length(t)
    local highest, count = 0, 0
    for key in pairs(t) do
        if type(key) ~= "number" or key < 1 or key ~= math.floor(key) then
            return nil
        end
        highest = math.max(highest, key)
        count = count + 1
    end
    if count ~= highest or (count == 0 and getmetatable(t) ~= MARK) then
        return nil
    end
    return count
end

return array
