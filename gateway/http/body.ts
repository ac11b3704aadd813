import { AppError } from "../../lib/errors";
import { readJson, readJsonWithoutNul } from "./json";

/** The routes that take files; each holds what it reads to a limit of its own. */
const TAKES_FILES =
  /^(?:\/v1\/(?:datasets(?:\/[^/]+\/revisions)?|rag\/indexes\/[^/]+\/documents)|\/datasets(?:\/[^/]+)?\/upload)\/?$/;
/** A run that is brought along is larger than the request that made it: its answer, scores and labels come with it. */
const IS_RUN = /^\/v1\/evals\/import\/?$/;
const RUN_FACTOR = 4;
/** The routes that hand texts to a model and store none of them as a document: NUL is removed here, refused elsewhere. */
const DROPS_NUL = /^\/v1\/(?:chat|chat\/completions|completions|embeddings|evaluate|cache\/explain)\/?$/;
/** Beside its file a form has a few fields, and boundaries. */
const FORM_BYTES = 1_048_576;
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
export const refuseFiles = (headers: Headers, path: string): void => {
  if (isMultipart(headers) && !takesFiles(path))
    throw new AppError("unsupported_media_type", "This form takes no files.");
};

const CLOSES = { connection: "close" };

const tooLarge = (what: string, maxBytes: number, headers?: Record<string, string>): AppError =>
  new AppError("payload_too_large", `${what}; the most that is read is ${maxBytes} bytes.`, { headers });

export interface BodyLimits {
  /** Of JSON and plain forms. */
  maxBytes: number;
  /** Of a form with a file, where the route takes one; undefined for whoever may send none. */
  maxUploadBytes: number | undefined;
}

/**
 * Holds a body to its limit: one that tells its length by its headers, before it is read; one that comes in chunks while
 * it is read here, so that it never takes more memory than that. A form with a file is left to its route, which reads it
 * piece by piece. Throws payload_too_large.
 */
export const limitBody = (request: Request, path: string, limits: BodyLimits): Promise<void> | undefined => {
  const maxBytes = IS_RUN.test(path) ? limits.maxBytes * RUN_FACTOR : limits.maxBytes;
  Reflect.set(request, "json", DROPS_NUL.test(path) ? readJsonWithoutNul : readJson);
  const { headers } = request;
  const uploadBytes = isMultipart(headers) && takesFiles(path) ? limits.maxUploadBytes : undefined;
  if (headers.has("transfer-encoding")) {
    return uploadBytes === undefined ? readChunks(request, maxBytes) : undefined;
  }
  const length = Number(headers.get("content-length") ?? 0);
  const mostBytes = uploadBytes === undefined ? maxBytes : uploadBytes + FORM_BYTES;
  // What is on its way already is not read: the connection ends with the refusal.
  if (length > mostBytes) throw tooLarge(`The body has ${length} bytes`, uploadBytes ?? maxBytes, CLOSES);
  return undefined;
};

/** Reads the body and gives it to whoever reads the request next. */
const readChunks = async (request: Request, maxBytes: number): Promise<void> => {
  const body = new Bun.ArrayBufferSink();
  let size = 0;
  for await (const chunk of request.body ?? []) {
    size += chunk.length;
    // Unless the connection ends with the refusal, the server goes on taking in what may have no end.
    if (size > maxBytes) throw tooLarge("The body is larger than it may be", maxBytes, CLOSES);
    body.write(chunk);
  }
  const bytes = new Uint8Array(body.end() as ArrayBuffer);
  Object.assign(request, { bytes: async () => bytes, text: async () => new TextDecoder().decode(bytes) });
};
