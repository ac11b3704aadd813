import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { GrowableMemory } from "./growable-memory";

/** The functions of `dot-products.wat`, which work on the memory with the rows. Parameters are byte offsets or lengths. */
interface DotProducts {
  int8(row: number, end: number, rowBytes: number, query: number, out: number): void;
  float32(list: number, listEnd: number, rowBytes: number, query: number): void;
}

let compiled: WebAssembly.Module | undefined;

export const dotProductsOn = ({ memory }: GrowableMemory): DotProducts => {
  compiled ??= new WebAssembly.Module(readFileSync(join(import.meta.dir, "dot-products.wasm")));
  return new WebAssembly.Instance(compiled, { rows: { memory } }).exports as unknown as DotProducts;
};
