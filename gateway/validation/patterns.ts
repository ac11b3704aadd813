import type { TSchema } from "@sinclair/typebox";

const WORD = "lower-case letters, digits, _ or -";

/** Describes text that matches a pattern of the contracts: "start with a letter …, such as a-name". */
const WORDS: Readonly<Record<string, string>> = {
  "^[a-z][a-z0-9_-]{0,99}$": `start with a lower-case letter and have up to 99 more ${WORD}, such as short-answer`,
  "^[a-z][a-z0-9_-]{0,63}$": `start with a lower-case letter and have up to 63 more ${WORD}, such as my-name`,
  "^[a-z][a-z0-9_]{0,63}$":
    "start with a lower-case letter and have up to 63 more lower-case letters, digits or _, such as is_polite",
  "^[a-z0-9][a-z0-9-]{0,62}$":
    "start with a lower-case letter or digit and have up to 62 more lower-case letters, digits or -, such as gpu-1",
  "^[a-z][a-z0-9_-]{0,63}@[1-9][0-9]*$": "be a name and a version, such as reference@1",
  "^[a-zA-Z0-9_-]{1,128}$": "have 1 to 128 letters, digits, _ or -, such as get_weather",
  "^[a-zA-Z0-9_-]{1,64}$": "have 1 to 64 letters, digits, _ or -, such as my_schema",
  "^[A-Za-z0-9][A-Za-z0-9 ._-]*$":
    "start with a letter or digit and have only letters, digits, spaces, dots, _ or -, such as support-docs",
  "^[1-9][0-9]{0,4}[smhd]$": "be a number from 1 to 99999 and s, m, h or d, such as 15m",
  "^[1-5](?:[0-9]{2}|xx)$": "be a status such as 404, or a class of statuses such as 5xx",
  "^(data:image/(png|jpeg|webp|gif);base64,|https?://)":
    "be an address on an allowed host, or a data URL of a PNG, JPEG, WebP or GIF image, such as data:image/png;base64,…",
  "^https?://[^/@\\s]+/?$": "be an address without a path or a password, such as http://gpu-1:9100",
};

/** The beginning of `notAnId`. */
const NOT_AN_ID = /^\^\(\?!([a-z]+_)\)/;

/** The pattern without the part that rules out ids, and the beginning of these ids. */
export const splitPattern = (pattern: string): { pattern: string; idPrefix: string | undefined } => ({
  pattern: pattern.replace(NOT_AN_ID, "^"),
  idPrefix: NOT_AN_ID.exec(pattern)?.[1],
});

const ID = /^\^([a-z]+)_\[/;

/** Describes text that matches the schema's pattern, in words that follow "must". */
export const patternInWords = ({ pattern, examples }: Pick<TSchema, "pattern" | "examples">): string => {
  const [, prefix] = ID.exec(pattern) ?? [];
  if (prefix !== undefined) return `be an id such as ${examples?.[0] ?? `${prefix}_4fT9kQ2mXw7R`}`;
  return WORDS[pattern] ?? `match ${pattern}`;
};
