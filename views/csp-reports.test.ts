import { expect, test } from "bun:test";
import pino from "pino";
import { cspReportRoutes } from "./csp-reports";

const TOKEN = "one-time-token";
const violation = {
  type: "csp-violation",
  body: {
    ...{ documentURL: `http://localhost/sign-in?token=${TOKEN}`, blockedURL: "https://evil.example/x.js?q=1#f" },
    ...{ effectiveDirective: "script-src-elem", sourceFile: "inline", lineNumber: 3, sample: "text of the page" },
  },
};

const reporting = () => {
  const lines: string[] = [];
  const routes = cspReportRoutes({ log: pino({ base: null }, { write: (line) => lines.push(line) }) });
  const send = (text: string) => {
    const headers = { "content-type": "application/reports+json", "content-length": String(Buffer.byteLength(text)) };
    return routes.handle(new Request("http://localhost/csp-reports", { method: "POST", headers, body: text }));
  };
  return { lines, send };
};

test("X1: a report is logged without queries and without text of the page", async () => {
  const { lines, send } = reporting();
  expect((await send(JSON.stringify([violation]))).status).toBe(204);
  expect(JSON.parse(lines[0] ?? "")).toMatchObject({
    ...{ page: "http://localhost/sign-in", blocked: "https://evil.example/x.js" },
    ...{ directive: "script-src-elem", source: "inline", line: 3 },
  });
  expect(lines.join()).not.toMatch(/one-time-token|text of the page/);
});

test("a body that isn't a list of reports is ignored, and a large one is rejected", async () => {
  const { lines, send } = reporting();
  for (const body of ["", "{", "[]", "[null]", "[1]", '{"csp-report":{}}', '[{"type":"deprecation","body":{}}]']) {
    expect((await send(body)).status).toBe(204);
  }
  expect(lines).toEqual([]);
  expect((await send(JSON.stringify([violation, "x".repeat(20_000)]))).status).toBe(413);
});

test("at most ten reports per minute are logged, so that a flood can't fill the disk", async () => {
  const { lines, send } = reporting();
  for (let n = 0; n < 5; n++) await send(JSON.stringify(Array(20).fill(violation)));
  // The flood may fall into two minutes.
  expect([10, 20]).toContain(lines.length);
});
