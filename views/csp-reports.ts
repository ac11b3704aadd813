import { Elysia } from "elysia";
import { allows, reads } from "../gateway/http/route-facts";
import type { Log } from "../lib/log";

export const CSP_REPORTS = "/csp-reports";

const MAX_BYTES = 16_384;
/** Limits the reports, so that flooding this public route can't fill the disk. */
const MAX_LINES_PER_MINUTE = 10;

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
      const report = await request.text();
      if (mayWrite()) log.warn({ report }, "a browser reports a breach of the content security policy");
      return new Response(null, { status: 204 });
    },
    { detail: { ...allows("open"), ...reads() } },
  );
};
