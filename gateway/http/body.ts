import { AppError } from "../../lib/errors";

const tooLarge = (what: string, maxBytes: number, headers?: Record<string, string>): AppError =>
  new AppError("payload_too_large", `${what}; the most that is read is ${maxBytes} bytes.`, { headers });

/**
 * Holds a body to `maxBytes`: one that tells its length by its headers, before it is read; one that comes in chunks while
 * it is read here, so that it never takes more memory than that. Forms with files have a limit of their own, the
 * server's. Throws payload_too_large.
 */
export const limitBody = (request: Request, maxBytes: number): Promise<void> | undefined => {
  const { headers } = request;
  if (headers.get("content-type")?.startsWith("multipart/form-data")) return undefined;
  if (headers.has("transfer-encoding")) return readChunks(request, maxBytes);
  const length = Number(headers.get("content-length") ?? 0);
  if (length > maxBytes) throw tooLarge(`The body has ${length} bytes`, maxBytes);
  return undefined;
};

/** Reads the body and gives it to whoever reads the request next. */
const readChunks = async (request: Request, maxBytes: number): Promise<void> => {
  const body = new Bun.ArrayBufferSink();
  let size = 0;
  for await (const chunk of request.body ?? []) {
    size += chunk.length;
    // Unless the connection ends with the refusal, the server goes on taking in what may have no end.
    if (size > maxBytes) throw tooLarge("The body is larger than it may be", maxBytes, { connection: "close" });
    body.write(chunk);
  }
  const bytes = body.end();
  const text = async () => new TextDecoder().decode(bytes);
  Object.assign(request, { text, json: async () => JSON.parse(await text()) });
};
