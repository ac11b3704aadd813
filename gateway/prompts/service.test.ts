import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import type { Db } from "../../db/client";
import { AppError } from "../../lib/errors";
import { problemOf, temporaryDb } from "../../tests/db/temporary";
import { PRINCIPAL } from "../../tests/principal";
import { createPrompts, hashOf, type PromptService, render, variablesOf } from "./service";

let db: Db;
let prompts: PromptService;
beforeEach(async () => {
  db = await temporaryDb();
  prompts = createPrompts({ db });
});
afterEach(() => db.close());

const user = (content: string) => [{ role: "user" as const, content }];
const create = (name: string, content: string) =>
  prompts.create(PRINCIPAL, { name, messages: user(content) }, async () => {});

describe("versions", () => {
  test("are numbered in sequence, and repeating the newest content creates no version", async () => {
    expect((await create("short", "one")).version.version).toBe(1);
    expect((await create("short", "two")).version.version).toBe(2);
    const again = await create("short", "two");
    expect([again.version.version, again.isNew]).toEqual([2, false]);
    expect((await create("short", "one")).version.version).toBe(3);
  });

  test("are listed newest first, page by page", async () => {
    for (const content of ["a", "b", "c"]) await create("short", content);
    const first = await prompts.versions("short", { limit: 2 });
    expect([first.data.map(({ version }) => version), first.has_more]).toEqual([[3, 2], true]);
    const second = await prompts.versions("short", { limit: 2, after: first.next_cursor ?? "" });
    expect([second.data.map(({ version }) => version), second.has_more]).toEqual([[1], false]);
  });

  test("are found by number and label, and the newest by the name alone", async () => {
    await create("short", "one");
    await create("short", "two");
    await prompts.moveLabel(PRINCIPAL, "short", "production", { version: 1 });
    const versions = ["short@1", "short@production", "short@latest", "short"];
    const found = await Promise.all(versions.map((reference) => prompts.resolve(reference)));
    expect(found.map(({ version }) => version)).toEqual([1, 1, 2, 2]);
    expect(found[0]?.labels).toEqual(["production"]);
  });

  test("an unknown name, version or label is not_found", async () => {
    await create("short", "one");
    for (const reference of ["long", "short@2", "short@staging", "short@constructor", "long@1"]) {
      expect((await problemOf(prompts.resolve(reference))).kind).toBe("not_found");
    }
  });

  test("can have labels that are moved and removed, except latest", async () => {
    await create("short", "one");
    await create("short", "two");
    await prompts.moveLabel(PRINCIPAL, "short", "production", { version: 1 });
    expect((await prompts.moveLabel(PRINCIPAL, "short", "production", { version: 2 })).labels).toEqual({
      production: 2,
    });
    expect((await prompts.moveLabel(PRINCIPAL, "short", "production", { version: null })).labels).toEqual({});
    const refused = problemOf(prompts.moveLabel(PRINCIPAL, "short", "latest", { version: 1 }));
    expect((await refused).kind).toBe("invalid_request");
  });
});

describe("a template", () => {
  test("lists its variables once, in order", () => {
    expect(variablesOf(user("{{ b }} {{a}} {{b}} {{metadata.topic}} { {c}} {{1}}"))).toEqual([
      "b",
      "a",
      "metadata.topic",
    ]);
  });

  test.each(["{{unclosed", "{{a}} {{b", "{{a {{b}}", "{{a}", "{{"])(
    "is not stored with the unclosed %j",
    async (content) => {
      const messages = [...user("{{input}}"), ...user(content)];
      const { kind, detail } = await problemOf(prompts.create(PRINCIPAL, { name: "short", messages }, async () => {}));
      expect([kind, detail.param]).toEqual(["invalid_request", "messages.1.content"]);
      expect((await prompts.list({})).data).toEqual([]);
    },
  );

  test.each(["{{a}}{{ b }}", "{ {", "}}", '{"a":{"b":{}}}', "{{{a}}}", "{{1}}"])("may contain %j", async (content) => {
    expect((await create("short", content)).isNew).toBe(true);
  });

  test("is rendered in one pass: a value that looks like a variable stays text", () => {
    const values = { input: "{{secret}} $& \\1", secret: "x" };
    expect(render(user("Q: {{input}}"), values)).toEqual(user("Q: {{secret}} $& \\1"));
  });

  test("is rejected if a variable has no value, and the error names it", () => {
    expect(() => render(user("{{nothing}}"), { input: "x" })).toThrow(AppError);
    expect(() => render(user("{{constructor}}"), { input: "x" })).toThrow("{{constructor}}");
  });

  test("has the same hash for any order of its fields", () => {
    expect(hashOf([{ role: "user", content: "a" }])).toBe(hashOf([{ content: "a", role: "user" }]));
    expect(hashOf(user("a"))).not.toBe(hashOf(user("b")));
  });
});
