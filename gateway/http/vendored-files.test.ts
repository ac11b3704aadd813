import { describe, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import manifest from "../../package.json";
import { readVendored, VENDORED, type VendoredFile } from "./vendored-files";

describe.each(Object.entries(VENDORED))("%s", (name, { version, files }) => {
  test("has the version that package.json pins", () => {
    expect(manifest.dependencies[name as keyof typeof VENDORED]).toBe(version);
  });

  test.each(Object.keys(files))("%s is the file that was reviewed", (file) => {
    expect(readVendored(`${name}/${file}` as VendoredFile)).not.toBe("");
  });
});

test("a file with another content is refused", () => {
  const { files } = VENDORED["htmx.org"];
  const reviewed = files.LICENSE;
  Object.assign(files, { LICENSE: "0".repeat(64) });
  expect(() => readVendored("htmx.org/LICENSE")).toThrow("is not the file of this release");
  Object.assign(files, { LICENSE: reviewed });
});

test("only this list reads files of packages for browsers", () => {
  const root = join(import.meta.dir, "../..");
  const served = ["gateway/http", "views"].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: "utf8" }).map((path) => join(root, folder, path)),
  );
  const readers = served.filter(
    (path) => /(?<!\.test)\.tsx?$/.test(path) && /resolveSync|node_modules/.test(readFileSync(path, "utf8")),
  );
  expect(readers).toEqual([join(import.meta.dir, "vendored-files.ts")]);
});
