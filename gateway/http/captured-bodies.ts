import type { LoggedBodies } from "../ports/recorder";

/** Maximum length of a logged body. A streamed answer may be longer, because most of it is the frames around its text. */
const MAX_CHARACTERS = 65_536;
const MAX_STREAM_CHARACTERS = 8 * MAX_CHARACTERS;

/** Collects the bodies of a request whose key logs them: as they were sent, cut to a maximum length. */
export class CapturedBodies implements LoggedBodies {
  prompt = "";
  answer = "";
  isCut = false;
  #decoder: TextDecoder | undefined;

  asked(text: string): void {
    this.prompt = this.#cut(text, MAX_CHARACTERS);
  }

  answered(body: string | Uint8Array): void {
    this.answer = this.#cut(typeof body === "string" ? body : new TextDecoder().decode(body), MAX_CHARACTERS);
  }

  /** Adds a part of a streamed answer. */
  streamed(piece: string | Uint8Array): void {
    if (this.answer.length >= MAX_STREAM_CHARACTERS) {
      this.isCut = true;
      return;
    }
    this.#decoder ??= new TextDecoder();
    const text = typeof piece === "string" ? piece : this.#decoder.decode(piece, { stream: true });
    this.answer = this.#cut(this.answer + text, MAX_STREAM_CHARACTERS);
  }

  #cut(text: string, maxLength: number): string {
    if (text.length <= maxLength) return text;
    this.isCut = true;
    return text.slice(0, maxLength);
  }
}

/** `x-log-bodies: false`, or any other value than true, keeps one request's bodies out of the log. */
export const capturedBodies = (headers: Headers): CapturedBodies | undefined =>
  (headers.get("x-log-bodies") ?? "true") === "true" ? new CapturedBodies() : undefined;
