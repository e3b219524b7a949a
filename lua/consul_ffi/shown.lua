--- How the library's objects print: `consul lock app/leader: held`. What is printed holds no token and
--- no value.

--- The word that the library's statistics have for it.
local function state_of(object)
    local stats = object:stats()
    return stats and stats.state or "closed"
end

--- The `__tostring` of a class. `name(object)` tells one from the others, where it is given, and
--- `state(object)` how it is, where the statistics do not.
return function(kind, name, state)
    state = state or state_of
    return function(object)
        local known = name and name(object)
        local which = known and kind .. " " .. known or kind
        return ("consul %s: %s"):format(which, object.handle and state(object) or "closed")
    end
end
