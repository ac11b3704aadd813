import { AppError } from "../../lib/errors";
import { readJson } from "./json";

/** The routes that take files. What they take is held to the server's own limit. */
const TAKES_FILES = /^\/v1\/(?:datasets(?:\/[^/]+\/revisions)?|rag\/indexes\/[^/]+\/documents)\/?$/;
const JSON_TYPE = /^application\/(?:[\w.-]+\+)?json\b/i;
const CHARSET = /;\s*charset="?([^\s";]+)/i;

const isMultipart = (headers: Headers): boolean =>
  headers.get("content-type")?.toLowerCase().startsWith("multipart/") ?? false;

const takesFiles = (path: string): boolean => TAKES_FILES.test(path);

/** Refuses, before it is read, a body of the API that no route reads. Throws unsupported_media_type. */
export const checkType = (headers: Headers, path: string): void => {
  const type = headers.get("content-type");
  if (type === null || type === "application/json") return;
  if (isMultipart(headers) && takesFiles(path)) return;
  if (!JSON_TYPE.test(type)) {
    throw new AppError(
      "unsupported_media_type",
      `The body is ${type}. Send JSON with the header content-type: application/json.`,
    );
  }
  const charset = CHARSET.exec(type)?.[1] ?? "utf-8";
  if (!/^utf-?8$/i.test(charset)) {
    throw new AppError("unsupported_media_type", `The body is in ${charset}. Send JSON in UTF-8.`);
  }
};

/** Refuses files where pages take the fields of a form. Throws unsupported_media_type. */
export const refuseFiles = (headers: Headers): void => {
  if (isMultipart(headers)) throw new AppError("unsupported_media_type", "This form takes no files.");
};

const tooLarge = (what: string, maxBytes: number, headers?: Record<string, string>): AppError =>
  new AppError("payload_too_large", `${what}; the most that is read is ${maxBytes} bytes.`, { headers });

/**
 * Holds a body to `maxBytes`: one that tells its length by its headers, before it is read; one that comes in chunks while
 * it is read here, so that it never takes more memory than that. Throws payload_too_large.
 */
export const limitBody = (request: Request, path: string, maxBytes: number): Promise<void> | undefined => {
  Reflect.set(request, "json", readJson);
  const { headers } = request;
  if (headers.has("transfer-encoding")) {
    return isMultipart(headers) && takesFiles(path) ? undefined : readChunks(request, maxBytes);
  }
  const length = Number(headers.get("content-length") ?? 0);
  if (length > maxBytes && !(isMultipart(headers) && takesFiles(path))) {
    throw tooLarge(`The body has ${length} bytes`, maxBytes);
  }
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
  const bytes = new Uint8Array(body.end() as ArrayBuffer);
  Object.assign(request, { bytes: async () => bytes, text: async () => new TextDecoder().decode(bytes) });
};
