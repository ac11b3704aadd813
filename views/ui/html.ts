/** Where browsers report what the policy blocks. */
export const CSP_REPORTS = "/csp-reports";

/** What hono/jsx renders: a string or a promise of a string. */
export type Node = { toString(): string | Promise<string> };

/** Allows only our own files: no inline script or style, no frame, no plug-in. Browsers report what they block. */
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

/** Headers of every page and partial. `no-store`, because nearly all of them have private content. */
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

/** Responds with a fragment of a page. */
export const html = async (node: Node, status = 200, headers: Record<string, string> = {}): Promise<Response> =>
  new Response(await node.toString(), { status, headers: { ...PAGE_HEADERS, ...headers } });

/** Responds with a whole document. */
export const page = async (node: Node, status = 200, headers: Record<string, string> = {}): Promise<Response> =>
  new Response(`<!doctype html>${await node.toString()}`, { status, headers: { ...PAGE_HEADERS, ...headers } });

/** Redirects the browser after a form submission (303), including one by htmx. `path` is local. */
export const redirect = (request: Request, path: string, headers: Record<string, string> = {}): Response =>
  isHtmx(request)
    ? new Response(null, { status: 204, headers: { ...PAGE_HEADERS, ...headers, "hx-redirect": path } })
    : new Response(null, { status: 303, headers: { ...PAGE_HEADERS, ...headers, location: path } });

/** Whether htmx sent the request and swaps the response into a part of the page. */
export const isHtmx = (request: Request): boolean =>
  request.headers.get("hx-request") === "true" && request.headers.get("hx-history-restore-request") !== "true";

/** Sent first, so that the browser gets the headers before the first content. */
export const SSE_HELLO = ": hello\n\n";

/** An unnamed event for hx-sse, which swaps the HTML in. */
export const sseMessage = async (node: Node): Promise<string> => {
  const html = await node.toString();
  return `${html.replaceAll(/\r\n?/g, "\n").replaceAll(/^/gm, "data: ")}\n\n`;
};
