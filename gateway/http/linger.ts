import type { Exchange } from "./exchange";

/** Bytes that are read and dropped after a refusal. */
const MAX_DROPPED_BYTES = 128 * 1_048_576;
const MAX_LINGER_MS = 30_000;
/** A sender that is silent for this long has stopped or stalled. */
const MAX_SILENCE_MS = 2000;
/** The server reads and drops the rest of a shorter body by itself, and keeps the connection. */
const SHORT_BODY_BYTES = 65_536;

/**
 * Sends a refusal whose request is still on its way, reads and drops what comes, and closes the connection (a lingering
 * close, as nginx and Apache do). Closed before that, the connection would be reset, and clients that write all of a body
 * before they read get EPIPE in place of the refusal. Bound by bytes, time and silence.
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
  // Ends the read that waits. A race against a promise that lives on would keep every piece that was read.
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
    // The client has left.
  } finally {
    clearTimeout(silence);
    stop();
  }
};
