local json = require("consul_ffi.json")

describe("json.decode", function()
    it("says that it was given no text", function()
        local here = "json_spec.lua:" .. debug.getinfo(1, "l").currentline + 1
        local ok, message = pcall(function() json.decode(nil) end)
        assert.is_false(ok)
        assert.matches(here, message, 1, true)
        assert.matches("text must be a string, not nothing", message, 1, true)
    end)
end)

describe("json.encode", function()
    it("writes arrays, objects with their names in order, and what is empty", function()
        assert.equal("[1,2,[]]", json.encode({ 1, 2, json.array({}) }))
        assert.equal('{"a":{},"b":[true,false]}', json.encode({ b = { true, false }, a = {} }))
    end)

    it("writes whole numbers without a fraction and keeps every bit of the others", function()
        assert.equal("[1,-7,9007199254740992,0.1]", json.encode({ 1.0, -7, 2 ^ 53, 0.1 }))
        assert.equal(1 / 3, tonumber(json.encode(1 / 3)))
        assert.equal(2 ^ 1000, tonumber(json.encode(2 ^ 1000)))
    end)

    it("writes 64-bit numbers exactly", function()
        assert.equal("18446744073709551615", json.encode(18446744073709551615ULL))
        assert.equal("-9007199254740993", json.encode(-9007199254740993LL))
    end)

    it("escapes quotes, backslashes and control characters, and leaves UTF-8 alone", function()
        assert.equal([["a\"b\\c\n\t\u0000\u001f\u007fé"]], json.encode('a"b\\c\n\t\0\31\127é'))
    end)

    it("takes sparse and mixed tables as objects", function()
        assert.equal('{"1":"a","3":"c"}', json.encode({ [1] = "a", [3] = "c" }))
        assert.equal('{"1":1,"n":2}', json.encode({ 1, n = 2 }))
    end)

    it("refuses what JSON cannot hold, and says where it is", function()
        local cyclic = { list = {} }
        cyclic.list[1] = cyclic
        local refused = {
            { cyclic, "contains itself %(at .list%[1%]%)" },
            { { a = { print } }, "a function %(at .a%[1%]%)" },
            { { 0 / 0 }, "nan" },
            { math.huge, "inf %(at the top%)" },
            { { [1] = 1, ["1"] = 2, x = 3 }, 'the name "1" twice' },
            { { [{}] = 1 }, "a table as a name" },
        }
        for _, case in ipairs(refused) do
            assert.error_matches(function()
                json.encode(case[1])
            end, case[2])
        end
    end)

    it("takes the same table twice when it does not contain itself", function()
        local shared = { 1 }
        assert.equal("[[1],[1]]", json.encode({ shared, shared }))
    end)
end)

describe("json.decode", function()
    it("gives back what encode wrote", function()
        local texts = {
            "[]", "{}", '{"a":[1,{"b":null}],"c":"x\\u0000y"}', "18446744073709551615",
            "-9223372036854775808", "9007199254740993", "true", '"é"',
        }
        for _, text in ipairs(texts) do
            assert.equal(text, json.encode((json.decode(text))))
        end
    end)

    it("makes Lua numbers of what they hold exactly and 64-bit cdata of the rest", function()
        assert.equal(9007199254740991, json.decode("9007199254740991"))
        assert.is_true(json.decode("3304740253564472344") == 0x2ddccbc058a50c18ULL)
        assert.equal(-1.5e3, json.decode("-1.5e3"))
    end)

    it("reads escapes, surrogate pairs and halves of them", function()
        assert.equal("A/é😀\239\191\189", json.decode([["\u0041\/\u00e9\ud83d\ude00\ud800"]]))
    end)

    it("says what is wrong with a text and where", function()
        local wrong = {
            [""] = "byte 1", ["[1,]"] = "byte 4", ["01"] = "byte 1", ["nul"] = "byte 1",
            ['"a'] = "without its end", ["[1] 2"] = "after the value", ['{"a" 1}'] = "colon",
            ["{1:2}"] = "name in quotes", ['"\\x"'] = "unknown escape", ['"\\u12"'] = "hexadecimal",
            ['"a\nb"'] = "control character", ["1."] = "after the value", ["-"] = "not a value",
            ["[1 2]"] = "comma", ['{"a":1 "b":2}'] = "comma", [("["):rep(600)] = "nested deeper",
        }
        for text, expected in pairs(wrong) do
            local value, problem = json.decode(text)
            assert.is_nil(value)
            assert.truthy(problem:find(expected, 1, true), text .. ": " .. problem)
        end
    end)
end)

describe("json.compact", function()
    it("drops white space between tokens and keeps it in strings", function()
        assert.equal(
            [=[{"a b":"x \" y\\","c":[1,2]}]=],
            json.compact([=[{ "a b" : "x \" y\\" ,
                "c": [ 1, 2 ] }]=] .. "\n")
        )
    end)

    it("ends on a text that is cut", function()
        assert.equal('["a\\', json.compact('[ "a\\'))
    end)
end)
