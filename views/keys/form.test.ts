import { expect, test } from "bun:test";
import { confirmationOf, EMPTY_FORM, isConfirmed, readKeyForm, STORAGE_WORDS, storageOf } from "./form";

const id = "key_1";

test.each([
  ["search service", "search service", " search  service "],
  [" spaced ", "spaced", "spaced"],
  ["a\nb", "a b", "a b"],
  ["a\u0000\u200bb", "a b", "a b"],
  ["\n", id, id],
])("a key named %j is revoked by typing %j", (name, shown, typed) => {
  expect(confirmationOf({ name, id })).toBe(shown);
  expect(isConfirmed(typed, { name, id })).toBe(true);
  expect(isConfirmed("", { name, id })).toBe(false);
  expect(isConfirmed(`${typed}x`, { name, id })).toBe(false);
});

test("a key may be limited to indexes, whose names may contain spaces", () => {
  const form = { ...EMPTY_FORM, id: "key_1", name: "search", indexes: "Staff handbook, idx_1,\nStaff handbook" };
  expect(readKeyForm(form, new Date(0))).toMatchObject({ request: { allowed_indexes: ["Staff handbook", "idx_1"] } });
  expect(readKeyForm({ ...form, indexes: " , " }, new Date(0))).toMatchObject({ request: { allowed_indexes: null } });
});

test("the form decides whether prompts and answers are stored, and whether the request log has them", () => {
  const read = (fields: object) => readKeyForm({ ...EMPTY_FORM, id: "key_1", name: "search", ...fields }, new Date(0));
  expect(read({})).toMatchObject({ request: { content_logging: true, log_bodies: false } });
  expect(read({ storage: "bodies" })).toMatchObject({ request: { content_logging: true, log_bodies: true } });
  expect(read({ storage: "none" })).toMatchObject({ request: { content_logging: false, log_bodies: false } });
  for (const storage of Object.keys(STORAGE_WORDS)) {
    const result = read({ storage });
    if ("problems" in result) throw new Error(JSON.stringify(result));
    const { content_logging = true, log_bodies = false } = result.request;
    expect(storageOf({ content_logging, log_bodies })).toBe(storage as ReturnType<typeof storageOf>);
  }
  expect(read({ storage: "toString" })).toEqual({
    problems: { storage: "Choose what is stored of prompts and answers" },
  });
});

test("errors of the limits name their fields", () => {
  const form = { ...EMPTY_FORM, id: "key_1", name: "search", requestsPerMinute: "x", parallelRequests: "0" };
  expect(readKeyForm(form, new Date(0))).toEqual({
    problems: {
      requestsPerMinute: "Requests per minute: enter a whole number from 1 to 10,000,000, or leave it blank",
      parallelRequests: "Parallel requests: enter a whole number from 1 to 100,000, or leave it blank",
    },
  });
});
