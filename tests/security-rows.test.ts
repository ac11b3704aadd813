import { expect, test } from "bun:test";
import { join } from "node:path";

const ROOT = join(import.meta.dir, "..");
const page = await Bun.file(join(ROOT, "docs/security.md")).text();
const rows = [...page.matchAll(/^\| ([A-Z]\d) \| .* \| (.*) \|$/gm)].map(([, id = "", tests = ""]) => ({
  id,
  files: [...tests.matchAll(/`([^`]+)`/g)].map(([, path = ""]) => path),
}));

test("docs/security.md has a row for every requirement", () => {
  const ids = [
    "K1",
    "K2",
    "K3",
    "K4",
    "K5",
    "S1",
    "S2",
    "S3",
    "S4",
    "P1",
    "P2",
    "P3",
    "W1",
    "W2",
    "W3",
    "W4",
    "W5",
    "W6",
  ];
  expect(rows.map(({ id }) => id)).toEqual([...ids, "X1", "X2", "X3", "R1", "R2", "R3", "O1"]);
});

test.each(rows)("$id: a test with this id is in each test file that its row names", async ({ id, files }) => {
  for (const path of files.filter((each) => /\.(test|browser)\.tsx?$/.test(each))) {
    const text = await Bun.file(join(ROOT, path)).text();
    expect([path, new RegExp(`["'\`][^"'\`\n]*\\b${id}\\b`).test(text)]).toEqual([path, true]);
  }
});
