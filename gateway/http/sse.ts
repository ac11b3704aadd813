import { type AppError, toAppError, toEnvelope } from "../../lib/errors";
import type { Exchange } from "./exchange";

/** Proxies and browsers close idle connections. A comment every 5 s keeps the stream of a slow model open. */
const KEEP_ALIVE_MS = 5000;
const encoder = new TextEncoder();
const KEEP_ALIVE = encoder.encode(": waiting\n\n");
export const DONE_FRAME = "data: [DONE]\n\n";

/** Formats an event without a name. */
export const frame = (data: unknown): string => `data: ${JSON.stringify(data)}\n\n`;

export const namedFrame = (name: string, data: unknown): string => `event: ${name}\n${frame(data)}`;

/** How the events of a stream are written. */
interface EventFormat<Event> {
  /** The frames of an event; empty if the client doesn't need it. */
  frame(event: Event): string;
  /** The frames after the last event; empty if there are none. */
  end: string;
}

const OUR_FORMAT: EventFormat<unknown> = { frame, end: DONE_FRAME };

/**
 * Waits for the first event, so that a rejection keeps its own status, then streams all events. The headers depend on
 * the first event. The default format is ours, with `[DONE]` at the end.
 */
export const startEvents = async <Event>(
  events: AsyncGenerator<Event, void, undefined>,
  headersOf: (first: Event) => Record<string, string>,
  { frame: toFrame, end }: EventFormat<Event> = OUR_FORMAT,
): Promise<Stream> => {
  const first = await events.next();
  const pieces = async function* () {
    try {
      if (first.value !== undefined) yield toFrame(first.value);
      for await (const event of events) {
        const frames = toFrame(event);
        if (frames !== "") yield frames;
      }
      if (end !== "") yield end;
    } finally {
      // Also covers a client that leaves after the first event, before the loop begins.
      await events.return();
    }
  };
  return { headers: first.value === undefined ? {} : headersOf(first.value), pieces: pieces() };
};

/** The last frames of a failed stream. */
type ToErrorFrames = (error: AppError, requestId: string) => string;

/** Without `[DONE]`, so that clients know the stream is incomplete. */
const errorFrame: ToErrorFrames = (error, requestId) => frame(toEnvelope(error, requestId));

interface Stream {
  headers: Record<string, string>;
  /** Complete frames. Leaving the loop early stops their source. */
  pieces: AsyncIterable<Uint8Array | string>;
  /** The error that a completed stream has already reported in its own format, if any. For the request log. */
  failure?(): AppError | undefined;
  /** By default, the error's envelope. */
  toErrorFrames?: ToErrorFrames;
}

/** Extra time for a node's rejection to arrive after the maximum queue time. */
const REJECTION_DELAY_MS = 2000;
/** nginx and most load balancers close a connection on which the server sends nothing for 60 s. */
const MAX_SILENCE_MS = 45_000;

/**
 * How long a response waits for its first event, in milliseconds. A rejection within this time keeps its own status.
 * After that, the response is a stream with status 200 whose last event is the rejection, as for every request that
 * waits the default 60 s for a slot.
 */
export const patienceOf = ({ queueMs }: { queueMs: number }): number =>
  Math.min(queueMs + REJECTION_DELAY_MS, MAX_SILENCE_MS);

/**
 * The response for a stream that is starting. An error before the first piece keeps its own status. If the first piece
 * takes longer than `patienceMs`, headers and comments are sent before it, and an error becomes the last frames.
 */
export const streamWhenReady = async (
  exchange: Exchange,
  starting: Promise<Stream>,
  patienceMs: number,
  toErrorFrames: ToErrorFrames = errorFrame,
): Promise<Response> => {
  const late = Promise.withResolvers<undefined>();
  const timer = setTimeout(late.resolve, patienceMs, undefined);
  const stream = await Promise.race([starting, late.promise]).finally(() => clearTimeout(timer));
  if (stream) return sseResponse(exchange, { ...stream, toErrorFrames });
  // The client may disconnect before the next read. The rejection is then ignored: no caller is waiting.
  starting.catch(() => undefined);
  const pieces = async function* () {
    yield KEEP_ALIVE;
    yield* (await starting).pieces;
  };
  return sseResponse(exchange, { headers: {}, pieces: pieces(), toErrorFrames });
};

/**
 * Streams frames as Server-Sent Events: requests the next piece once the client has read the previous one, sends `:
 * waiting` after 5 s of silence, turns a thrown error into the last frames, and finishes the exchange.
 */
export const sseResponse = (
  exchange: Exchange,
  { pieces, headers, failure, toErrorFrames = errorFrame }: Stream,
): Response => {
  exchange.isAnswered = true;
  const iterator = pieces[Symbol.asyncIterator]();
  let keepAlive: Timer | undefined;
  let hasLeft = false;
  const finish = (status: number, error?: AppError) => {
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
          if (hasLeft) return;
          if (done) {
            finish(200, failure?.());
            controller.close();
            return;
          }
          keepAlive?.refresh();
          exchange.bodies?.streamed(value);
          controller.enqueue(typeof value === "string" ? encoder.encode(value) : value);
        } catch (thrown) {
          if (hasLeft) return;
          const error = exchange.endedBy ?? toAppError(thrown);
          finish(200, error);
          controller.enqueue(encoder.encode(toErrorFrames(error, exchange.requestId)));
          controller.close();
        }
      },
      async cancel() {
        hasLeft = true;
        finish(499);
        await iterator.return?.();
      },
    },
    { highWaterMark: 0 },
  );
  return new Response(body, {
    headers: exchange.withHeaders({
      "content-type": "text/event-stream; charset=utf-8",
      "cache-control": "no-cache",
      ...headers,
    }),
  });
};
