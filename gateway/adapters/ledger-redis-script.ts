import type { Charge, Reading } from "../ports/ledger";

/**
 * The ledger's steps, each atomic in Redis. KEYS: the gateways, then one counter per item. ARGV: the step, the gateway's
 * id, the time or "" for the server's, then for each item: period, 1 for a calendar, and four values.
 *
 * | step    | values of an item                    | what it does                                              |
 * |---------|--------------------------------------|-----------------------------------------------------------|
 * | reserve | limit, amount, least, 1 for observed | reserves all items or none                                |
 * | read    | the same                             | the same, without reserving                               |
 * | adjust  | leaves at, difference                | changes what was reserved; never below 0                  |
 * | slots   | 0, number                            | sets the gateway's active requests                        |
 * | beat    |                                      | the gateway is alive; replies whether it was known, and how many are |
 *
 * A counter of active requests is a hash of gateways; those of a gateway without a heartbeat don't count. Every other
 * counter is a hash: `u` used, `f` and `l` the first and last time at which something leaves, and the amounts by time.
 * The time is rounded as in `gateway/ports/limit-window.ts`; 0: never.
 *
 * Replies to reserve and read: 1 if all items fit, then for each: used, granted, when that leaves, milliseconds until
 * something and everything has left and until the item fits (-1: never).
 */
