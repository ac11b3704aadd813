import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import type { TSchema } from "@sinclair/typebox";
import { AppError } from "../../lib/errors";
import type { BodyMemory, MediaBody } from "../../lib/media-body";
import type { Principal } from "../principal";
import { decodeText, parseJson, refuseBadText, withoutNulEscapes } from "../validation/json";
import type { BodyPlan, Exchange } from "./exchange";
import { NO_BODY } from "./route-inputs";

/** Maximum size of the fields and boundaries in a form with a file. */
const MAX_FORM_OVERHEAD_BYTES = 1_048_576;
const JSON_TYPE = /^application\/(?:[\w.-]+\+)?json\b/i;
const FORM_TYPE = /^application\/x-www-form-urlencoded\b/i;
const CHARSET = /;\s*charset="?([^\s";]+)/i;

export const isJson = (type: string | null): boolean => type !== null && JSON_TYPE.test(type);

const isMultipart = (headers: Headers): boolean =>
  headers.get("content-type")?.toLowerCase().startsWith("multipart/") ?? false;

/** Rejects an API body that is not JSON, before it is read. Throws unsupported_media_type. */
export const checkType = ({ request: { headers }, route }: Exchange): void => {
  const type = headers.get("content-type");
  if (type === null || type === "application/json") return;
  if (isMultipart(headers) && route?.takesFiles) return;
  if (!isJson(type)) {
    throw new AppError("unsupported_media_type", `The body is ${type}. Send JSON with content-type: application/json.`);
  }
  const charset = CHARSET.exec(type)?.[1] ?? "utf-8";
  if (!/^(?:utf-?8|us-ascii)$/i.test(charset)) {
    throw new AppError("unsupported_media_type", `The body is in ${charset}. Send JSON in UTF-8.`);
  }
};

/** Rejects files in page forms. Throws unsupported_media_type. */
export const refuseFiles = ({ request: { headers }, route }: Exchange): void => {
  if (isMultipart(headers) && !route?.takesFiles)
    throw new AppError("unsupported_media_type", "This form does not accept files.");
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
  /** Applies to JSON and plain forms. */
  maxBytes: number;
  /** Applies to a form with a file, on routes that accept one; undefined if the caller may not upload. */
  maxUploadBytes: number | undefined;
  /** The limit of a body with images or audio, on routes that read them. Its text is still limited by `maxBytes`. */
  media?: { maxBytes: number; memory: BodyMemory; mayRead(principal: Principal): boolean };
}

/**
 * Decides from the headers how the body is read. Throws payload_too_large for a content-length above the limit, and
 * unsupported_media_type for an encoding other than gzip.
 */
export const planBody = (exchange: Exchange, limits: BodyLimits): BodyPlan => {
  const { request, route } = exchange;
  const { headers } = request;
  const uploadBytes = route?.takesFiles && isMultipart(headers) ? limits.maxUploadBytes : undefined;
  const ordinaryBytes = uploadBytes ?? limits.maxBytes * (route?.facts["x-body-factor"] ?? 1);
  const slackBytes = uploadBytes === undefined ? 0 : MAX_FORM_OVERHEAD_BYTES;
  const length = Number(headers.get("content-length") ?? 0);
  const isGzip = isGzipped(headers);
  const isCounted = isGzip || length > ordinaryBytes || headers.has("transfer-encoding");
  const maxBytes = isCounted ? openMedia(exchange, limits, ordinaryBytes) : ordinaryBytes;
  if (length > maxBytes + slackBytes) throw tooLarge(`The body is ${length} bytes long`, maxBytes);
  return { maxBytes, slackBytes, isGzip, isCounted };
};

/**
 * The size limit of a body: higher than `ordinaryBytes` if both the route and one of the caller's models read images or
 * audio. The text of such a body is counted as it arrives.
 */
const openMedia = (exchange: Exchange, { media }: BodyLimits, ordinaryBytes: number): number => {
  const { route, principal } = exchange;
  if (!media || !principal || !route?.facts["x-media-bytes"] || !media.mayRead(principal)) return ordinaryBytes;
  exchange.mediaBody = media.memory.open(principal.keyId, ordinaryBytes);
  return Math.max(media.maxBytes, ordinaryBytes);
};

