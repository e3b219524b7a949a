-- parse.lua FILE: fails where it is no Lua.
assert(loadfile(arg[1]))