export const LEDGER_SCRIPT = `
local step, gateway, now = ARGV[1], ARGV[2], tonumber(ARGV[3])
if not now then
  local time = redis.call('TIME')
  now = time[1] * 1000 + math.floor(time[2] / 1000)
end
local ALIVE_MS, FORGET_MS = 15000, 31 * 86400000
local STEP = { minute = 100, hour = 30000, day = 720000, month = 21600000 }
local LENGTH = { minute = 60000, hour = 3600000, day = 86400000, month = 2592000000 }

local function text(number) return string.format('%.0f', number) end

-- The first millisecond of the next month: days from the civil calendar, as in Howard Hinnant's algorithms.
local function nextMonth()
  local z = math.floor(now / 86400000) + 719468
  local era = math.floor(z / 146097)
  local doe = z - era * 146097
  local yoe = math.floor((doe - math.floor(doe / 1460) + math.floor(doe / 36524) - math.floor(doe / 146096)) / 365)
  local doy = doe - (365 * yoe + math.floor(yoe / 4) - math.floor(yoe / 100))
  local mp = math.floor((5 * doy + 2) / 153)
  -- March is 0, so the next month is mp + 1, in the same year that begins in March unless mp is February's 11.
  local year, month = yoe + era * 400, mp + 1
  if month == 12 then year, month = year + 1, 0 end
  local days = year * 365 + math.floor(year / 4) - math.floor(year / 100) + math.floor(year / 400)
  return (days + math.floor((153 * month + 2) / 5) - 719468) * 86400000
end

local function leavesAt(c)
  if c.period == 'total' then return 0 end
  local length = LENGTH[c.period]
  if not c.calendar then return (math.floor(now / STEP[c.period]) + 1) * STEP[c.period] + length end
  if c.period == 'month' then return nextMonth() end
  return (math.floor(now / length) + 1) * length
end

local alive
local function isAlive(id)
  if not alive then
    alive = {}
    for _, one in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], now - ALIVE_MS, '+inf')) do alive[one] = true end
  end
  return id == gateway or alive[id]
end

-- Removes what has left the window.
local function open(i)
  local a = 4 + (i - 2) * 6
  local c = {
    key = KEYS[i], period = ARGV[a], calendar = ARGV[a + 1] == '1',
    x = tonumber(ARGV[a + 2]), y = tonumber(ARGV[a + 3]), least = tonumber(ARGV[a + 4]), observed = ARGV[a + 5] == '1',
  }
  if c.period == 'active' then
    c.used = 0
    local counts = redis.call('HGETALL', c.key)
    for n = 1, #counts, 2 do
      if isAlive(counts[n]) then c.used = c.used + tonumber(counts[n + 1])
      else redis.call('HDEL', c.key, counts[n]) end
    end
    return c
  end
  local stored = redis.call('HMGET', c.key, 'u', 'f', 'l')
  c.used, c.first, c.last = tonumber(stored[1]) or 0, tonumber(stored[2]), tonumber(stored[3])
  if not c.first or c.period == 'total' then return c end
  local size, from = STEP[c.period], c.first
  if c.last > now then
    while c.first <= c.last do
      local amount = tonumber(redis.call('HGET', c.key, text(c.first)) or 0)
      if c.first > now and amount > 0 then break end
      if amount > 0 then
        c.used = c.used - amount
        redis.call('HINCRBY', c.key, 'u', text(-amount))
      end
      redis.call('HDEL', c.key, text(c.first))
      if c.calendar then break end
      c.first = c.first + size
    end
  end
  if c.last <= now or c.first > c.last then
    redis.call('DEL', c.key)
    c.used, c.first, c.last = 0, nil, nil
  elseif c.first ~= from then redis.call('HSET', c.key, 'f', text(c.first)) end
  return c
end

local function put(c, at, amount)
  redis.call('HINCRBY', c.key, text(at), text(amount))
  redis.call('HINCRBY', c.key, 'u', text(amount))
  c.used = c.used + amount
  if not c.first or at < c.first then c.first = at; redis.call('HSET', c.key, 'f', text(at)) end
  if not c.last or at > c.last then
    c.last = at
    redis.call('HSET', c.key, 'l', text(at))
    if at > 0 then redis.call('PEXPIRE', c.key, text(at - now + 60000)) end
  end
  return at
end

-- If the clock is set back, the current period goes on.
local function current(c)
  local at = leavesAt(c)
  return (c.last and c.last > at) and c.last or at
end

local function fitsIn(c)
  local room = c.x - c.least
  if c.used <= room then return 0 end
  if c.period == 'active' or c.period == 'total' or room < 0 then return -1 end
  if c.calendar then return c.last - now end
  local left = c.used
  for at = c.first, c.last, STEP[c.period] do
    left = left - tonumber(redis.call('HGET', c.key, text(at)) or 0)
    if left <= room then return at - now end
  end
  return -1
end

if step == 'beat' then
  local known = redis.call('ZSCORE', KEYS[1], gateway) and 1 or 0
  redis.call('ZADD', KEYS[1], text(now), gateway)
  redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - FORGET_MS)
  return { known, redis.call('ZCOUNT', KEYS[1], now - ALIVE_MS, '+inf') }
end

local items = {}
if step == 'slots' then
  for i = 2, #KEYS do
    local number = ARGV[4 + (i - 2) * 6 + 3]
    if number == '0' then redis.call('HDEL', KEYS[i], gateway)
    else redis.call('HSET', KEYS[i], gateway, number); redis.call('PEXPIRE', KEYS[i], 86400000) end
  end
  return { 1 }
end
for i = 2, #KEYS do items[i - 1] = open(i) end

if step == 'adjust' then
  for _, c in ipairs(items) do
    local at, more = c.x, c.y
    if c.period == 'active' then
      local held = tonumber(redis.call('HGET', c.key, gateway) or 0)
      if held + more <= 0 then redis.call('HDEL', c.key, gateway)
      else redis.call('HINCRBY', c.key, gateway, text(more)) end
    elseif at > 0 and at <= now then
      if more > 0 then put(c, current(c), more) end
    elseif more > 0 then put(c, at, more)
    else
      local held = tonumber(redis.call('HGET', c.key, text(at)) or 0)
      if held > 0 then put(c, at, math.max(more, -held)) end
    end
  end
  return { 1 }
end

local fits = 1
for _, c in ipairs(items) do
  if not c.observed and c.least > 0 and c.used + c.least > c.x then fits = 0 end
end
local reply = { fits }
for _, c in ipairs(items) do
  local granted, at = 0, 0
  if step == 'reserve' and fits == 1 then
    granted = c.observed and c.y or math.max(c.least, math.min(c.y, c.x - c.used))
    if granted > 0 and c.period == 'active' then
      redis.call('HINCRBY', c.key, gateway, text(granted))
      redis.call('PEXPIRE', c.key, 86400000)
      c.used = c.used + granted
    elseif granted > 0 then at = put(c, current(c), granted) end
  end
  local changes, empty = 0, 0
  if c.used > 0 and (c.period == 'active' or c.period == 'total') then changes, empty = -1, -1
  elseif c.used > 0 then changes, empty = c.first - now, c.last - now end
  local wait = (step == 'read' or fits == 0) and fitsIn(c) or 0
  for _, value in ipairs({ c.used, granted, at, changes, empty, wait }) do reply[#reply + 1] = value end
end
return reply
`;

/** A charge as an item of `reserve` and `read`. */
export const itemOf = ({ limit, amount, least }: Charge) =>
  [
    limit.counter,
    limit.window.period,
    Number(limit.window.isCalendar),
    limit.amount,
    amount,
    least,
    Number(limit.isObserved),
  ] as const;

const waitOf = (ms: number): number => (ms < 0 ? Number.POSITIVE_INFINITY : ms);

/** The reply to `reserve` and `read`. */
export const readReply = ([fits, ...values]: readonly number[]) => {
  const readings: Reading[] = [];
  const granted: number[] = [];
  const ats: number[] = [];
  for (let i = 0; i < values.length; i += 6) {
    const [used = 0, amount = 0, at = 0, changes = 0, empty = 0, wait = 0] = values.slice(i, i + 6);
    readings.push({ used, changesInMs: waitOf(changes), emptyInMs: waitOf(empty), fitsInMs: waitOf(wait) });
    granted.push(amount);
    ats.push(at);
  }
  return { fits: fits === 1, readings, granted, ats };
};