/**
 * The body in chunks, decompressed and checked against its limit. `exchange.unread` holds the reader until the body has
 * been read to its end. Throws payload_too_large, and invalid_request for corrupt gzip.
 */
const bodyPieces = (exchange: Exchange): AsyncGenerator<Uint8Array> => {
  const { bodyPlan: plan } = exchange;
  if (!plan) throw new Error("The gate has not accepted this body.");
  const sent = within(plan, "The body is larger than allowed", piecesOf(exchange, exchange.openBody()));
  const pieces = plan.isGzip ? within(plan, "The decompressed body is larger than allowed", decompress(sent)) : sent;
  return exchange.mediaBody ? counted(exchange.mediaBody, pieces) : pieces;
};

async function* counted(body: MediaBody, pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  for await (const piece of pieces) {
    body.add(piece);
    yield piece;
  }
}

async function* piecesOf(exchange: Exchange, reader: Exchange["unread"]): AsyncGenerator<Uint8Array> {
  for (;;) {
    const { value, done } = (await reader?.read()) ?? { done: true };
    if (done || value === undefined) break;
    yield value;
  }
  exchange.unread = undefined;
}

async function* within(plan: BodyPlan, refusal: string, pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let size = 0;
  for await (const piece of pieces) {
    size += piece.length;
    if (size > plan.maxBytes + plan.slackBytes) throw tooLarge(refusal, plan.maxBytes);
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
      { cause: error },
    );
  } finally {
    gunzip.destroy();
  }
}

/** The whole body. A body with a checked content-length is not counted again; others are counted as they arrive. */
const readBytes = (exchange: Exchange): Promise<Uint8Array> =>
  exchange.bodyPlan?.isCounted
    ? Array.fromAsync(bodyPieces(exchange)).then((pieces) => Buffer.concat(pieces))
    : exchange.request.bytes();

export const ownBody = (exchange: Exchange) => ({
  contentType: exchange.request.headers.get("content-type") ?? "",
  async *pieces(): AsyncGenerator<Uint8Array> {
    yield* bodyPieces(exchange);
    exchange.onRead?.();
  },
  async text(): Promise<string> {
    const text = decodeText(await readBytes(exchange));
    exchange.onRead?.();
    return text;
  },
});

/**
 * Parses JSON and page forms, the bodies that routes don't read themselves. Not async, because another promise would
 * cost more than the rest of this function. Throws invalid_request, and what `bodyPieces` throws.
 */
export const parseBody = (exchange: Exchange): unknown => {
  const { request, route } = exchange;
  if (!route || route.inputs.body === "own") return NO_BODY;
  const type = request.headers.get("content-type") ?? "";
  if (route.takesFiles && isMultipart(request.headers)) {
    const headers = { "content-type": type };
    return readBytes(exchange)
      .then((bytes) => new Response(bytes, { headers }).formData())
      .then(byName);
  }
  if (route.isDocumented || isJson(type)) {
    const schema = typeof route.inputs.body === "object" ? route.inputs.body : undefined;
    const read = route.facts["x-drops-nul"] ? withoutNulEscapes : (text: string) => text;
    return readBytes(exchange).then((bytes) => {
      const text = read(decodeText(bytes));
      exchange.bodies?.asked(text);
      const body = json(text, schema);
      exchange.mediaBody?.check(bytes.length, route.facts["x-media-bytes"]?.(body) ?? 0);
      return body;
    });
  }
  return FORM_TYPE.test(type) ? readBytes(exchange).then(formFields) : NO_BODY;
};

const json = (text: string, schema: TSchema | undefined): unknown => (text === "" ? NO_BODY : parseJson(text, schema));

const formFields = (bytes: Uint8Array): unknown => {
  const fields = byName(new URLSearchParams(decodeText(bytes)));
  refuseBadText(fields);
  return fields;
};

/** A form's fields. A repeated field becomes a list. */
const byName = <T>(entries: Iterable<[name: string, value: T]>): Record<string, T | T[]> => {
  const fields: Record<string, T | T[]> = Object.create(null);
  for (const [name, value] of entries) {
    const known = fields[name];
    fields[name] = known === undefined ? value : ([known, value].flat() as T[]);
  }
  return fields;
};
