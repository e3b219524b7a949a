--- Tells a program, once for each setting in the life of the process, that it has no effect.

local settings = require("consul_ffi.original.settings")

local told = {}

local function write(line, path)
    local file = path and io.open(path, "a")
    if not file then
        io.stderr:write(line)
        return
    end
    file:write(line)
    file:close()
end

--- Looks at what a program has set in a section, and tells it in the file at `path`, or on stderr.
return function(given, section, path)
    for _, setting in ipairs(settings.without_effect(given, section)) do
        local name = section .. "." .. setting.name
        if not told[name] then
            told[name] = true
            write(("consul_ffi [WARN] the setting %s has no effect: %s\n"):format(name, setting.how), path)
        end
    end
end
