--- Percent-encoding (RFC 3986). A space becomes %20, never a plus: in a path Consul takes a plus
--- literally.

local url = {}

local function percent(char)
    return ("%%%02X"):format(char:byte())
end

--- One segment of a path, or a name or value of a query.
function url.segment(text)
    return (text:gsub("[^%w%-._~]", percent))
end

--- A path whose slashes separate segments, such as a key.
function url.path(text)
    return (text:gsub("[^%w%-._~/]", percent))
end

--- A path and query that somebody has put together: only what no URL may hold is encoded.
function url.lenient(text)
    return (text:gsub("[^%w%-._~:/?@!$&'()*+,;=%%]", percent))
end

local function parameter(name, value)
    if value == true or value == "" then
        return url.segment(name)
    end
    return url.segment(name) .. "=" .. url.segment(tostring(value))
end

--- A query from a table, in alphabetical order: { recurse = true, dc = "dc1", tag = { "a", "b" } }
--- gives `dc=dc1&recurse&tag=a&tag=b`. What is false is left out.
function url.query(parameters)
    local names, parts = {}, {}
    for name in pairs(parameters) do
        names[#names + 1] = name
    end
    table.sort(names)
    for _, name in ipairs(names) do
        local value = parameters[name]
        if type(value) == "table" then
            for _, each in ipairs(value) do
                parts[#parts + 1] = parameter(name, each)
            end
        elseif value ~= false then
            parts[#parts + 1] = parameter(name, value)
        end
    end
    return table.concat(parts, "&")
end

return url
