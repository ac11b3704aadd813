import { heapSize } from "bun:jsc";

/** Garbage is at most this part of the heap, or `bytesBetween`. */
const HEAP_SHARE = 48;

/**
 * Collects garbage after a number of bytes. On its own, JavaScriptCore lets a heap grow to several times what is in use:
 * for 50 MiB of JSONL the process grew by 104 MiB, and with this it grows by 40.
 */
export class Garbage {
  #passed = 0;
  #between: number;

  constructor(private readonly bytesBetween: number) {
    this.#between = bytesBetween;
  }

  note(bytes: number): void {
    this.#passed += bytes;
    if (this.#passed < this.#between) return;
    this.#passed = 0;
    Bun.gc(true);
    // The more is in use, the longer a collection takes.
    this.#between = Math.max(this.bytesBetween, heapSize() / HEAP_SHARE);
  }
}
