import { type AppError, toAppError, toEnvelope } from "../../lib/errors";
import type { Exchange } from "./exchange";

/** Proxies and browsers close what is quiet for long; a comment every 5 s keeps a slow model's stream open. */
export const KEEP_ALIVE_MS = 5000;
const encoder = new TextEncoder();
const KEEP_ALIVE = encoder.encode(": waiting\n\n");
export const DONE = "data: [DONE]\n\n";

/** One unnamed event. */
export const frame = (data: unknown): string => `data: ${JSON.stringify(data)}\n\n`;

/** The last frame of a stream that failed; no `[DONE]` follows, which is how a client tells it from a whole one. */
export const errorFrame = (error: AppError, requestId: string): string => frame(toEnvelope(error, requestId));

interface StreamOptions {
  exchange: Exchange;
  headers: Record<string, string>;
  /** Called when the client leaves before the end. */
  onLeave(): void;
}

/**
 * Streams `pieces` (whole frames) as Server-Sent Events: pulls the next piece only when the client has taken the last,
 * says `: waiting` every 5 s of silence, turns a thrown error into a last error frame, and finishes the exchange.
 */
export const sseResponse = (
  pieces: AsyncIterable<Uint8Array | string>,
  { exchange, headers, onLeave }: StreamOptions,
): Response => {
  exchange.isStreaming = true;
  const iterator = pieces[Symbol.asyncIterator]();
  let keepAlive: Timer | undefined;
  const end = (status: number, error?: AppError) => {
    clearInterval(keepAlive);
    exchange.finish(status, error?.kind);
  };

  const body = new ReadableStream<Uint8Array>(
    {
      start(controller) {
        keepAlive = setInterval(() => controller.enqueue(KEEP_ALIVE), KEEP_ALIVE_MS);
      },
      async pull(controller) {
        try {
          const { value, done } = await iterator.next();
          if (done) {
            end(200);
            controller.close();
            return;
          }
          keepAlive?.refresh();
          controller.enqueue(typeof value === "string" ? encoder.encode(value) : value);
        } catch (thrown) {
          const error = toAppError(thrown);
          end(200, error);
          controller.enqueue(encoder.encode(errorFrame(error, exchange.requestId)));
          controller.close();
        }
      },
      async cancel() {
        end(499, undefined);
        onLeave();
        await iterator.return?.();
      },
    },
    { highWaterMark: 0 },
  );
  return new Response(body, {
    headers: {
      ...exchange.headers,
      "content-type": "text/event-stream; charset=utf-8",
      "cache-control": "no-cache",
      ...headers,
    },
  });
};
