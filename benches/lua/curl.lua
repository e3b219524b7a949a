--- libcurl through ffi, and the decoding that such programs do: lua-cjson for the JSON, base64 by a
--- table and a buffer of the ffi, since LuaJIT has none.

local ffi = require("ffi")
local bit = require("bit")
local cjson = require("cjson")

ffi.cdef([[
typedef void CURL;
typedef size_t (*curl_write)(char *data, size_t size, size_t count, void *user);
CURL *curl_easy_init(void);
void curl_easy_cleanup(CURL *handle);
int curl_easy_setopt(CURL *handle, int option, ...);
int curl_easy_perform(CURL *handle);
int curl_easy_getinfo(CURL *handle, int info, ...);
const char *curl_easy_strerror(int code);
]])

local C = ffi.load("libcurl.so.4")
local URL, WRITE, CUSTOM, BODY, BODY_SIZE, TIMEOUT_MS, NOSIGNAL = 10002, 20011, 10036, 10015, 60, 155, 99
local STATUS = 0x200002

local curl = {}

curl.base = assert(os.getenv("CONSUL_HTTP_ADDR")) .. "/v1/kv/"

local function must(code)
    if code ~= 0 then
        error(ffi.string(C.curl_easy_strerror(code)))
    end
end

local function long(value)
    return ffi.cast("long", value)
end

--- A handle that gives what it receives to a callback.
function curl.open(callback)
    local handle = C.curl_easy_init()
    must(C.curl_easy_setopt(handle, WRITE, callback))
    must(C.curl_easy_setopt(handle, TIMEOUT_MS, long(10000)))
    must(C.curl_easy_setopt(handle, NOSIGNAL, long(1)))
    return handle
end

function curl.close(handle)
    C.curl_easy_cleanup(handle)
end

--- Makes it a handle that writes.
function curl.body(handle, value)
    must(C.curl_easy_setopt(handle, CUSTOM, "PUT"))
    must(C.curl_easy_setopt(handle, BODY_SIZE, long(#value)))
    must(C.curl_easy_setopt(handle, BODY, value))
end

local status = ffi.new("long[1]")
function curl.perform(handle, url)
    must(C.curl_easy_setopt(handle, URL, url))
    must(C.curl_easy_perform(handle))
    must(C.curl_easy_getinfo(handle, STATUS, status))
    if status[0] ~= 200 then
        error(url .. ": " .. tonumber(status[0]))
    end
end

local digits = ffi.new("uint8_t[256]")
for index = 1, 64 do
    local alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    digits[alphabet:byte(index)] = index - 1
end

local room, buffer = 0, nil
local function base64(text)
    local len = #text
    if room < len then
        room, buffer = len * 2, ffi.new("uint8_t[?]", len * 2)
    end
    local input, out = ffi.cast("const uint8_t *", text), 0
    for index = 0, len - 1, 4 do
        local bits = digits[input[index]] * 0x40000
            + digits[input[index + 1]] * 0x1000
            + digits[input[index + 2]] * 0x40
            + digits[input[index + 3]]
        buffer[out] = bit.rshift(bits, 16)
        buffer[out + 1] = bit.band(bit.rshift(bits, 8), 255)
        buffer[out + 2] = bit.band(bits, 255)
        out = out + 3
    end
    if text:sub(-2) == "==" then
        out = out - 2
    elseif text:sub(-1) == "=" then
        out = out - 1
    end
    return ffi.string(buffer, out)
end

--- The bytes of all values in an answer, and how many there are.
function curl.decoded(body)
    local bytes, rows = 0, cjson.decode(body)
    for index = 1, #rows do
        rows[index].Value = base64(rows[index].Value)
        bytes = bytes + #rows[index].Value
    end
    return bytes, #rows
end

return curl
