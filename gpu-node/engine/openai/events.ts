import { brokenAnswer } from "./errors";

/** A frame, or a document, that is longer than this is no answer of a model. */
const MAX_FRAME_CHARACTERS = 4 * 1_048_576;

/**
 * The `data:` of each Server-Sent Event of a response, as it comes; other fields and comments are passed over.
 * Throws upstream_error when a frame has no end or the bytes are no UTF-8.
 */
export async function* readEvents(body: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let rest = "";
  for await (const bytes of body) {
    try {
      rest += decoder.decode(bytes, { stream: true });
    } catch (cause) {
      throw brokenAnswer("sent bytes that are no text", cause);
    }
    let end = rest.search(EVENT_END);
    while (end >= 0) {
      const data = dataOf(rest.slice(0, end));
      rest = rest.slice(end).replace(EVENT_END, "");
      if (data !== undefined) yield data;
      end = rest.search(EVENT_END);
    }
    if (rest.length > MAX_FRAME_CHARACTERS) throw brokenAnswer("sent a frame without an end");
  }
}

const EVENT_END = /\r?\n\r?\n/;

const dataOf = (event: string): string | undefined => {
  const lines = event.split(/\r?\n/).filter((line) => line.startsWith("data:"));
  if (lines.length === 0) return undefined;
  return lines.map((line) => line.slice(line[5] === " " ? 6 : 5)).join("\n");
};
