import { type IncomingMessage, type RequestOptions, request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import { AppError } from "../../lib/errors";
import type { AddressRules } from "./addresses";

/** Longest time for one attempt, from the lookup of the name to the status. */
const TIMEOUT_MS = 15_000;
/** Part of a response that is read, and part of it that is stored. */
const MAX_READ_BYTES = 16_384;
const MAX_STORED_CHARACTERS = 500;
/** Longest wait for the body once the status has arrived. */
const BODY_MS = 2000;

export interface WebhookRequest {
  url: string;
  headers: Readonly<Record<string, string>>;
  body: string;
}

/** The result of an attempt. It succeeded if `error` is null. */
export interface SendOutcome {
  /** null: no response. */
  status: number | null;
  error: string | null;
  /** The beginning of the response to a failed attempt. */
  response: string | null;
  /** The earliest time at which the receiver wants the next attempt. */
  retryAfterMs: number | null;
  tookMs: number;
}

/** Sends one request. Never rejects. It uses only allowed addresses and follows no redirects. */
export type Send = (request: WebhookRequest, signal: AbortSignal) => Promise<SendOutcome>;

export const createSender =
  (rules: Pick<AddressRules, "parse" | "lookup">, timeoutMs = TIMEOUT_MS): Send =>
  async ({ url, headers, body }, signal) => {
    const startedMs = performance.now();
    const end = (outcome: Partial<SendOutcome>): SendOutcome => ({
      ...{ status: null, error: null, response: null, retryAfterMs: null },
      ...outcome,
      tookMs: Math.round(performance.now() - startedMs),
    });
    try {
      // The settings may have changed since the webhook was created.
      const target = rules.parse(url);
      const timeout = AbortSignal.timeout(timeoutMs);
      const response = await post(
        target,
        { headers, lookup: rules.lookup, signal: AbortSignal.any([signal, timeout]) },
        body,
      );
      const { statusCode: status = 0 } = response;
      const text = await beginningOf(response);
      if (status >= 200 && status < 300) return end({ status });
      const retryAfterMs = retryAfterOf(response.headers["retry-after"]);
      return end({ status, error: statusProblem(status), response: text || null, retryAfterMs });
    } catch (thrown) {
      return end({ error: problemOf(thrown, timeoutMs) });
    }
  };

/** Resolves when the status has arrived. The connection is not reused, because a later one must be checked again. */
const post = (url: URL, { headers, ...options }: RequestOptions, body: string): Promise<IncomingMessage> =>
  new Promise((resolve, reject) => {
    const request = url.protocol === "https:" ? requestHttps : requestHttp;
    const length = { "content-length": Buffer.byteLength(body) };
    const sent = request(
      url,
      { ...options, method: "POST", agent: false, headers: { ...headers, ...length } },
      resolve,
    );
    sent.on("error", reject);
    sent.end(body);
  });

/** Reads the beginning of the body, then closes the connection. */
const beginningOf = async (response: IncomingMessage): Promise<string> => {
  const pieces: Buffer[] = [];
  const timer = setTimeout(() => response.destroy(), BODY_MS);
  try {
    for await (const piece of response) {
      pieces.push(Buffer.from(piece));
      if (pieces.reduce((sum, { length }) => sum + length, 0) >= MAX_READ_BYTES) break;
    }
  } catch {
    // The status counts; the body is only shown.
  } finally {
    clearTimeout(timer);
    response.destroy();
  }
  // The database stores only valid text without NUL.
  const text = Buffer.concat(pieces).toString("utf8").slice(0, MAX_STORED_CHARACTERS);
  return text.toWellFormed().replaceAll("\0", "\ufffd");
};

/** Seconds, or a date (RFC 9110 section 10.2.3). */
const retryAfterOf = (header: string | undefined): number | null => {
  if (header === undefined) return null;
  const ms = /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - Date.now();
  return Number.isFinite(ms) && ms > 0 ? ms : null;
};

const statusProblem = (status: number): string => {
  if (status >= 300 && status < 400) {
    return `It responded with a redirect (${status}), which is not followed. Change the webhook's address.`;
  }
  return status === 410 ? "It responded with 410 (gone), so it gets no more events." : `It responded with ${status}.`;
};

const CODES: Readonly<Record<string, string>> = {
  ECONNREFUSED: "The connection was refused.",
  ConnectionRefused: "The connection was refused.",
  ECONNRESET: "The connection was closed before the response arrived.",
  ENOTFOUND: "The name could not be resolved.",
  EAI_AGAIN: "The name could not be resolved.",
  DNS_ENOTFOUND: "The name could not be resolved.",
  DNS_ENODATA: "The name could not be resolved.",
  EHOSTUNREACH: "The address can't be reached.",
  ENETUNREACH: "The address can't be reached.",
};

const problemOf = (thrown: unknown, timeoutMs: number): string => {
  if (thrown instanceof AppError) return thrown.message.replace("`url`", "The address");
  if (!(thrown instanceof Error)) return "The request failed.";
  if (thrown.cause instanceof AppError) return thrown.cause.message;
  const code = "code" in thrown ? String(thrown.code) : "";
  if (thrown.name === "TimeoutError" || thrown.name === "AbortError")
    return `No response within ${timeoutMs / 1000} s.`;
  if (/CERT|TLS|SSL/.test(code)) return `The certificate was rejected: ${thrown.message}.`;
  return CODES[code] ?? `The request failed: ${thrown.message}`;
};
