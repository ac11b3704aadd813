import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type Stack, startStack } from "./stack";

const CASES = join(import.meta.dir, "../../../shared/data/cases");
const hasCases = existsSync(CASES);

interface Expected {
  status?: number;
  accepted: number;
  contains?: string[];
  lacks?: string[];
}

const expected: Record<string, Expected> = hasCases
  ? JSON.parse(readFileSync(join(CASES, "expected.json"), "utf8"))
  : {};
const uploads = Object.entries(expected).filter(([, { status }]) => status !== undefined);

let stack: Stack;
beforeAll(async () => {
  if (hasCases) stack = await startStack();
});
afterAll(() => stack?.close());

describe.skipIf(!hasCases)("files that were once rejected or misread", () => {
  test.each(uploads)("%s", async (name, { status, accepted, contains = [], lacks = [] }) => {
    const form = new FormData();
    for (const [field, value] of Object.entries({ name, on_error: "skip", dry_run: "true" })) form.append(field, value);
    form.append("file", new File([readFileSync(join(CASES, name))], name));
    const headers = { authorization: `Bearer ${stack.adminKey}` };
    const response = await fetch(`${stack.url}/v1/datasets`, { method: "POST", body: form, headers });
    const { report } = JSON.parse(await response.text());
    expect([response.status, report.accepted]).toEqual([status, accepted]);
    const preview = JSON.stringify(report.preview);
    for (const text of contains) expect(preview).toContain(text);
    for (const text of lacks) expect(preview).not.toContain(text);
  });
});
