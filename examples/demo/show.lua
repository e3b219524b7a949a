--- What the demo prints: headings, aligned lines, moments of a time line.

local ffi = require("ffi")

local show = {}

-- No struct of the system's is declared: two 64-bit numbers are what clock_gettime fills on Linux.
ffi.cdef("int demo_clock(int, int64_t *) __asm__(\"clock_gettime\");")
local CLOCK_MONOTONIC = 1
local now = ffi.new("int64_t[2]")

--- Seconds on a clock that all processes of a machine share.
function show.seconds()
    ffi.C.demo_clock(CLOCK_MONOTONIC, now)
    return tonumber(now[0]) + tonumber(now[1]) / 1e9
end

function show.heading(text)
    print("\n" .. text)
end

--- A line: what was done, and what came of it.
function show.line(what, outcome, ...)
    if select("#", ...) > 0 then
        outcome = outcome:format(...)
    end
    print(("  %-26s %s"):format(what, outcome))
end

--- A line of a time line: how long after `began` who did what.
function show.moment(began, who, what, ...)
    if select("#", ...) > 0 then
        what = what:format(...)
    end
    print(("  %6.3f s  %-9s %s"):format(show.seconds() - began, who, what))
end

--- A 64-bit number without LuaJIT's suffix.
function show.number(value)
    return (tostring(value):gsub("U?LL$", ""))
end

--- The beginning of an id, enough to tell it from others.
function show.short(id)
    return id and id:sub(1, 8) or "nobody"
end

--- Goes on only when the demo saw what it should have seen.
function show.expect(fact, what)
    if not fact then
        error("unexpected: " .. what, 0)
    end
    return fact
end

return show
