import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import { AppError } from "../../lib/errors";
import type { Exchange } from "./exchange";
import { readJson, readJsonWithoutNul } from "./json";

/** The routes that take files; each holds what it reads to a limit of its own. */
const TAKES_FILES =
  /^(?:\/v1\/(?:datasets(?:\/[^/]+\/revisions)?|rag\/indexes\/[^/]+\/documents)|\/datasets(?:\/[^/]+)?\/upload)\/?$/;
/** A run that is brought along is larger than the request that made it: its answer, scores and labels come with it. */
const IS_RUN = /^\/v1\/evals\/import\/?$/;
const RUN_FACTOR = 4;
/** Routes that pass text to a model without storing it as a document: these remove NUL, all others reject it. */
const DROPS_NUL = /^\/v1\/(?:chat|chat\/completions|completions|embeddings|evaluate|cache\/explain)\/?$/;
/** Beside its file a form has a few fields, and boundaries. */
const FORM_BYTES = 1_048_576;
const JSON_TYPE = /^application\/(?:[\w.-]+\+)?json\b/i;
const CHARSET = /;\s*charset="?([^\s";]+)/i;

/** Whether a `content-type` is JSON or a `+json` type. */
export const isJson = (type: string | null): boolean => type !== null && JSON_TYPE.test(type);

const isMultipart = (headers: Headers): boolean =>
  headers.get("content-type")?.toLowerCase().startsWith("multipart/") ?? false;

const takesFiles = (path: string): boolean => TAKES_FILES.test(path);

/** Refuses, before it is read, a body of the API that no route reads. Throws unsupported_media_type. */
export const checkType = (headers: Headers, path: string): void => {
  const type = headers.get("content-type");
  if (type === null || type === "application/json") return;
  if (isMultipart(headers) && takesFiles(path)) return;
  if (!isJson(type)) {
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

const ACCEPTED_ENCODINGS = { "accept-encoding": "gzip" };

/** Whether the body is gzipped. Throws unsupported_media_type for any other encoding, and for more than one. */
const isGzipped = (headers: Headers): boolean => {
  const given = headers.get("content-encoding");
  if (given === null) return false;
  const codings = given
    .toLowerCase()
    .split(",")
    .map((coding) => coding.trim())
    .filter((coding) => coding !== "" && coding !== "identity");
  if (codings.length === 0) return false;
  if (codings.length === 1 && (codings[0] === "gzip" || codings[0] === "x-gzip")) return true;
  throw new AppError(
    "unsupported_media_type",
    `The content-encoding ${given} is not supported. Send the body uncompressed, or compressed once with gzip.`,
    { headers: ACCEPTED_ENCODINGS },
  );
};

const tooLarge = (what: string, maxBytes: number): AppError =>
  new AppError("payload_too_large", `${what}. The limit is ${maxBytes} bytes.`);

export interface BodyLimits {
  /** For JSON and plain forms. */
  maxBytes: number;
  /** For a form with a file, on routes that accept one; undefined if the caller may not upload. */
  maxUploadBytes: number | undefined;
}

/**
 * Enforces the body size limit. A body with a content-length is checked before it is read. A chunked or gzipped body is
 * read here and checked along the way, so it never takes more memory than the limit. A form with a file is streamed by its
 * route. Throws payload_too_large, unsupported_media_type, and invalid_request for broken gzip.
 */
export const limitBody = (exchange: Exchange, path: string, limits: BodyLimits): Promise<void> | undefined => {
  const { request } = exchange;
  const { headers } = request;
  Reflect.set(request, "json", DROPS_NUL.test(path) ? readJsonWithoutNul : readJson);
  const uploadBytes = isMultipart(headers) && takesFiles(path) ? limits.maxUploadBytes : undefined;
  const jsonBytes = IS_RUN.test(path) ? limits.maxBytes * RUN_FACTOR : limits.maxBytes;
  const limit = { bytes: uploadBytes ?? jsonBytes, slackBytes: uploadBytes === undefined ? 0 : FORM_BYTES };
  const length = Number(headers.get("content-length") ?? 0);
  if (length > limit.bytes + limit.slackBytes) throw tooLarge(`The body has ${length} bytes`, limit.bytes);
  const isGzip = isGzipped(headers);
  if (uploadBytes !== undefined) {
    replaceBody(request, received(exchange, limit, isGzip));
    return undefined;
  }
  return isGzip || headers.has("transfer-encoding") ? readWhole(request, received(exchange, limit, isGzip)) : undefined;
};

/** Body size limit: `bytes` is named in the error, `slackBytes` is the allowance for the other parts of a form with a file. */
interface Limit {
  bytes: number;
  slackBytes: number;
}

/** The decompressed body, limited in size. The unread rest stays in `exchange.unread`. */
const received = (exchange: Exchange, limit: Limit, isGzip: boolean): AsyncGenerator<Uint8Array> => {
  const sent = within(limit, "The body is larger than allowed", bodyChunks(exchange, exchange.openBody()));
  return isGzip ? within(limit, "The decompressed body is larger than allowed", decompress(sent)) : sent;
};

async function* bodyChunks(exchange: Exchange, reader: Exchange["unread"]): AsyncGenerator<Uint8Array> {
  for (;;) {
    const { value, done } = (await reader?.read()) ?? { done: true };
    if (done || value === undefined) break;
    yield value;
  }
  exchange.unread = undefined;
}

async function* within(limit: Limit, refusal: string, pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let size = 0;
  for await (const piece of pieces) {
    size += piece.length;
    if (size > limit.bytes + limit.slackBytes) throw tooLarge(refusal, limit.bytes);
    yield piece;
  }
}

async function* decompress(compressed: AsyncGenerator<Uint8Array>): AsyncGenerator<Uint8Array> {
  const gunzip = createGunzip();
  // A failure destroys `gunzip`, so the loop below throws it.
  pipeline(compressed, gunzip).catch(() => undefined);
  try {
    for await (const piece of gunzip) yield piece;
  } catch (error) {
    if (error instanceof AppError) throw error;
    throw new AppError(
      "invalid_request",
      "The body is not valid gzip: it is corrupt or truncated. Compress it again.",
      {
        cause: error,
      },
    );
  } finally {
    gunzip.destroy();
  }
}

/** Buffers the whole body for later readers of the request. */
const readWhole = async (request: Request, pieces: AsyncIterable<Uint8Array>): Promise<void> => {
  const body = new Bun.ArrayBufferSink();
  for await (const piece of pieces) body.write(piece);
  const bytes = new Uint8Array(body.end() as ArrayBuffer);
  Object.assign(request, { bytes: async () => bytes, text: async () => new TextDecoder().decode(bytes) });
};

/** Replaces the request's body with a stream of `pieces`. */
const replaceBody = (request: Request, pieces: AsyncGenerator<Uint8Array>): void => {
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { value, done } = await pieces.next();
        if (done) controller.close();
        else controller.enqueue(value);
      },
      async cancel() {
        await pieces.return(undefined);
      },
    },
    { highWaterMark: 0 },
  );
  const headers = { "content-type": request.headers.get("content-type") ?? "" };
  Object.defineProperty(request, "body", { value: body });
  Object.assign(request, { formData: () => new Response(body, { headers }).formData() });
};
