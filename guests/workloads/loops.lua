-- Makes 2,000 loops and runs each once: all of them hot, none of them ever seen before.
local total = 0
for i = 1, 2000 do
  total = total + loadstring("local s = 0 for j = 1, 10000 do s = s + j * " .. i .. " end return s")()
end
print(string.format("sum %.0f", total))
