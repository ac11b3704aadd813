import { AppError } from "../../../lib/errors";

const PAGE_BYTES = 65_536;
/** 4 GiB, the address space of WebAssembly. */
const MAX_PAGES = 65_536;

/** A buffer that grows in place. Growing an ordinary buffer copies it, so that both copies take memory for a moment. */
export class GrowableMemory {
  readonly memory = new WebAssembly.Memory({ initial: 1, maximum: MAX_PAGES });

  get buffer(): ArrayBuffer {
    return this.memory.buffer;
  }

  /**
   * Grows to at least `bytes`. New bytes are 0 and take no memory until they are written. Returns true if the buffer grew,
   * which detaches earlier views. Throws storage_full beyond 4 GiB.
   */
  reserve(bytes: number): boolean {
    const pages = this.buffer.byteLength / PAGE_BYTES;
    const needed = Math.ceil(bytes / PAGE_BYTES);
    if (needed <= pages) return false;
    const wanted = Math.max(needed, Math.min(MAX_PAGES, Math.ceil(pages * 1.5)));
    try {
      this.memory.grow(wanted - pages);
    } catch (cause) {
      const message = "The index doesn't fit into memory. Split it into several indexes.";
      throw new AppError("storage_full", message, { cause });
    }
    return true;
  }
}
