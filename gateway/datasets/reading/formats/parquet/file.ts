import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { AppError } from "../../../../../lib/errors";
import { invalid } from "../../problems";

/** What is wrong with a Parquet file that can't be read where it says it can. */
export const damaged = (what: string, column?: string): AppError =>
  invalid(`the Parquet file is damaged: ${what}. Write it again.`, { column });

/** Runs what a damaged file can make fail anywhere: whatever it throws becomes dataset_invalid. */
export const guarded = <T>(run: () => T, what: string, column?: string): T => {
  try {
    return run();
  } catch (error) {
    throw error instanceof AppError ? error : damaged(what, column);
  }
};

/** Bytes that are looked at together for what ends the file. */
const END_BYTES = 65_536;

/** A file that is read at any place, synchronously: the reader has a thread of its own. */
export class RandomFile {
  /** Bytes without NUL bytes at the end, which are `filling`. */
  readonly size: number;
  readonly filling: number;
  readonly #fd: number;

  constructor(path: string) {
    this.#fd = openSync(path, "r");
    const { size } = fstatSync(this.#fd);
    this.size = size;
    this.size = this.#withoutFilling();
    this.filling = size - this.size;
  }

  #withoutFilling(): number {
    for (let end = this.size; end > 0; ) {
      const start = Math.max(0, end - END_BYTES);
      const last = this.read(start, end - start).findLastIndex((byte) => byte !== 0);
      if (last >= 0) return start + last + 1;
      end = start;
    }
    return 0;
  }

  /** Exactly `length` bytes in a buffer of their own. Throws dataset_invalid beyond the end. */
  read(start: number, length: number): Uint8Array<ArrayBuffer> {
    if (start < 0 || length < 0 || start + length > this.size) throw damaged("it refers to places beyond its end");
    const bytes = new Uint8Array(length);
    for (let done = 0; done < length; ) {
      const count = readSync(this.#fd, bytes, done, length - done, start + done);
      if (count === 0) throw damaged("it ends too early");
      done += count;
    }
    return bytes;
  }

  close(): void {
    closeSync(this.#fd);
  }
}
