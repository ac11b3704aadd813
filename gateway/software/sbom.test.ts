import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import manifest from "../../package.json";
import { readLockfile } from "./lockfile";
import { createSbom, installedLockfile } from "./sbom";

const lockfile = installedLockfile();
const sbom = createSbom(lockfile);

test("names every direct dependency with its pinned version, and none that only developers need", () => {
  const listed = new Map(
    sbom.components.map(({ group, name, version }) => [group ? `${group}/${name}` : name, version]),
  );
  for (const [name, version] of Object.entries(manifest.dependencies))
    expect([name, listed.get(name)]).toEqual([name, version]);
  // @modelcontextprotocol/server needs zod too.
  for (const name of Object.keys(manifest.devDependencies))
    expect([name, listed.has(name)]).toEqual([name, name === "zod"]);
  expect(sbom.metadata.component).toMatchObject({ name: "groundwire", version: manifest.version });
});

test("has the hash, licence and package URL of a package", () => {
  const found = sbom.components.find(({ name }) => name === "elysia");
  expect(found).toMatchObject({
    ...{ type: "library", scope: "required", purl: "pkg:npm/elysia@1.4.30", licenses: [{ license: { id: "MIT" } }] },
    hashes: [{ alg: "SHA-512", content: expect.stringMatching(/^[0-9a-f]{128}$/) }],
  });
  expect(sbom.components.find(({ group }) => group === "@libsql")?.purl).toStartWith("pkg:npm/%40libsql/");
});

test("every reference names a component of the document, once", () => {
  const refs = [sbom.metadata.component["bom-ref"], ...sbom.components.map((component) => component["bom-ref"])];
  expect(new Set(refs).size).toBe(refs.length);
  const named = sbom.dependencies.flatMap(({ ref, dependsOn }) => [ref, ...dependsOn]);
  expect(named.filter((ref) => !refs.includes(ref))).toEqual([]);
});

test("is the same document for the same lockfile", () => {
  expect(createSbom(installedLockfile())).toEqual(sbom);
  expect(createSbom(lockfile, { hasDevelopment: true }).serialNumber).not.toBe(sbom.serialNumber);
});

test("a package is found from inside another as Node.js finds it", () => {
  expect(lockfile.resolve("node-llama-cpp", "@huggingface/jinja")).toBe("@huggingface/jinja");
  const nested = [...lockfile.packages.keys()].find((path) => /^[a-z-]+\/[a-z-]+$/.test(path)) ?? "";
  const [outer = "", inner = ""] = nested.split("/");
  expect(lockfile.resolve(outer, inner)).toBe(nested);
  expect(lockfile.resolve(nested, "no-such-package")).toBeUndefined();
});

test("a package that is needed in two ways counts as required", () => {
  const text = JSON.stringify({
    packages: {
      a: ["a@1.0.0", "", { optionalDependencies: { c: "1" } }, "sha512-aaa="],
      b: ["b@1.0.0", "", { dependencies: { c: "1" } }, "sha512-bbb="],
      c: ["c@1.0.0", "", {}, "sha512-ccc="],
      d: ["d@1.0.0", "", {}, "sha512-ddd="],
      own: ["own@file:own", {}],
    },
  });
  const both = readLockfile(text, { dependencies: { a: "1.0.0", b: "1.0.0" } });
  expect(["a", "b", "c", "d"].map((path) => both.needOf(path))).toEqual([
    "required",
    "required",
    "required",
    "development",
  ]);
  expect(readLockfile(text, { dependencies: { a: "1.0.0" } }).needOf("c")).toBe("optional");
  expect(both.packages.has("own")).toBe(false);
});

test("the lockfile is part of the container image, so that the page can show it", () => {
  const image = readFileSync(join(import.meta.dir, "../../Dockerfile.gateway"), "utf8");
  expect(image.split("FROM").at(-1)).toMatch(/COPY package\.json bun\.lock /);
});
