import { Elysia } from "elysia";
import { allows, reads } from "../gateway/http/route-facts";
import type { Log } from "../lib/log";
import { CSP_REPORTS } from "./ui/html";

const MAX_BYTES = 16_384;
/** Limits the number of logged reports, so that flooding this public route can't fill the disk. */
const MAX_LINES_PER_MINUTE = 10;
const MAX_FIELD_LENGTH = 200;

/** The body of one report (Reporting API). */
interface Violation {
  effectiveDirective?: unknown;
  blockedURL?: unknown;
  documentURL?: unknown;
  sourceFile?: unknown;
  lineNumber?: unknown;
}

/**
 * A URL without its query and fragment, which can contain a search or a sign-in token. Words such as `inline` are
 * returned as they are.
 */
const withoutQuery = (url: unknown): string | undefined =>
  typeof url === "string" ? url.replace(/[?#].*$/s, "").slice(0, MAX_FIELD_LENGTH) : undefined;

/** The fields of a report that are logged. The page's text, such as `sample`, is left out. */
const fieldsOf = ({ effectiveDirective, blockedURL, documentURL, sourceFile, lineNumber }: Violation) => ({
  directive: withoutQuery(effectiveDirective),
  blocked: withoutQuery(blockedURL),
  page: withoutQuery(documentURL),
  source: withoutQuery(sourceFile),
  line: typeof lineNumber === "number" ? lineNumber : undefined,
});

/** The violations in a request's body; none if it isn't a list of reports. */
const violationsOf = (text: string): Violation[] => {
  try {
    const reports: unknown = JSON.parse(text);
    if (!Array.isArray(reports)) return [];
    return reports.flatMap(({ type, body } = {}) => (type === "csp-violation" && body ? [body] : []));
  } catch {
    return [];
  }
};

/** Receives browsers' reports on our Content-Security-Policy and logs the first few per minute. */
export const cspReportRoutes = ({ log }: { log: Log }) => {
  let minute = 0;
  let lines = 0;
  const mayWrite = (): boolean => {
    const now = Math.floor(Date.now() / 60_000);
    if (now !== minute) lines = 0;
    minute = now;
    lines += 1;
    return lines <= MAX_LINES_PER_MINUTE;
  };
  return new Elysia({ name: "views.csp-reports" }).post(
    CSP_REPORTS,
    async ({ request }) => {
      if (Number(request.headers.get("content-length") ?? MAX_BYTES + 1) > MAX_BYTES) {
        return new Response(null, { status: 413 });
      }
      for (const violation of violationsOf(await request.text())) {
        if (mayWrite()) log.warn(fieldsOf(violation), "a browser reported a Content-Security-Policy violation");
      }
      return new Response(null, { status: 204 });
    },
    { detail: { ...allows("open"), ...reads() } },
  );
};
