import { expect, test } from "bun:test";
import type { Key, UpdateKey } from "../../gateway/keys/contract";
import {
  confirmationOf,
  EMPTY_FORM,
  isConfirmed,
  readKeyForm,
  readSettingsForm,
  STORAGE_WORDS,
  storageOf,
  toSettingsForm,
} from "./form";

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

test.each([
  ["nothing", {}, {}],
  ["the name", { name: " search " }, { name: "search" }],
  ["the role", { role: "editor" }, { role: "editor" }],
  ["the expiry", { lifetime: "30" }, { expires_at: "1970-01-31T00:00:00.000Z" }],
  ["the expiry to never", { lifetime: "" }, { expires_at: null }],
  ["what is stored", { storage: "none" }, { content_logging: false, log_bodies: false }],
  ["the models", { models: "small, large" }, { allowed_models: ["small", "large"] }],
  ["the indexes to all", { indexes: "" }, { allowed_indexes: null }],
])("a change of %s changes only that", (_, fields, request) => {
  const settings = { name: "bot", role: "member", expires_at: "1970-06-01T00:00:00.000Z" } as const;
  const access = { allowed_models: ["small"], allowed_indexes: ["Staff handbook"] };
  const key = { ...settings, ...access, content_logging: true, log_bodies: true } as Key;
  expect(readSettingsForm({ ...toSettingsForm(key), ...fields }, key, new Date(0))).toEqual({
    request: request as UpdateKey,
  });
});
