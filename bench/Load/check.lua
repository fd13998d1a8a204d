-- Sends GETs with one credential after another and checks every answer: status 200 and a text that only a whole answer has.
-- Arguments: path, expected text (plain), file with one token per line.
local threads = {}

function setup(thread)
  table.insert(threads, thread)
end

function init(args)
  path, expected = args[1], args[2]
  requests, turn, bad, first = {}, 0, 0, ""
  for token in io.lines(args[3]) do
    table.insert(requests, wrk.format("GET", path, { ["Host"] = "127.0.0.1", ["Authorization"] = "Bearer " .. token, ["User-Agent"] = "bench/1" }))
  end
end

function request()
  turn = turn % #requests + 1
  return requests[turn]
end

function response(status, headers, body)
  if status ~= 200 or not string.find(body, expected, 1, true) then
    bad = bad + 1
    if first == "" then first = status .. " " .. string.gsub(string.sub(body, 1, 200), "%s+", " ") end
  end
end

function done(summary, latency, requests)
  local bad, first = 0, ""
  for _, thread in ipairs(threads) do
    bad = bad + thread:get("bad")
    if first == "" then first = thread:get("first") end
  end
  local errors = summary.errors
  io.write(string.format("RESULT %d %d %d %d %d %d %s\n", summary.requests, summary.duration, bad,
    errors.connect + errors.read + errors.write + errors.timeout, latency:percentile(50), latency:percentile(99), first))
end
