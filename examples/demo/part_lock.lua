local consul = require("consul_ffi")
local rival_of = require("rival")
local show = require("show")

--- The rest of the rival's next line, which must begin with this word.
local function expect_line(rival, word)
    local line = show.expect(rival.next_line(), "the other one ended before it " .. word)
    return show.expect(line:match("^" .. word .. " ?(.*)"), "the other one said: " .. line)
end

return function(client, prefix)
    local key, go = prefix .. "/leader", prefix .. "/go"
    local is_embedded = client:embedded() ~= nil
    show.heading(("A lock that two %s want"):format(is_embedded and "clients" or "processes"))
    local began = show.seconds()

    local own = assert(client:lock(key, { value = "first" }))
    assert(own:acquire(10000))
    local first = own:fencing_token()

    local rival = rival_of(client, key, go)
    local await, lock = rival.await, rival.lock_of(own)
    local one, two = rival.name .. " 1", rival.name .. " 2"
    show.moment(began, one, "holds it, fencing token %s", show.number(first))
    local seen = expect_line(rival, "held")
    show.expect(seen == own:session_id(), "the other one saw another holder")
    show.moment(began, two, "wants it, sees session %s hold it, and waits", show.short(seen))

    local released = show.seconds()
    assert(await(lock:release()))
    show.moment(began, one, "releases it")
    local token, at = expect_line(rival, "acquired"):match("^(%d+) ([%d.]+)$")
    show.moment(began, two, "holds it, fencing token %s, %.0f ms after the release", token, (at - released) * 1000)

    local ok, err = await(lock:try_acquire())
    show.expect(ok == false and err.code == consul.HELD, "two hold the lock")
    show.moment(began, one, "tries again: %s", err.name)

    assert(client.kv:put(go, "release"))
    assert(await(lock:acquire(10000)))
    expect_line(rival, "released")
    rival.close()
    show.moment(began, two, "has released it, and ends")
    local last = own:fencing_token()
    show.moment(began, one, "holds it again, fencing token %s", show.number(last))
    token = show.expect(tonumber(token), "a token is no number")
    show.expect(first < token and token < last, "the fencing tokens do not grow")

    assert(own:put(prefix .. "/guarded", "written while holding the lock"))
    assert(client.session:destroy(own:session_id()))
    local reason = show.expect(own:wait_lost(10000), "the loss of the lock went unseen")
    show.moment(began, one, "has lost it: %s", reason)
    local refused, lost = own:put(prefix .. "/guarded", "too late")
    show.expect(not refused and lost.code == consul.ERR_LOCK_LOST, "a write without the lock went through")
    show.moment(began, one, "may write no more: %s", lost.name)
    own:close()
end
