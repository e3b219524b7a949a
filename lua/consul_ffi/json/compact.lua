--- JSON without the white space between its tokens. An agent in development mode answers in
--- indented JSON, a production one does not.

local QUOTE = ('"'):byte()

--- Where the string ends whose opening quote is here.
local function string_end(text, quote)
    local position = quote + 1
    while true do
        local stop = text:find('["\\]', position)
        if not stop then
            return #text
        elseif text:byte(stop) == QUOTE then
            return stop
        end
        position = stop + 2
    end
end

return function(text)
    local parts, position = {}, 1
    while true do
        local quote = text:find('"', position, true)
        parts[#parts + 1] = text:sub(position, (quote or 0) - 1):gsub("[ \t\r\n]+", "")
        if not quote then
            return table.concat(parts)
        end
        local stop = string_end(text, quote)
        parts[#parts + 1] = text:sub(quote, stop)
        position = stop + 1
    end
end
