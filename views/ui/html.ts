import { CSP_REPORTS } from "../csp-reports";

/** Anything that hono/jsx makes of a tree: text, perhaps later. */
export type Node = { toString(): string | Promise<string> };

/** Only our own files, no inline script or style, no frame, no plug-in. What a browser had to block it reports. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "img-src 'self'",
  "form-action 'self'",
  "frame-ancestors 'none'",
  "base-uri 'none'",
  "object-src 'none'",
  "report-to csp",
].join("; ");

/** Headers of every page and partial. `no-store`, because nearly all of them show what only their reader may see. */
export const PAGE_HEADERS: Readonly<Record<string, string>> = {
  "content-type": "text/html; charset=utf-8",
  "content-security-policy": CONTENT_SECURITY_POLICY,
  "reporting-endpoints": `csp="${CSP_REPORTS}"`,
  "cache-control": "no-store",
  "x-content-type-options": "nosniff",
  "referrer-policy": "same-origin",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "permissions-policy": "camera=(), geolocation=(), microphone=()",
  vary: "cookie, hx-request",
};

/** A fragment as a response. */
export const html = async (node: Node, status = 200, headers: Record<string, string> = {}): Promise<Response> =>
  new Response(await node.toString(), { status, headers: { ...PAGE_HEADERS, ...headers } });

/** A whole document as a response. */
export const page = async (node: Node, status = 200, headers: Record<string, string> = {}): Promise<Response> =>
  new Response(`<!doctype html>${await node.toString()}`, { status, headers: { ...PAGE_HEADERS, ...headers } });

/** Sends the browser on after a form was posted (303), also from inside an htmx request. `path` is a local path. */
export const redirect = (request: Request, path: string, headers: Record<string, string> = {}): Response =>
  isHtmx(request)
    ? new Response(null, { status: 204, headers: { ...PAGE_HEADERS, ...headers, "hx-redirect": path } })
    : new Response(null, { status: 303, headers: { ...PAGE_HEADERS, ...headers, location: path } });

/** True when htmx asks and swaps the answer into a part of the page. */
export const isHtmx = (request: Request): boolean =>
  request.headers.get("hx-request") === "true" && request.headers.get("hx-history-restore-request") !== "true";

/** Sent first, so that the browser gets the headers before there is any content. */
export const SSE_HELLO = ": hello\n\n";

/** One unnamed message of a stream that hx-sse reads: it swaps the HTML in. */
export const sseMessage = async (node: Node): Promise<string> => {
  const html = await node.toString();
  return `${html.replaceAll(/\r\n?/g, "\n").replaceAll(/^/gm, "data: ")}\n\n`;
};
