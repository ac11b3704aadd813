import { AppError } from "../../../lib/errors";

/*
 * The part of the tar format (POSIX.1-1988, "ustar") that bundles use: regular files with short names and fixed
 * attributes. A library would accept much more, which is unsafe for files from unknown sources.
 */

const BLOCK = 512;
/** A fixed date for tools that show one, so that equal files have equal headers. */
const MODIFIED = Date.UTC(2026, 0, 1) / 1000;
/** Maximum size of a member to read. Writers start the next part long before. */
const MAX_MEMBER_BYTES = 256 * 1_048_576;

const octal = (value: number, digits: number): string => value.toString(8).padStart(digits, "0");

/** The header of a regular file with at most 100 ASCII characters in its name. */
const headerOf = (name: string, size: number): Uint8Array => {
  const block = Buffer.alloc(BLOCK);
  block.write(name, 0, 100, "ascii");
  block.write(`${octal(0o644, 7)}\0${octal(0, 7)}\0${octal(0, 7)}\0${octal(size, 11)}\0${octal(MODIFIED, 11)}\0`, 100);
  // The checksum is computed as if it were spaces.
  block.write("        0", 148);
  block.write("ustar\x0000", 257);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${octal(sum, 6)}\0 `, 148);
  return block;
};

const paddingOf = (size: number): number => (BLOCK - (size % BLOCK)) % BLOCK;

/** The bytes of one member. */
export const tarMember = (name: string, content: Uint8Array): Uint8Array =>
  Buffer.concat([headerOf(name, content.length), content, Buffer.alloc(paddingOf(content.length))]);

/** The end of an archive. */
export const TAR_END: Uint8Array = Buffer.alloc(2 * BLOCK);

export interface TarMember {
  name: string;
  content: Uint8Array;
}

/**
 * Reads an archive that `tarMember` wrote, one member at a time. Throws invalid_request with the member's name for
 * anything else: other headers, names that `isName` rejects, a member that is too large or occurs twice, data after the
 * end, and a file that ends too early.
 */
export async function* readTar(
  pieces: AsyncIterable<Uint8Array>,
  isName: (name: string) => boolean,
): AsyncGenerator<TarMember> {
  const bytes = new ByteReader(pieces);
  const seen = new Set<string>();
  try {
    for (;;) {
      const block = await bytes.take(BLOCK, "its header");
      if (block.every((byte) => byte === 0)) break;
      const { name, size } = readHeader(block);
      if (!isName(name)) throw refused(`it contains ${JSON.stringify(name)}, which is not part of a bundle`);
      if (size > MAX_MEMBER_BYTES) throw refused(`${name} has ${size} bytes; the limit is ${MAX_MEMBER_BYTES}`);
      if (!headerOf(name, size).every((byte, n) => byte === block[n])) {
        throw refused(`the tar header of ${name} was changed, or another tool packed the file again`);
      }
      if (seen.has(name)) throw refused(`it contains ${name} twice`);
      seen.add(name);
      const content = await bytes.take(size, name);
      const padding = await bytes.take(paddingOf(size), name);
      if (padding.some((byte) => byte !== 0)) throw refused(`there is data between ${name} and the next file`);
      yield { name, content };
    }
    const end = await bytes.take(BLOCK, "its end");
    if (end.some((byte) => byte !== 0) || !(await bytes.isAtEnd()))
      throw refused("there is data after its end, or another tool packed the file again");
  } finally {
    await bytes.close();
  }
}

/** The name and size in a header, without any check of its other fields. */
const readHeader = (block: Uint8Array): { name: string; size: number } => {
  const header = Buffer.from(block);
  const textAt = (from: number, length: number): string => {
    const field = header.subarray(from, from + length).toString("latin1");
    return field.includes("\0") ? field.slice(0, field.indexOf("\0")) : field;
  };
  if (header.toString("latin1", 257, 262) !== "ustar") throw refused("it is not a tar archive");
  const prefix = textAt(345, 155);
  const size = textAt(124, 12);
  if (!/^[0-7]{11}$/.test(size)) throw refused("a tar header has no valid size");
  return { name: prefix === "" ? textAt(0, 100) : `${prefix}/${textAt(0, 100)}`, size: Number.parseInt(size, 8) };
};

export const refused = (why: string): AppError =>
  new AppError("invalid_request", `This is not a bundle that can be verified: ${why}.`);

/** Reads an exact number of bytes at a time. */
class ByteReader {
  readonly #pieces: AsyncIterator<Uint8Array>;
  #rest: Uint8Array = new Uint8Array();

  constructor(pieces: AsyncIterable<Uint8Array>) {
    this.#pieces = pieces[Symbol.asyncIterator]();
  }

  async take(size: number, of: string): Promise<Uint8Array> {
    const parts: Uint8Array[] = [];
    for (let missing = size; missing > 0; ) {
      if (this.#rest.length === 0 && !(await this.#read())) throw refused(`it ends in ${of}`);
      const part = this.#rest.subarray(0, missing);
      this.#rest = this.#rest.subarray(part.length);
      missing -= part.length;
      parts.push(part);
    }
    return parts.length === 1 && parts[0] ? parts[0] : Buffer.concat(parts);
  }

  async isAtEnd(): Promise<boolean> {
    return this.#rest.length === 0 && !(await this.#read());
  }

  async close(): Promise<void> {
    await this.#pieces.return?.();
  }

  async #read(): Promise<boolean> {
    do {
      const { done, value } = await this.#pieces.next();
      if (done) return false;
      this.#rest = value;
    } while (this.#rest.length === 0);
    return true;
  }
}
