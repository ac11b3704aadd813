import type { IncomingHttpHeaders } from "node:http";
import type { Readable } from "node:stream";
import { AppError } from "../../lib/errors";

/** What requests of HTTP/2 and HTTP/1.1 have in common. */
export type Incoming = Readable & { method?: string; url?: string; headers: IncomingHttpHeaders };

interface Limits {
  maxBytes: number;
  /** How long the whole body may take to arrive. */
  stallMs: number;
  /** Aborted with an AppError when nobody waits for the answer any more. */
  signal: AbortSignal;
}

const refuse = (message: string, cause?: unknown): AppError => new AppError("invalid_request", message, { cause });

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
    throw refuse("The body is not valid JSON in UTF-8.", cause);
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return { ...value };
  throw refuse("The body must be a JSON object.");
};

/** It also keeps web pages out: they can't send this type to a node on this machine without being allowed to. */
const isJson = (contentType: string): boolean => {
  const charset = /;\s*charset\s*=\s*"?([^\s;"]*)/i.exec(contentType)?.[1] ?? "utf-8";
  return /^application\/json\s*(;|$)/i.test(contentType) && /^utf-?8$/i.test(charset);
};

const readBytes = (request: Incoming, { maxBytes, stallMs, signal }: Limits): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    signal.throwIfAborted();
    if (Number(request.headers["content-length"] ?? 0) > maxBytes) throw tooLarge(maxBytes);
    const chunks: Buffer[] = [];
    let sizeBytes = 0;
    const onData = (chunk: Buffer) => {
      sizeBytes += chunk.length;
      if (sizeBytes > maxBytes) fail(tooLarge(maxBytes));
      else chunks.push(chunk);
    };
    const onEnd = () => {
      settle();
      resolve(Buffer.concat(chunks, sizeBytes));
    };
    const onAbort = () => fail(signal.reason);
    const slow = setTimeout(() => fail(refuse(`The body did not arrive within ${stallMs} ms.`)), stallMs);
    const settle = () => {
      clearTimeout(slow);
      request.off("data", onData);
      request.off("end", onEnd);
      signal.removeEventListener("abort", onAbort);
    };
    const fail = (error: unknown) => {
      settle();
      reject(error);
    };
    request.on("data", onData);
    request.on("end", onEnd);
    signal.addEventListener("abort", onAbort);
  });

const tooLarge = (maxBytes: number): AppError =>
  new AppError("payload_too_large", `The body is larger than ${maxBytes} bytes. Send less.`);
