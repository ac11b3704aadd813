import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import manifest from "../../../package.json";
import type { Finding } from "../doctor/check";
import { checkAge, checkHashes, checkPins, checkSbom, checkScripts, type Manifest } from "./manifest";

const read = (path: string) => Bun.file(join(import.meta.dir, "../../..", path)).text();
const lock = await read("bun.lock");
const bunfig = await read("bunfig.toml");

test.each<[row: string, finding: Finding]>([
  ["exact versions", checkPins(manifest, lock)],
  ["package hashes", checkHashes(manifest, lock)],
  ["release age", checkAge(bunfig)],
  ["install scripts", checkScripts(manifest)],
  ["bill of materials", checkSbom(manifest, lock)],
])("%s: this project passes", (_, finding) => expect(finding).toMatchObject({ status: "passed" }));

describe("is reported:", () => {
  const changed = (changes: Manifest): Manifest => ({ ...manifest, ...changes });
  const withVersion = (version: string) => changed({ dependencies: { ...manifest.dependencies, elysia: version } });

  test.each<[drift: string, finding: Finding, names: string]>([
    ["a range", checkPins(withVersion("^1.4.30"), lock), "elysia"],
    ["a tag", checkPins(withVersion("latest"), lock), "elysia"],
    ["another version than in the lockfile", checkPins(withVersion("1.4.29"), lock), "1.4.30 in bun.lock"],
    [
      "a package that is missing in the lockfile",
      checkPins(changed({ dependencies: { ...manifest.dependencies, x: "1.0.0" } }), lock),
      "x is 1.0.0",
    ],
    ["a package that only the lockfile has", checkPins(changed({ devDependencies: {} }), lock), "only in bun.lock"],
    ["a package without a hash", checkHashes(manifest, lock.replace(/"sha512-[^"]+"/, '""')), "has no sha512"],
    [
      "an address of a registry",
      checkHashes(manifest, lock.replace('@1.4.30", ""', '@1.4.30", "https://npm.example/"')),
      "npm.example",
    ],
    ["a short release age", checkAge("[install]\nminimumReleaseAge = 86400"), "86400 s"],
    ["no release age", checkAge("[install]"), "0 s"],
    ["an exception to it", checkAge(bunfig.replace('"bun-types"', '"left-pad"')), "left-pad"],
    ["no list of install scripts", checkScripts(changed({ trustedDependencies: undefined })), "no trustedDependencies"],
    ["an install script", checkScripts(changed({ trustedDependencies: ["esbuild"] })), "esbuild"],
  ])("%s", (_, finding, names) => {
    expect(finding).toMatchObject({ status: "failed", message: expect.stringContaining(names) });
  });
});
