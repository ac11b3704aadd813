import { join } from "node:path";
import wabt from "wabt";

/* `bun tests/assemble.ts` writes the WebAssembly of each `.wat` file beside it. */

const ROOT = join(import.meta.dir, "..");
export const WAT_FILES = ["gateway/rag/search/dot-products.wat"];

export const assemble = async (path: string): Promise<Uint8Array> => {
  const text = await Bun.file(join(ROOT, path)).text();
  return (await wabt()).parseWat(path, text, { simd: true }).toBinary({}).buffer;
};

export const binaryOf = (path: string): string => join(ROOT, path.replace(/\.wat$/, ".wasm"));

if (import.meta.main) for (const path of WAT_FILES) await Bun.write(binaryOf(path), await assemble(path));
