local base64 = require("consul_ffi.base64")
local url = require("consul_ffi.url")

describe("base64.encode", function()
    it("is that of RFC 4648", function()
        local vectors = {
            [""] = "", f = "Zg==", fo = "Zm8=", foo = "Zm9v", foob = "Zm9vYg==", fooba = "Zm9vYmE=",
            foobar = "Zm9vYmFy", ["\0\255\10"] = "AP8K",
        }
        for bytes, text in pairs(vectors) do
            assert.equal(text, base64.encode(bytes))
        end
    end)
end)

describe("url", function()
    it("encodes keys segment by segment", function()
        assert.equal("a%25b/a%23b/a%20b/a%2Bb%3F/%C3%A9", url.path("a%b/a#b/a b/a+b?/é"))
        assert.equal("a%2Fb", url.segment("a/b"))
    end)

    it("makes a query of a table", function()
        assert.equal(
            "dc=a%26b&recurse&tag=x&tag=y",
            url.query({ recurse = true, dc = "a&b", tag = { "x", "y" }, stale = false })
        )
    end)

    it("leaves alone what a URL may hold", function()
        assert.equal("/v1/kv/a%20b%20?recurse&dc=x%23", url.lenient("/v1/kv/a%20b ?recurse&dc=x#"))
    end)
end)
