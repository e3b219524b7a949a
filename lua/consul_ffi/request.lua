--- Any endpoint of Consul's HTTP API: `client:request(method, path, body, options)`.

local ffi = require("ffi")
local C = require("consul_ffi.loader")
local begin = require("consul_ffi.call").begin
local check = require("consul_ffi.check")
local result = require("consul_ffi.result")
local url = require("consul_ffi.url")

local OWN = { query = true, content_type = true }
local box = result.box("response")

local function read(handle, problem)
    local response = {
        status = C.consul_response_http_status(handle),
        body = ffi.string(C.consul_response_body(handle), C.consul_response_body_len(handle)),
        content_type = ffi.string(C.consul_response_content_type(handle)),
        meta = result.meta(C.consul_response_meta(handle)),
    }
    if problem then
        problem.response = response
        return nil, problem
    end
    return response
end

local function with_query(path, query)
    if query == nil then
        return path
    end
    local text = url.query(check.type(query, "table", "query"))
    if text == "" then
        return path
    end
    return path .. (path:find("?", 1, true) and "&" or "?") .. text
end

local function body_text(body)
    if type(body) == "table" then
        return check.json(body, "body")
    end
    return body == nil and "" or check.type(body, "string", "body")
end

--- Sends a request and returns a table of `status`, `body`, `content_type` and `meta`. The path
--- begins with `/v1/` and is percent-encoded; `options.query` is a table of parameters that are
--- encoded here. A table as the body is sent as JSON. A 404 gives nil and an error with the code
--- NOT_FOUND, whose `response` is such a table.
return function(client, method, path, body, options)
    local own = type(options) == "table" and options or {}
    local content_type = own.content_type
    local call = begin(
        client, options, OWN,
        "method", method, "path", path, content_type and "content_type", content_type
    )
    local target, bytes, out = with_query(path, own.query), body_text(body), box()
    local status = C.consul_request(
        call.handle, method, target, bytes, #bytes, content_type, call.settings, call.async, out
    )
    return call:take(status, out, "response", read)
end
