import { AppError } from "./errors";

/** The characters of base64 in JSON, by byte, including the backslash that some encoders write before a slash. */
const IS_BASE64 = new Uint8Array(256);
for (const byte of Buffer.from("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=\\"))
  IS_BASE64[byte] = 1;
/** A run of fewer base64 characters counts as text, because it may be words. */
const MIN_RUN_BYTES = 1024;
/** Memory for the bodies of all running requests, as a multiple of the largest body. */
const MAX_BODIES = 4;
/** How long a refused caller should wait before it tries again. */
const RETRY_MS = 1000;

/**
 * Limits the memory of bodies that exceed the ordinary limit because of images or audio. Each owner may use half of the
 * total. Only the part of a body beyond the ordinary limit counts.
 */
export class BodyMemory {
  readonly #maxBytes: number;
  readonly #heldBytes = new Map<string, number>();
  #totalBytes = 0;

  constructor(largestBytes: number) {
    this.#maxBytes = MAX_BODIES * largestBytes;
  }

  /** Opens a body for this owner. Release it when its request ends. */
  open(owner: string, maxTextBytes: number): MediaBody {
    return new MediaBody(maxTextBytes, (bytes) => this.#hold(owner, bytes));
  }

  get totalBytes(): number {
    return this.#totalBytes;
  }

  #hold(owner: string, bytes: number): void {
    const totalBytes = this.#totalBytes + bytes;
    const heldBytes = (this.#heldBytes.get(owner) ?? 0) + bytes;
    if (bytes > 0 && heldBytes > this.#maxBytes / 2) throw full("rate_limited", "this key's");
    if (bytes > 0 && totalBytes > this.#maxBytes) throw full("overloaded", "all");
    this.#totalBytes = totalBytes;
    if (heldBytes > 0) this.#heldBytes.set(owner, heldBytes);
    else this.#heldBytes.delete(owner);
  }
}

/**
 * A body that may have `maxTextBytes` in addition to its images and audio. While it arrives, everything outside long
 * runs of base64 characters counts as text. Such a run contains no quotes, commas or brackets, so this also limits the
 * number of values in the body. Once it is parsed, `check` counts exactly.
 */
export class MediaBody {
  #sizeBytes = 0;
  #textBytes = 0;
  #runBytes = 0;
  #heldBytes = 0;
  /**
   * Pieces whose text has not been counted yet. A short body can't have too much text, so its text is never counted.
   */
  #uncounted: Uint8Array[] = [];

  constructor(
    private readonly maxTextBytes: number,
    private readonly hold: (bytes: number) => void,
  ) {}

  /**
   * Counts a piece of the body. Throws payload_too_large for too much text, and rate_limited or overloaded if the
   * memory is full.
   */
  add(piece: Uint8Array): void {
    this.#sizeBytes += piece.length;
    this.#uncounted.push(piece);
    const extraBytes = this.#sizeBytes - this.maxTextBytes;
    if (extraBytes <= 0) return;
    for (const each of this.#uncounted.splice(0)) this.#countText(each);
    if (this.#textBytes > this.maxTextBytes) throw this.#tooMuchText();
    this.hold(extraBytes - this.#heldBytes);
    this.#heldBytes = extraBytes;
  }

  /** Throws payload_too_large if a body of `sizeBytes`, with `mediaBytes` of images and audio, has too much text. */
  check(sizeBytes: number, mediaBytes: number): void {
    if (sizeBytes - mediaBytes > this.maxTextBytes) throw this.#tooMuchText();
  }

  /** Releases the memory. Further calls do nothing. */
  release(): void {
    this.hold(-this.#heldBytes);
    this.#heldBytes = 0;
  }

  #countText(piece: Uint8Array): void {
    let textBytes = this.#textBytes;
    let runBytes = this.#runBytes;
    // An index loop, because an iterator is twenty times slower.
    for (let index = 0; index < piece.length; index++) {
      if (IS_BASE64[piece[index] as number] === 1) runBytes++;
      else {
        textBytes += runBytes < MIN_RUN_BYTES ? runBytes + 1 : 1;
        runBytes = 0;
      }
    }
    this.#textBytes = textBytes;
    this.#runBytes = runBytes;
  }

  #tooMuchText(): AppError {
    const message = `The body has more than ${this.maxTextBytes} bytes besides images and audio. Send less text.`;
    return new AppError("payload_too_large", message);
  }
}

const full = (kind: "rate_limited" | "overloaded", whose: string): AppError => {
  const message = `The images and audio of ${whose} running requests are too large together. Try again in a moment.`;
  return new AppError(kind, message, { retryAfterMs: RETRY_MS });
};

/** A part of a message. Images are in `image_url` for chats (a string for Responses) and in `source` for Messages. */
interface Part {
  image_url?: string | { url?: unknown } | null;
  input_audio?: { data?: unknown } | null;
  source?: { data?: unknown } | null;
  /** The parts of a tool's result. */
  content?: unknown;
}

/** A tool's result is a part that contains parts. */
const MAX_DEPTH = 2;

const lengthOf = (value: unknown): number => (typeof value === "string" ? value.length : 0);

const mediaBytesOf = (parts: unknown, depth: number): number => {
  if (!Array.isArray(parts) || depth > MAX_DEPTH) return 0;
  let bytes = 0;
  for (const part of parts as (Part | null)[]) {
    const image = part?.image_url;
    const url = typeof image === "object" ? image?.url : image;
    if (typeof url === "string" && url.startsWith("data:image/")) bytes += url.length;
    bytes += lengthOf(part?.input_audio?.data) + lengthOf(part?.source?.data) + mediaBytesOf(part?.content, depth + 1);
  }
  return bytes;
};

/**
 * The length of the images and audio in a request for an answer, in bytes of base64. Reads the format of every route.
 * The body may be invalid.
 */
export const mediaBytesIn = (body: unknown): number => {
  const { messages, input } = (body ?? {}) as { messages?: unknown; input?: unknown };
  return mediaBytesOf(messages ?? input, 0);
};
