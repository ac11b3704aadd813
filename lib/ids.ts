type IdPrefix =
  | "chat"
  | "msg"
  | "ds"
  | "rev"
  | "run"
  | "res"
  | "label"
  | "fb"
  | "job"
  | "upload"
  | "file"
  | "batch"
  | "batch_req"
  | "worker"
  | "idx"
  | "doc"
  | "build"
  | "chunk"
  | "rag"
  | "rerank"
  | "resp"
  | "wh"
  | "evt"
  | "dlv"
  | "gateway";

/** A new id. Ids sort by creation time. */
export const newId = (prefix: IdPrefix): string => `${prefix}_${Bun.randomUUIDv7().replaceAll("-", "")}`;

const ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz";
/** All pairs of characters. A pair encodes ten bits. */
const PAIRS = Array.from({ length: 1024 }, (_, bits) => `${ALPHABET[bits >> 5]}${ALPHABET[bits & 31]}`);

let random = new Uint16Array(4096);
let used = random.length;
let encodedMs = -1;
let encodedTime = "";

/** 48 bits of milliseconds as ten characters of Crockford's base 32, cached for the current millisecond. */
const timePart = (now: number): string => {
  if (now === encodedMs) return encodedTime;
  encodedMs = now;
  encodedTime = "";
  for (let rest = now, i = 0; i < 10; i++, rest = Math.floor(rest / 32))
    encodedTime = ALPHABET[rest % 32] + encodedTime;
  return encodedTime;
};

/** A lower-case ULID: 48 bits of time, then 80 random bits, so that ids sort by time. */
export const newUlid = (now = Date.now()): string => {
  if (used === random.length) {
    random = crypto.getRandomValues(random);
    used = 0;
  }
  let id = timePart(now);
  for (const end = used + 8; used < end; used++) id += PAIRS[(random[used] ?? 0) & 1023];
  return id;
};
