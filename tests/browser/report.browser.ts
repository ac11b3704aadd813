import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Page } from "playwright-core";
import { completedRun } from "../contract/completed-run";
import { type Stack, startStack } from "../contract/stack";
import { until } from "../until";
import { closeWindows, Screen, THEMES } from "./harness";

// biome-ignore lint/suspicious/noExplicitAny: a response as a client sees it
type Json = any;

let stack: Stack;
let folder: string;

const json = async (method: string, path: string, body?: unknown): Promise<Json> =>
  (await stack.call(method, path, { body })).json();

/** Runs a dataset, and returns the run's id. */
const run = async (name: string, samples: object[], more: object = {}): Promise<string> => {
  await json("POST", "/v1/datasets", { name, samples });
  return (await completedRun(stack, { dataset: name, target: { kind: "stored" }, name, ...more })).id;
};

/** Downloads a report as a file and goes offline, so that only the file is available. */
const saved = async (id: string, filter = ""): Promise<{ url: string; html: string }> => {
  const response = await stack.call("GET", `/v1/batch-evals/${id}/export?format=html${filter}`);
  expect([response.status, response.headers.get("content-type")]).toEqual([200, "text/html; charset=utf-8"]);
  const html = await response.text();
  const path = join(folder, `${id}${filter}.html`.replaceAll("&", " "));
  await writeFile(path, html);
  return { url: pathToFileURL(path).href, html };
};

/** Opens a report offline, as a user without scripts, then for axe at each width and theme. Returns its faults. */
const looked = async (url: string, name: string, work: (page: Page) => Promise<void>): Promise<string[]> => {
  const faults: string[] = [];
  for (const javaScript of [false, true]) {
    const screen = await Screen.open(url, { javaScript });
    try {
      await screen.page.context().setOffline(true);
      await screen.page.goto(url);
      if (!javaScript) await work(screen.page);
      else
        for (const theme of THEMES) {
          for (const width of [390, 1280] as const) {
            await screen.resize(width);
            await screen.relight(theme);
            await screen.inspect({ colorsOnly: theme !== THEMES[0] });
            await screen.shoot(`report-${name}`);
          }
        }
      faults.push(...screen.faults);
    } finally {
      await screen.close();
    }
  }
  return faults;
};

beforeAll(async () => {
  stack = await startStack({ tokens: 4 });
  folder = await mkdtemp(join(tmpdir(), "groundwire-report-"));
});
afterAll(async () => {
  await closeWindows();
  await stack.close();
  await rm(folder, { recursive: true, force: true });
});

const AWKWARD = [
  {
    key: "<b>bold</b>",
    input: '"><img src=x onerror=alert(1)>',
    references: ["</dd></style><script>alert(1)</script>"],
  },
  { key: "rtl \u202eabc", input: "מה השעה?", references: ["&amp;"], output: "\u0000\u0001 שלום" },
  {
    key: "long".repeat(40),
    input: "x".repeat(5000),
    references: ["a"],
    output: "no space".replaceAll(" ", "").repeat(5000),
  },
].map((sample) => ({ output: "<script>alert(2)</script>\n</style>", ...sample }));

