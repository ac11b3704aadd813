import { afterEach, expect, test } from "bun:test";
import type { ErrorKind } from "../../lib/errors";
import { startAsEditor } from "../../tests/browser/as-editor";

let stop = async () => {};
afterEach(() => stop());

/** A slow answer: 6 tokens in 30 minutes are 0.0033 per second. */
const GENERATION = {
  operation: "chat",
  caller: { keyId: "key_1", via: "key" },
  model: "smol",
  stream: false,
  cache: { status: "miss" },
  gatewayMs: 1,
  queueMs: 1,
  ttftMs: 50,
  totalMs: 400,
  promptTokens: 12,
  completionTokens: 6,
} as const;

/** The dashboard after these requests; undefined: one that succeeded. */
const dashboardAfter = async (...outcomes: (ErrorKind | undefined)[]): Promise<string> => {
  const { pages, open } = await startAsEditor();
  stop = () => pages.stop();
  for (const errorKind of outcomes) {
    pages.metrics.request({
      method: "POST",
      route: "/v1/chat",
      durationMs: 5,
      status: errorKind ? 400 : 200,
      errorKind,
    });
  }
  pages.metrics.generation(GENERATION);
  return (await open("/dashboard")).html;
};

test.each([
  [["overloaded", "overloaded", "internal"], "3 errors, mostly overloaded"],
  [["overloaded", "internal"], "2 errors"],
  [["overloaded"], "1 error: overloaded"],
  [["overloaded", "rate_limited", "not_found"], "1 error: overloaded; 2 rejected"],
  [["invalid_request"], "No errors; 1 rejected"],
] as const)(
  "the error card of %j names the most frequent error code, and counts rejected requests separately: %s",
  async (kinds, text) => {
    expect(await dashboardAfter(...kinds)).toMatch(new RegExp(`>\\s*${text}\\s*<`));
  },
);

/** The labels of a chart's vertical scale, from the top. */
const scaleOf = (html: string, chart: string): (string | undefined)[] => {
  const scale = html.split(`id="${chart}"`)[1]?.split("</ol>")[0] ?? "";
  return [...scale.matchAll(/<li>([^<]*)<\/li>/g)].slice(-3).map(([, label]) => label);
};

test("the scale of requests has whole numbers, and a rate far below 1 has different labels", async () => {
  const html = await dashboardAfter(undefined, undefined, undefined, undefined);
  expect(scaleOf(html, "traffic")).toEqual(["6", "3", "0"]);
  expect(scaleOf(html, "tokens")).toEqual(["0.004", "0.002", "0"]);
});
