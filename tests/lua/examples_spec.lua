--- What the documentation shows works. The examples have a stage of their own.

local helper = require("helper")

local with_consul = os.getenv("CONSUL_HTTP_ADDR") and describe or pending

local function read(path)
    local file = assert(io.open(helper.root .. path))
    local text = file:read("*a")
    file:close()
    return text
end

--- Shown addresses are the default one; the test's agent is elsewhere.
local function with_address(program)
    return (program:gsub("http://127%.0%.0%.1:8500", (os.getenv("CONSUL_HTTP_ADDR"))))
end

with_consul("the programs that are shown", function()
    it("run: the first one of the README", function()
        for _, page in ipairs({ "README.md", "README.zh-CN.md" }) do
            local program = assert(read(page):match("```lua\n(.-)```"), page)
            local output, status = helper.luajit(with_address(program))
            assert.equal(0, status, output)
            assert.matches(" %d+\n$", output)
        end
    end)

    it("run: the demo", function()
        local folder = helper.quote(helper.root .. "examples/demo")
        local output, status = helper.shell(
            ('LUA_PATH=%s/"?.lua;$LUA_PATH" luajit %s/demo.lua'):format(folder, folder)
        )
        assert.equal(0, status, output)
        assert.matches("All as it should be", output)
    end)
end)