test("a report with any content opens offline, without scripts, in both themes, and is accessible", async () => {
  const samples = Array.from({ length: 260 }, (_, n) => ({
    ...{
      key: `question-${n}`,
      input: `What is ${n} plus ${n}?`,
      references: [`${2 * n}`],
      tags: [["sums", "easy", "hard"][n % 3]],
    },
    ...{ contexts: [`${n} plus ${n} is ${2 * n}.`], group: `page ${n % 20}` },
    output: n % 4 === 0 ? "It is 7. The moon is made of cheese." : `It is ${2 * n}.`,
  }));
  const plain = AWKWARD.map((sample) => ({ ...sample, output: sample.output.replaceAll("\0", "") }));
  const unscored = { key: "nothing to compare with", input: "Why?", output: "Because." };
  const evaluators = { evaluators: ["reference@1"], shadow_evaluators: ["exact@1"] };
  const id = await run("Sums & <b>awkward</b> texts", [...samples, ...plain, unscored], evaluators);
  const { url, html } = await saved(id);
  // Nothing in it loads or runs anything.
  expect(html.match(/<(script|link|img|iframe|a)\b|<[^>]*\s(src|href|on\w+)=/g)).toBeNull();
  expect(html.length).toBeLessThan(2_000_000);
  const faults = await looked(url, "failures", async (page) => {
    expect(await page.locator("h1").textContent()).toBe("Sums & <b>awkward</b> texts");
    expect(await page.locator(".headline").textContent()).toMatch(
      /\d+ % of 263 samples pass95 % interval: .*cluster-robust/,
    );
    const first = page.locator(".sample").first();
    expect(await first.locator("dl").isVisible()).toBe(false);
    await first.locator("summary").click();
    expect(await first.locator("dl").isVisible()).toBe(true);
    expect(await page.locator(".sample").last().textContent()).toContain("nothing to compare");
    for (const name of ["Criteria", "Failures", "By tag and group", "How this was measured", "Statistics"]) {
      expect(await page.getByRole("heading", { name }).isVisible()).toBe(true);
    }
  });
  expect(faults).toEqual([]);
  const filtered = await saved(id, "&tag=hard&passed=true");
  expect(filtered.html.includes("with tag = hard, passed = true")).toBe(true);
  expect(filtered.html.includes("question-0<")).toBe(false);
}, 120_000);

test("reports of runs with repeats, without results, and with missing results say what they contain", async () => {
  const samples = Array.from({ length: 6 }, (_, n) => ({ key: `k${n}`, input: `What is ${n}?`, references: [`${n}`] }));
  const id = await run("repeats", samples, { target: { kind: "chat" }, repeats: 3 });
  const faults = await looked((await saved(id)).url, "repeats", async (page) => {
    expect(await page.getByRole("table", { name: "Samples by number of answers" }).isVisible()).toBe(true);
    expect(await page.getByRole("table", { name: "Latency" }).isVisible()).toBe(true);
    expect(await page.locator(".sample summary b").first().textContent()).toMatch(/^k\d, answer [123]$/);
  });
  expect(faults).toEqual([]);
  await json("POST", "/v1/datasets", { name: "endless", samples: [{ input: "!hang after 1", references: ["x"] }] });
  const open = await json("POST", "/v1/batch-evals", { dataset: "endless", target: { kind: "chat" }, name: "endless" });
  const empty = await looked((await saved(open.id)).url, "empty", async (page) => {
    expect(await page.locator(".notice").textContent()).toMatch(
      /^This run (is waiting for a worker|was in progress at the time of this report)\. The report covers 0 of its 1 result/,
    );
    expect(await page.locator(".headline").textContent()).toBe("No verdictNo results yet.");
  });
  expect(empty).toEqual([]);
  await json("POST", `/v1/batch-evals/${open.id}/cancel`);

  const stuck = Array.from({ length: 12 }, (_, n) => ({
    ...{ key: `k${n}`, input: n === 11 ? "!hang after 1" : `What is ${n}?`, references: [`${n}`] },
    ...{ tags: [n % 2 === 0 ? "even" : "odd"], group: `group ${n % 4}` },
  }));
  await json("POST", "/v1/datasets", { name: "stuck", samples: stuck });
  const { id: partial } = await json("POST", "/v1/batch-evals", { dataset: "stuck", target: { kind: "chat" } });
  const progress = async () => (await json("GET", `/v1/batch-evals/${partial}`)).progress;
  await until("all but one result have ended", async () => (await progress()).done === 11, 30_000);
  await json("POST", `/v1/batch-evals/${partial}/cancel`);
  const missing = await looked((await saved(partial)).url, "partial", async (page) => {
    expect(await page.locator(".notice").textContent()).toContain(
      "This run was cancelled. The report covers 11 of its 12 results.",
    );
    await page.getByText("tags and groups, largest first").click();
    expect(await page.getByText(/Wilson|bootstrap|cluster-robust|\d to \d/).allTextContents()).toEqual([]);
    await page.getByText("No figure has an interval, because results are missing").waitFor();
  });
  expect(missing).toEqual([]);
}, 120_000);
