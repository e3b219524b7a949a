--- Results of the library as Lua values.

local ffi = require("ffi")
local C = require("consul_ffi.loader")

local result = {}

--- A text of a row, nil when it is empty.
function result.optional(pointer, len)
    if len == 0 then
        return nil
    end
    return ffi.string(pointer, len)
end

--- A list of texts in a row.
function result.texts(pointers, count)
    local list = {}
    for index = 0, tonumber(count) - 1 do
        list[index + 1] = ffi.string(pointers[index])
    end
    return list
end

--- A key with its value.
function result.pair(row)
    return {
        key = ffi.string(row.key, row.key_len),
        value = ffi.string(row.value, row.value_len),
        flags = row.flags,
        session = result.optional(row.session, row.session_len),
        lock_index = row.lock_index,
        create_index = row.create_index,
        modify_index = row.modify_index,
    }
end

--- A table of texts by their names, which stand in two lists.
function result.map(names, values, count)
    local map = {}
    for index = 0, tonumber(count) - 1 do
        map[ffi.string(names[index])] = ffi.string(values[index])
    end
    return map
end

--- What an answer's headers say. `index` is what a blocking query waits on; times are Lua numbers.
function result.meta(row)
    return {
        index = row.index,
        last_contact_ms = tonumber(row.last_contact_ms),
        known_leader = row.known_leader,
        cache_hit = row.cache_hit,
        cache_age_s = tonumber(row.cache_age_s),
    }
end

--- A box for one result of type `consul_<name>`.
function result.box(name)
    return ffi.typeof("consul_" .. name .. " *[1]")
end

--- How a list is read: `take(call, status, box)` gives its entries and the answer's meta. `read_row`
--- makes an entry of a row. `bare` lists come without headers.
function result.list(name, read_row, bare)
    local count, at = "consul_" .. name .. "_count", "consul_" .. name .. "_at"
    local meta = "consul_" .. name .. "_meta"

    local function read(handle, problem)
        local headers = not bare and result.meta(C[meta](handle)) or nil
        if problem then
            problem.meta = headers
            return nil, problem
        end
        local list = {}
        for index = 0, tonumber(C[count](handle)) - 1 do
            list[index + 1] = read_row(C[at](handle, index))
        end
        return list, headers
    end

    return function(call, status, box)
        return call:take(status, box, name, read)
    end
end

--- As `result.list`, for lists of one: the entry alone.
function result.only(name, read_row, bare)
    local at, meta = "consul_" .. name .. "_at", "consul_" .. name .. "_meta"

    local function read(handle, problem)
        local headers = not bare and result.meta(C[meta](handle)) or nil
        if problem then
            problem.meta = headers
            return nil, problem
        end
        local row = C[at](handle, 0)
        return row ~= nil and read_row(row) or nil, headers
    end

    return function(call, status, box)
        return call:take(status, box, name, read)
    end
end

result.text_box = result.box("text")

local function read_text(handle)
    return ffi.string(C.consul_text_data(handle), C.consul_text_len(handle))
end

--- The text in a box.
function result.take_text(call, status, box)
    return call:take(status, box, "text", read_text)
end

--- The text in a box whose call has succeeded.
function result.copy_text(box)
    local text = read_text(box[0])
    C.consul_text_free(box[0])
    return text
end

result.strings_box = result.box("keys")

--- The strings in a box.
result.take_strings = result.list("keys", function(row)
    return ffi.string(row.data, row.len)
end)

return result
