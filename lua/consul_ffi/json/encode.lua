--- Lua values as JSON.
---
--- A table whose keys are 1 to n is an array, any other an object with its names in order; an empty
--- table is an object unless it is marked. Strings are taken byte by byte, so what is UTF-8 stays
--- UTF-8. A number without a fraction is written without one.

local array = require("consul_ffi.json.array")
local null = require("consul_ffi.json.null")
local number = require("consul_ffi.number")
local stand_ins = require("consul_ffi.json.stand_ins")

local MAX_EXACT = 2 ^ 53

local SHORT = {
    ['"'] = '\\"',
    ["\\"] = "\\\\",
    ["\b"] = "\\b",
    ["\f"] = "\\f",
    ["\n"] = "\\n",
    ["\r"] = "\\r",
    ["\t"] = "\\t",
}

local function escape(char)
    return SHORT[char] or ("\\u%04x"):format(char:byte())
end

local function quoted(text)
    return '"' .. text:gsub('[%z\1-\31"\\\127]', escape) .. '"'
end

local function refuse(what, path)
    error(("JSON cannot hold %s (at %s)"):format(what, path == "" and "the top" or path), 0)
end

local function from_number(value, path)
    if value ~= value or value == math.huge or value == -math.huge then
        refuse(tostring(value), path)
    end
    if value == math.floor(value) and math.abs(value) <= MAX_EXACT then
        return number.decimal(value)
    end
    for digits = 15, 17 do
        local text = ("%." .. digits .. "g"):format(value)
        if tonumber(text) == value then
            return text
        end
    end
end

local function from_cdata(value, path)
    if value == nil then
        return "null"
    end
    local text = number.decimal(value)
    if not text:find("^%-?%d+$") then
        refuse(text, path)
    end
    return text
end

local append

local function append_array(parts, t, length, path, open)
    parts[#parts + 1] = "["
    for position = 1, length do
        if position > 1 then
            parts[#parts + 1] = ","
        end
        append(parts, t[position], path .. "[" .. position .. "]", open)
    end
    parts[#parts + 1] = "]"
end

local function sorted_names(t, path)
    local names, values = {}, {}
    for key, value in pairs(t) do
        local name = type(key) == "number" and from_number(key, path) or key
        if type(name) ~= "string" then
            refuse("a " .. type(key) .. " as a name", path)
        end
        if values[name] ~= nil then
            refuse("the name " .. quoted(name) .. " twice", path)
        end
        names[#names + 1] = name
        values[name] = value
    end
    table.sort(names)
    return names, values
end

local function append_object(parts, t, path, open)
    local names, values = sorted_names(t, path)
    parts[#parts + 1] = "{"
    for position, name in ipairs(names) do
        parts[#parts + 1] = (position > 1 and "," or "") .. quoted(name) .. ":"
        append(parts, values[name], path .. "." .. name, open)
    end
    parts[#parts + 1] = "}"
end

local function append_table(parts, t, path, open)
    if open[t] then
        refuse("a table that contains itself", path)
    end
    open[t] = true
    local length = array.length(t)
    if length then
        append_array(parts, t, length, path, open)
    else
        append_object(parts, t, path, open)
    end
    open[t] = nil
end

function append(parts, value, path, open)
    local kind = type(value)
    if kind == "string" then
        parts[#parts + 1] = quoted(value)
    elseif kind == "number" then
        parts[#parts + 1] = from_number(value, path)
    elseif kind == "boolean" then
        parts[#parts + 1] = tostring(value)
    elseif kind == "nil" or value == null or (kind == "userdata" and tostring(value):find("NULL$")) then
        parts[#parts + 1] = "null"
    elseif kind == "cdata" and stand_ins[value] ~= nil then
        append(parts, stand_ins[value], path, open)
    elseif kind == "cdata" then
        parts[#parts + 1] = from_cdata(value, path)
    elseif kind == "table" then
        append_table(parts, value, path, open)
    else
        refuse("a " .. kind, path)
    end
end

--- The JSON text of a value. Raises an error that names the place of what JSON cannot hold.
return function(value)
    local parts = {}
    append(parts, value, "", {})
    return table.concat(parts)
end
