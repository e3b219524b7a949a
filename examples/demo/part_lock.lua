local consul = require("consul_ffi")
local show = require("show")

--- Another process that wants the lock (contender.lua). It writes a line whenever it has done
--- something, and waits for the key `go` before it releases.
local function start_contender(key, go)
    local luajit = arg and arg[-1] or "luajit"
    local file = arg[0]:gsub("demo%.lua$", "contender.lua")
    return assert(io.popen(("%s %s %s %s"):format(luajit, file, key, go)))
end

--- The rest of the contender's next line, which must begin with this word.
local function expect_line(contender, word)
    local line = show.expect(contender:read("*l"), "the other process ended before it " .. word)
    return show.expect(line:match("^" .. word .. " ?(.*)"), "the other process said: " .. line)
end

return function(client, prefix)
    local key, go = prefix .. "/leader", prefix .. "/go"
    show.heading("A lock that two processes want")
    local began = show.seconds()

    local lock = assert(client:lock(key, { value = "first" }))
    assert(lock:acquire(10000))
    local first = lock:fencing_token()
    show.moment(began, "process 1", "holds it, fencing token %s", show.number(first))

    local contender = start_contender(key, go)
    local seen = expect_line(contender, "held")
    show.expect(seen == lock:session_id(), "the other process saw another holder")
    show.moment(began, "process 2", "wants it, sees session %s hold it, and waits", show.short(seen))

    local released = show.seconds()
    assert(lock:release())
    show.moment(began, "process 1", "releases it")
    local token, at = expect_line(contender, "acquired"):match("^(%d+) ([%d.]+)$")
    show.moment(began, "process 2", "holds it, fencing token %s, %.0f ms after the release", token, (at - released) * 1000)

    local ok, err = lock:try_acquire()
    show.expect(ok == false and err.code == consul.HELD, "two processes hold the lock")
    show.moment(began, "process 1", "tries again: %s", err.name)

    assert(client.kv:put(go, "release"))
    assert(lock:acquire(10000))
    expect_line(contender, "released")
    contender:close()
    show.moment(began, "process 2", "has released it, and ends")
    local last = lock:fencing_token()
    show.moment(began, "process 1", "holds it again, fencing token %s", show.number(last))
    token = show.expect(tonumber(token), "a token is no number")
    show.expect(first < token and token < last, "the fencing tokens do not grow")

    assert(lock:put(prefix .. "/guarded", "written while holding the lock"))
    assert(client.session:destroy(lock:session_id()))
    local reason = show.expect(lock:wait_lost(10000), "the loss of the lock went unseen")
    show.moment(began, "process 1", "has lost it: %s", reason)
    local refused, lost = lock:put(prefix .. "/guarded", "too late")
    show.expect(not refused and lost.code == consul.ERR_LOCK_LOST, "a write without the lock went through")
    show.moment(began, "process 1", "may write no more: %s", lost.name)
    lock:close()
end
