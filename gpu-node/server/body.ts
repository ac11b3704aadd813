import { on } from "node:events";
import type { IncomingHttpHeaders } from "node:http";
import type { Readable } from "node:stream";
import { AppError } from "../../lib/errors";

/** Common interface of HTTP/2 and HTTP/1.1 requests. */
export type Incoming = Readable & { method?: string; url?: string; headers: IncomingHttpHeaders };

interface Limits {
  maxBytes: number;
  /** Time limit for receiving the body. */
  stallMs: number;
  /** Aborted with an AppError when the request has ended. */
  signal: AbortSignal;
}

const invalidBody = (message: string, cause?: unknown): AppError => new AppError("invalid_request", message, { cause });

/** The body of a request as a JSON object. Throws unsupported_media_type, payload_too_large, invalid_request. */
export const readJson = async (request: Incoming, limits: Limits): Promise<Record<string, unknown>> => {
  if (!isJson(request.headers["content-type"] ?? "")) {
    throw new AppError("unsupported_media_type", "Send JSON in UTF-8, with content-type: application/json.", {
      param: "content-type",
    });
  }
  const bytes = await readBytes(request, limits);
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (cause) {
    throw invalidBody("The body is not valid JSON in UTF-8. Check its syntax and encoding.", cause);
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return { ...value };
  throw invalidBody("The body must be a JSON object.");
};

/** Also blocks web pages: browsers don't let them send this type to another origin without permission. */
const isJson = (contentType: string): boolean => {
  const charset = /;\s*charset\s*=\s*"?([^\s;"]*)/i.exec(contentType)?.[1] ?? "utf-8";
  return /^application\/json\s*(;|$)/i.test(contentType) && /^utf-?8$/i.test(charset);
};

const readBytes = async (request: Incoming, { maxBytes, stallMs, signal }: Limits): Promise<Buffer> => {
  if (Number(request.headers["content-length"] ?? 0) > maxBytes) throw tooLarge(maxBytes);
  const slow = AbortSignal.timeout(stallMs);
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  try {
    // Unlike the request's own iterator, stopping this one early keeps the connection open for the error.
    for await (const [chunk] of on(request, "data", { close: ["end"], signal: AbortSignal.any([signal, slow]) })) {
      sizeBytes += chunk.length;
      if (sizeBytes > maxBytes) throw tooLarge(maxBytes);
      chunks.push(chunk);
    }
  } catch (error) {
    signal.throwIfAborted();
    throw slow.aborted ? invalidBody(`The body did not arrive within ${stallMs} ms. Send the request again.`) : error;
  }
  return Buffer.concat(chunks, sizeBytes);
};

const tooLarge = (maxBytes: number): AppError =>
  new AppError("payload_too_large", `The body is larger than ${maxBytes} bytes. Send a smaller one.`);
