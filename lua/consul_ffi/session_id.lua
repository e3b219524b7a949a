--- A session as an argument: its id, or an object that knows it.

local check = require("consul_ffi.check")

return function(session)
    if type(session) == "table" and session.id then
        session = session:id()
    end
    if type(session) ~= "string" then
        check.fail("session must be an id or a session object, not %s", check.kind(session))
    end
    return session
end
