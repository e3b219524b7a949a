--- The description of a check: `name`, `id`, `notes`, `status` at first, `service_id`, and what it
--- does: `ttl_ms`, or every `interval_ms` one of `http` (with `http_method`, `http_headers`,
--- `http_body`, `tls_skip_verify`, `tls_server_name`), `tcp`, `grpc` (with `grpc_use_tls`), `script`
--- (a list), `docker` ({ container = , shell = }, with `script`), or `alias_service`, `alias_node`.
--- Also `timeout_ms`, `deregister_after_ms`, `success_before_passing`, `failures_before_critical`.

local C = require("consul_ffi.loader")
local check = require("consul_ffi.check")
local errors = require("consul_ffi.errors")
local spec = require("consul_ffi.spec")

local OK = errors.codes.OK

local function add_header(handle, name, value)
    return C.consul_check_spec_add_http_header(handle, name, value)
end

--- The values of a header: one text, or a list of them.
local function add_headers(handle, headers, name)
    for header, values in pairs(check.type(headers, "table", name)) do
        check.type(header, "string", "a name in " .. name)
        local problem = errors.for_nul(header, name)
        for _, value in ipairs(type(values) == "table" and values or { values }) do
            problem = problem or errors.for_nul(check.type(value, "string", name .. "." .. header), name)
            if problem then
                return nil, problem
            end
            local status = add_header(handle, header, value)
            if status ~= OK then
                return status
            end
        end
    end
    return OK
end

local function set_docker(handle, docker, name, c_name)
    check.type(docker, "table", name)
    check.known(docker, { container = true, shell = true }, "docker field")
    local container = check.type(docker.container, "string", name .. ".container")
    local shell = check.type(docker.shell, "string", name .. ".shell")
    local problem = errors.for_nul(container, name) or errors.for_nul(shell, name)
    if problem then
        return nil, problem
    end
    return C[c_name](handle, container, shell)
end

return spec.kind({
    type = "check_spec",
    optional = "name",
    setters = {
        id = spec.text,
        notes = spec.text,
        service_id = spec.text,
        status = spec.text,
        ttl_ms = spec.number,
        http = spec.text,
        http_method = spec.text,
        http_headers = add_headers,
        http_body = spec.text,
        tls_skip_verify = spec.flag,
        tls_server_name = spec.text,
        tcp = spec.text,
        grpc = spec.text,
        grpc_use_tls = spec.flag,
        script = spec.list,
        docker = set_docker,
        alias_service = spec.text,
        alias_node = spec.text,
        interval_ms = spec.number,
        timeout_ms = spec.number,
        deregister_after_ms = spec.number,
        success_before_passing = spec.uint32,
        failures_before_critical = spec.uint32,
    },
})
