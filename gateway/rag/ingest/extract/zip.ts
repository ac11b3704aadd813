import { inflateRawSync } from "node:zlib";
import { unreadable } from "./document";

const END_OF_DIRECTORY = 0x06054b50;
const DIRECTORY_ENTRY = 0x02014b50;
const END_LENGTH = 22;
const ENTRY_LENGTH = 46;
const LOCAL_LENGTH = 30;
const MAX_COMMENT = 65_535;
const MAX_ENTRIES = 10_000;
const STORED = 0;
const DEFLATED = 8;

interface ZipEntry {
  method: number;
  isEncrypted: boolean;
  packedBytes: number;
  offset: number;
}

const damaged = (cause?: unknown) =>
  unreadable("The DOCX file is damaged or incomplete. Open it in Word, save it again, then upload the copy.", cause);

/** A ZIP archive. Each file is unpacked when it is read, up to a total size limit. */
export class ZipFile {
  readonly #view: DataView;
  readonly #entries: Map<string, ZipEntry>;
  #leftBytes: number;

  /** Throws invalid_request if the archive is damaged. */
  constructor(
    private readonly bytes: Uint8Array,
    private readonly maxUnpackedBytes: number,
  ) {
    this.#leftBytes = maxUnpackedBytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    try {
      this.#entries = this.#readDirectory();
    } catch (error) {
      throw damaged(error);
    }
  }

  has(name: string): boolean {
    return this.#entries.has(name);
  }

  /** A file's UTF-8 text, or "" if it doesn't exist. Throws invalid_request if it is damaged, encrypted or too large. */
  text(name: string): string {
    const entry = this.#entries.get(name);
    if (!entry) return "";
    if (entry.isEncrypted) throw unreadable("The DOCX file is encrypted. Remove its password, then upload it again.");
    const unpacked = this.#unpack(entry);
    this.#leftBytes -= unpacked.length;
    return new TextDecoder().decode(unpacked);
  }

  #unpack({ method, offset, packedBytes }: ZipEntry): Uint8Array {
    try {
      const start =
        offset + LOCAL_LENGTH + this.#view.getUint16(offset + 26, true) + this.#view.getUint16(offset + 28, true);
      const packed = this.bytes.subarray(start, start + packedBytes);
      if (method === STORED && packed.length <= this.#leftBytes) return packed;
      if (method === DEFLATED) return inflateRawSync(packed, { maxOutputLength: Math.max(1, this.#leftBytes) });
    } catch (error) {
      if (!(error instanceof RangeError && "code" in error)) throw damaged(error);
    }
    throw unreadable(
      `The DOCX file unpacks to more than ${this.maxUnpackedBytes / 1_000_000} MB. Remove large content or split the file.`,
    );
  }

  #readDirectory(): Map<string, ZipEntry> {
    const view = this.#view;
    let end = view.byteLength - END_LENGTH;
    const last = Math.max(0, end - MAX_COMMENT);
    while (end >= last && view.getUint32(end, true) !== END_OF_DIRECTORY) end--;
    const entries = new Map<string, ZipEntry>();
    const count = Math.min(MAX_ENTRIES, view.getUint16(end + 10, true));
    let at = view.getUint32(end + 16, true);
    for (let i = 0; i < count && view.getUint32(at, true) === DIRECTORY_ENTRY; i++) {
      const nameLength = view.getUint16(at + 28, true);
      const name = this.bytes.subarray(at + ENTRY_LENGTH, at + ENTRY_LENGTH + nameLength);
      entries.set(new TextDecoder().decode(name), {
        method: view.getUint16(at + 10, true),
        isEncrypted: (view.getUint16(at + 8, true) & 1) === 1,
        packedBytes: view.getUint32(at + 20, true),
        offset: view.getUint32(at + 42, true),
      });
      at += ENTRY_LENGTH + nameLength + view.getUint16(at + 30, true) + view.getUint16(at + 32, true);
    }
    return entries;
  }
}
