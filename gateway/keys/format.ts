import { crc32 } from "node:zlib";

/**
 * `gw_<id>_<secret><checksum>`: a public id of 12 characters for logs and limits, 256 random bits, and a CRC32 of the
 * rest, which identifies typos and scanners' false positives offline. Base62, so that a double click selects the whole
 * key.
 */
const ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const ID_LENGTH = 12;
/** 62^43 is just above 2^256. */
const SECRET_LENGTH = 43;
const CHECKSUM_LENGTH = 6;

/** For secret scanners. A match is a key only if its checksum is valid too. */
export const KEY_PATTERN = /\bgw_[0-9A-Za-z]{12}_[0-9A-Za-z]{49}\b/;
const WHOLE_KEY = new RegExp(`^gw_([0-9A-Za-z]{${ID_LENGTH}})_[0-9A-Za-z]{${SECRET_LENGTH + CHECKSUM_LENGTH}}$`);

/** `length` random characters, all equally likely, from the system's random source. */
const randomBase62 = (length: number): string => {
  let text = "";
  while (text.length < length) {
    for (const byte of crypto.getRandomValues(new Uint8Array(length * 2))) {
      // 248 is four times 62. Using bytes above it would make the first characters more likely.
      if (byte < 248 && text.length < length) text += ALPHABET[byte % 62];
    }
  }
  return text;
};

/** CRC32 of `text` as 6 base62 digits, most significant first. */
const checksum = (text: string): string => {
  let rest = crc32(text);
  let digits = "";
  for (let i = 0; i < CHECKSUM_LENGTH; i++) {
    digits = `${ALPHABET[rest % 62]}${digits}`;
    rest = Math.floor(rest / 62);
  }
  return digits;
};

/** A database id for a key that is about to be created. */
export const newKeyId = (): string => `key_${randomBase62(ID_LENGTH)}`;
export const KEY_ID_PATTERN = `^key_[0-9A-Za-z]{${ID_LENGTH}}$`;

/** A new key and its id in the database. The key itself is never stored. */
export const generateKey = (publicId = randomBase62(ID_LENGTH)): { id: string; key: string } => {
  const body = `gw_${publicId}_${randomBase62(SECRET_LENGTH)}`;
  return { id: `key_${publicId}`, key: body + checksum(body) };
};

/** Whether format and checksum are valid. Invalid keys are rejected without reading the database. */
export const isWellFormed = (key: string): boolean =>
  WHOLE_KEY.test(key) && key.slice(-CHECKSUM_LENGTH) === checksum(key.slice(0, -CHECKSUM_LENGTH));

/** SHA-256 in base64. The secrets are long and random, so a slow hash would add no protection. */
export const digestOf = (secret: string): string => Bun.SHA256.hash(secret, "base64");

/** The same hash as the 32 bytes that the database stores. */
export const hashOf = (secret: string): Buffer => Buffer.from(digestOf(secret), "base64");
