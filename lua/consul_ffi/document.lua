--- Consul's own JSON objects as Lua tables, with Consul's names: what the library gives and takes as
--- text.

local ffi = require("ffi")
local C = require("consul_ffi.loader")
local check = require("consul_ffi.check")
local errors = require("consul_ffi.errors")
local json = require("consul_ffi.json")

local document = {}

--- What is null in JSON is nothing in a table.
local function without_null(value)
    if type(value) ~= "table" then
        return value
    end
    for key, inner in pairs(value) do
        if inner == json.null then
            value[key] = nil
        else
            without_null(inner)
        end
    end
    return value
end

local function read(handle)
    local value, problem = json.decode(ffi.string(C.consul_text_data(handle), C.consul_text_len(handle)))
    if value == nil then
        return nil, errors.new(errors.codes.ERR_DECODE, problem)
    end
    return without_null(value)
end

--- The table in a box of a text.
function document.take(call, status, box)
    return call:take(status, box, "text", read)
end

--- A table as the text that the library takes.
function document.text(value, name)
    return check.json(check.type(value, "table", name), name)
end

document.read = read

return document
