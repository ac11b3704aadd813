import { expect, test } from "bun:test";
import { assemble, binaryOf, WAT_FILES } from "./assemble";

test.each(WAT_FILES)("the WebAssembly beside %s is assembled from it (bun tests/assemble.ts)", async (path) => {
  expect(Buffer.from(await assemble(path)).equals(await Bun.file(binaryOf(path)).bytes())).toBe(true);
});
