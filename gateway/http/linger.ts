import type { Exchange } from "./exchange";

/** Maximum number of bytes to read and discard after an early error. */
const MAX_DROPPED_BYTES = 128 * 1_048_576;
const MAX_LINGER_MS = 30_000;
/** A sender that is silent for this long has stopped or stalled. */
const MAX_SILENCE_MS = 2000;
/** The server itself discards the rest of a body shorter than this, and keeps the connection open. */
const SHORT_BODY_BYTES = 65_536;

/**
 * Lingering close, as in nginx and Apache: sends an error before the request body has arrived completely, discards the
 * rest of the body, then closes the connection. Closing right away would reset the connection, and a client that writes
 * its whole body before it reads would get EPIPE instead of the error. Limited in bytes, time and idle time.
 */
export const linger = async (exchange: Exchange, refusal: Response): Promise<Response> => {
  const reader = isUnread(exchange) ? exchange.openBody() : undefined;
  if (!reader) return refusal;
  const bytes = await refusal.bytes();
  const headers = new Headers(refusal.headers);
  headers.set("content-length", String(bytes.length));
  headers.set("connection", "close");
  const body = async function* () {
    yield bytes;
    await drop(reader);
  };
  return new Response(body(), { status: refusal.status, headers });
};

const isUnread = ({ request: { headers, method, bodyUsed }, unread }: Exchange): boolean => {
  if (unread) return true;
  if (bodyUsed || method === "GET" || method === "HEAD") return false;
  return headers.has("transfer-encoding") || Number(headers.get("content-length") ?? 0) > SHORT_BODY_BYTES;
};

const drop = async (reader: ReadableStreamDefaultReader<Uint8Array>): Promise<void> => {
  const endsAt = performance.now() + MAX_LINGER_MS;
  // Ends the pending read. Racing each read against a long-lived promise would keep every chunk in memory.
  const stop = () => void reader.cancel().catch(() => undefined);
  const silence = setTimeout(stop, MAX_SILENCE_MS);
  try {
    for (let droppedBytes = 0; droppedBytes < MAX_DROPPED_BYTES && performance.now() < endsAt; ) {
      const { done, value } = await reader.read();
      if (done) return;
      droppedBytes += value.length;
      silence.refresh();
    }
  } catch {
    // The client disconnected.
  } finally {
    clearTimeout(silence);
    stop();
  }
};
