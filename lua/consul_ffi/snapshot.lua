--- Snapshots: the whole state of the servers in one file. `client.snapshot`.
---
--- Each gives what the snapshot says of itself: a table of `ID`, `Index`, `Term`, `Version` and `Size`.
--- Where `options.timeout_ms` does not say how long it may take, it is ten minutes.

local ffi = require("ffi")
local C = require("consul_ffi.loader")
local begin = require("consul_ffi.call").begin
local check = require("consul_ffi.check")
local document = require("consul_ffi.document")
local errors = require("consul_ffi.errors")
local result = require("consul_ffi.result")

local Snapshot = {}
Snapshot.__index = Snapshot

--- Saves the state of the servers in a file, which is there whole and with right checksums, or not at
--- all. Only its owner can read it: the tokens of the ACL system are in it.
function Snapshot:save(path, options)
    local call, out = begin(self, options, nil, "path", path), result.text_box()
    local status = C.consul_snapshot_save(call.handle, path, call.settings, call.async, out)
    return document.take(call, status, out)
end

--- Replaces the state of the servers by what a file holds: what was written since it was saved is gone.
--- Nothing is sent when the file is not a whole snapshot.
function Snapshot:restore(path, options)
    local call, out = begin(self, options, nil, "path", path), result.text_box()
    local status = C.consul_snapshot_restore(call.handle, path, call.settings, call.async, out)
    return document.take(call, status, out)
end

--- Reads a snapshot from its first byte to its last and compares all checksums; asks no Consul.
function Snapshot:inspect(path)
    local problem = errors.for_nul(check.type(path, "string", "path"), "path")
    if problem then
        return nil, problem
    end
    local out = result.text_box()
    local status = C.consul_snapshot_inspect(path, out)
    if status ~= errors.codes.OK then
        return nil, errors.from(status)
    end
    local handle = ffi.gc(out[0], C.consul_text_free)
    local about, refused = document.read(handle)
    C.consul_text_free(ffi.gc(handle, nil))
    return about, refused
end

return function(client)
    return setmetatable({ client = client }, Snapshot)
end
