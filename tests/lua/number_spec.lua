local ffi = require("ffi")
local number = require("consul_ffi.number")

describe("number.uint64", function()
    it("takes numbers, 64-bit cdata and digits without loss", function()
        local cases = {
            { 0, 0ULL },
            { 2 ^ 53, 9007199254740992ULL },
            { 9007199254740993ULL, 9007199254740993ULL },
            { 0x2ddccbc058a50c18LL, 3304740253564472344ULL },
            { "18446744073709551615", 18446744073709551615ULL },
            { "0007", 7ULL },
        }
        for _, case in ipairs(cases) do
            local value = assert(number.uint64(case[1]))
            assert.is_true(ffi.istype("uint64_t", value) and value == case[2], tostring(case[1]))
        end
    end)

    it("refuses what would lose something", function()
        local refused = {
            [-1] = "from 0", [1.5] = "whole number", [2 ^ 53 + 2] = "not exact", [math.huge] = "not exact",
            ["18446744073709551616"] = "below 2^64", ["0x10"] = "must be a number", [""] = "must be a number",
            [true] = "not a boolean",
        }
        for value, expected in pairs(refused) do
            local exact, problem = number.uint64(value)
            assert.is_nil(exact)
            assert.truthy(problem:find(expected, 1, true), problem)
        end
        assert.is_nil((number.uint64(-5LL)))
        assert.is_nil((number.uint64(0 / 0)))
        assert.is_nil((number.uint64(ffi.new("int[1]"))))
    end)
end)

describe("number.decimal", function()
    it("writes digits alone", function()
        assert.equal("18446744073709551615", number.decimal(18446744073709551615ULL))
        assert.equal("-1", number.decimal(-1LL))
        assert.equal("9007199254740992", number.decimal(2 ^ 53))
    end)
end)
