type IdPrefix = "chat" | "msg" | "ds" | "rev" | "run" | "res" | "label" | "fb" | "job" | "upload" | "worker";

/** A new id; ids sort by the time they were made. */
export const newId = (prefix: IdPrefix): string => `${prefix}_${Bun.randomUUIDv7().replaceAll("-", "")}`;

const ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz";

let randomBytes = new Uint8Array(8192);
let used = randomBytes.length;
let encodedMs = -1;
let encodedTime = "";

/** Ten characters of Crockford's base 32 for 48 bits of milliseconds, kept while the millisecond lasts. */
const timePart = (now: number): string => {
  if (now === encodedMs) return encodedTime;
  encodedMs = now;
  encodedTime = "";
  for (let rest = now, i = 0; i < 10; i++, rest = Math.floor(rest / 32))
    encodedTime = ALPHABET[rest % 32] + encodedTime;
  return encodedTime;
};

/** A ULID: 48 bits of time, 80 random bits, so that they sort by time. In lower case. */
export const newUlid = (now = Date.now()): string => {
  if (used + 16 > randomBytes.length) {
    randomBytes = crypto.getRandomValues(randomBytes);
    used = 0;
  }
  let random = "";
  for (const end = used + 16; used < end; used++) random += ALPHABET[(randomBytes[used] ?? 0) & 31];
  return timePart(now) + random;
};
