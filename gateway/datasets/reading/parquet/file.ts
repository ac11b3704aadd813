import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { AppError } from "../../../../lib/errors";
import { invalid } from "../problems";

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

/** A file that is read at any place, synchronously: the reader has a thread of its own. */
export class RandomFile {
  readonly size: number;
  readonly #fd: number;

  constructor(path: string) {
    this.#fd = openSync(path, "r");
    this.size = fstatSync(this.#fd).size;
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
