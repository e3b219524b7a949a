--- How the values of settings are taken. A kind has `must_be`, for messages, and `take(value)`: what the value
--- stands for, nil when it is none of this kind. What comes from a file or the environment is a text, so
--- numbers and flags are taken as texts too.

local kinds = {}

local function range(from, to)
    local above = from and " from " .. from or ""
    return to and ("%s to %s"):format(above, to) or above
end

--- A number within bounds, each of which may be left out.
function kinds.number(from, to)
    return {
        must_be = "a number" .. range(from, to),
        take = function(value)
            local number = (type(value) == "number" or type(value) == "string") and tonumber(value)
            local fits = number and number == number and number >= (from or number) and number <= (to or number)
            return fits and number or nil
        end,
    }
end

--- A whole number within bounds.
function kinds.whole(from, to)
    local number = kinds.number(from, to)
    return {
        must_be = "a whole number" .. range(from, to),
        take = function(value)
            local whole = number.take(value)
            return whole and whole == math.floor(whole) and whole < math.huge and whole or nil
        end,
    }
end

local FLAGS = {
    ["true"] = true, ["1"] = true, yes = true, on = true,
    ["false"] = false, ["0"] = false, no = false, off = false,
}

kinds.flag = {
    must_be = "true or false",
    take = function(value)
        return FLAGS[tostring(value)]
    end,
}

kinds.text = {
    must_be = "a text",
    take = function(value)
        return type(value) == "string" and value or nil
    end,
}

--- The name of a node, which is the last segment of its key.
kinds.node_id = {
    must_be = "a text that is not empty, without a slash and control characters, and not . or ..",
    take = function(value)
        local id = type(value) == "number" and tostring(value) or value
        local fits = type(id) == "string" and id ~= "" and not id:find("[/%c]") and id ~= "." and id ~= ".."
        return fits and id or nil
    end,
}

--- A node's name that is judged when the node is started.
kinds.name = {
    must_be = "a text",
    take = function(value)
        return (type(value) == "string" or type(value) == "number") and tostring(value) or nil
    end,
}

kinds.table = {
    must_be = "a table",
    take = function(value)
        return type(value) == "table" and value or nil
    end,
}

kinds.texts = {
    must_be = "a list of texts",
    take = function(value)
        for _, text in pairs(type(value) == "table" and value or { false }) do
            if type(text) ~= "string" then
                return nil
            end
        end
        return value
    end,
}

--- One of these words; with `upper` in upper or lower case.
function kinds.word(words, upper)
    return {
        must_be = "one of " .. table.concat(words, ", "),
        take = function(value)
            local given = type(value) == "string" and (upper and value:upper() or value)
            for _, word in ipairs(words) do
                if word == given then
                    return word
                end
            end
        end,
    }
end

--- Nothing here reads it: the program has it as it was, a text of digits as a number.
kinds.any = {
    must_be = "anything",
    take = function(value)
        return type(value) == "string" and tonumber(value) or value
    end,
}

return kinds
