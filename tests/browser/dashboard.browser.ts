import { afterEach, beforeAll, describe, expect, test } from "bun:test";
import type { Page, Response } from "playwright-core";
import { AppError } from "../../lib/errors";
import { signedIn, textOf } from "./chatting";
import { onScreen } from "./harness";
import { tabTo } from "./keyboard";
import { reloadRefused, type ScreenCase, testScreens } from "./matrix";
import { insertEvaluations, insertTraffic } from "./metrics-samples";
import { openPages } from "./pages";

const fresh = await openPages();
const pages = await openPages();
let cookie: string;
beforeAll(async () => {
  const { id } = await pages.newKey("member", "search service");
  const other = await pages.newKey("member", "ci-bot");
  await insertTraffic(pages.db, { days: 3, keyIds: [id, other.id] });
  await insertEvaluations(pages.db);
  cookie = (await signedIn(pages, "viewer")).cookie;
});

afterEach(() => {
  pages.refusal.error = undefined;
});

const refused = reloadRefused(() => pages, /^\/dashboard/);

const CASES: (ScreenCase & { isFresh?: boolean })[] = [
  { name: "dashboard first use", path: "/dashboard", isFresh: true, shows: "No data yet" },
  { name: "dashboard", path: "/dashboard?window=7d", shows: "support questions: correctness" },
  {
    name: "dashboard with a table",
    path: "/dashboard?window=24h",
    reach: (page) => page.getByText("Show as table").first().click(),
    shows: "Succeeded",
  },
  {
    name: "dashboard degraded",
    path: "/dashboard",
    during: async (look) => {
      const healthy = pages.engine.view;
      pages.engine.view = healthy.map((node) => ({ ...node, state: "down", lastError: "Connection refused" }));
      await pages.health.degradations.refresh();
      await look();
      pages.engine.view = healthy;
      await pages.health.degradations.refresh();
    },
    shows: "No answers can be generated right now",
  },
  {
    name: "dashboard server error",
    path: "/dashboard",
    status: 500,
    reach: refused("internal", "An internal error occurred. Include the request id when you report it."),
    shows: "Something went wrong",
  },
  {
    name: "dashboard rate-limited",
    path: "/dashboard",
    status: 429,
    reach: refused("rate_limited", "The key “Ada’s key” has sent the 60 requests of this minute.", 12_000),
    shows: "Rate limit reached",
  },
];

testScreens(CASES, async ({ isFresh }) =>
  isFresh ? { url: fresh.url, session: (await signedIn(fresh, "admin")).cookie } : { url: pages.url, session: cookie },
);

const onDashboard = async (path: string, work: (page: Page) => Promise<void>, options: object = {}) => {
  const faults = await onScreen(pages.url, { session: cookie, ...options }, async (page) => {
    await page.goto(path);
    await work(page);
  });
  expect(faults).toEqual([]);
};
const card = (page: Page, name: string) => page.getByRole("link", { name: new RegExp(`^${name}`) });

describe("the dashboard", () => {
  test("agrees with the API, and its table has every value of the chart", () =>
    onDashboard("/dashboard?window=7d", async (page) => {
      const { totals, series } = await pages.metrics.kpis({ window: "7d", step: "4h" });
      expect(await textOf(card(page, "Error rate").locator(".fine"))).toContain(`${totals.server_errors} errors`);
      await page.locator("#traffic summary").click();
      const cells = await page.locator("#traffic tbody td:nth-child(2)").allTextContents();
      const succeeded = series.map(({ requests, errors }) => requests - errors);
      expect(cells.map((text) => Number(text.replace("K", "")) > 0)).toEqual(succeeded.map((n) => n > 0));
    }));

  test("shows the values under the pointer", () =>
    onDashboard("/dashboard?window=24h", async (page) => {
      const canvas = page.locator("#tokens .canvas");
      await canvas.hover();
      const tip = await textOf(page.locator(".chart-tip"));
      expect(tip).toMatch(/^\d+ \w+ \d{4}, \d\d:\d\dTokens per second [\d.]+$/);
      await page.getByRole("heading", { level: 1 }).hover();
      expect(await page.locator(".chart-tip").count()).toBe(0);
    }));

  test("keeps the window in its address, even without scripts", () =>
    onDashboard(
      "/dashboard?window=24h",
      async (page) => {
        await page.getByRole("link", { name: "7 days" }).click();
        await page.waitForURL(/window=7d$/);
        expect(await page.getByRole("link", { name: "7 days" }).getAttribute("aria-current")).toBe("true");
        expect(await page.getByRole("img", { name: /^Requests in the last 7 days: [\d,]+/ }).count()).toBe(1);
        await page.goBack();
        expect(await page.getByRole("link", { name: "24 hours" }).getAttribute("aria-current")).toBe("true");
      },
      { javaScript: false },
    ));

  test("never joins versions of an evaluator, and leads to each run", () =>
    onDashboard("/dashboard?window=30d", async (page) => {
      const chart = page.locator("figure", { hasText: "support questions: correctness" });
      expect(await chart.locator("path.line").count()).toBe(2);
      expect(await chart.locator(".legend li").allTextContents()).toEqual(["reference@1", "reference@2"]);
      await chart.getByText("Show as table").click();
      await chart.getByRole("link", { name: "nightly 6" }).click();
      await page.getByRole("heading", { level: 1, name: "nightly 6" }).waitFor();
    }));

  test("updates in place, keeps an open table and the focus, and shows a failed update as an alert", () =>
    onDashboard(
      "/dashboard?window=1h",
      async (page) => {
        const update = () =>
          page.evaluate(`void htmx.ajax("GET", "/dashboard/figures?window=1h", {
            source: "#figures", target: "#figures", swap: "outerMorph",
          })`);
        await page.locator("#traffic summary").click();
        for (let n = 0; n < 50; n++) {
          const sample = { method: "POST", route: "/v1/chat", durationMs: 5, errorKind: "overloaded" as const };
          pages.metrics.request({ ...sample, status: 429 });
        }
        await update();
        // A page of another test that was closed while it loaded is an error too.
        await card(page, "Error rate")
          .getByText(/^5\d errors(:|, mostly) overloaded/)
          .waitFor();
        expect(await page.locator("#traffic details").getAttribute("open")).not.toBeNull();
        expect(await page.evaluate("document.activeElement.tagName")).toBe("SUMMARY");
        Object.assign(pages.refusal, { path: /^\/dashboard/, error: new AppError("internal", "A reason.") });
        await update();
        await page.getByRole("alert").getByText("A reason.").waitFor();
        pages.refusal.error = undefined;
        expect(await card(page, "Error rate").count()).toBe(1);
      },
      { expectedStatuses: [500] },
    ));

  test("works with the keyboard alone", () =>
    onDashboard("/dashboard?window=7d", async (page) => {
      await tabTo(page, /^24 hours$/);
      await page.keyboard.press("Enter");
      await page.waitForURL(/window=24h$/);
      await tabTo(page, /^Error rate/);
      await page.keyboard.press("Enter");
      await page.waitForURL(/#errors$/);
      await page.goto("/dashboard?window=7d");
      await tabTo(page, /^Show as table$/);
      await page.keyboard.press("Enter");
      await page.getByRole("columnheader", { name: "Succeeded" }).waitFor();
    }));

  test("downloads its figures", () =>
    onDashboard("/dashboard?window=7d", async (page) => {
      const link = page.getByRole("link", { name: "Time series as CSV" });
      expect(await link.getAttribute("href")).toBe("/v1/metrics/export?window=7d&step=4h&format=csv&table=series");
    }));

  test("first loads with less than 100 KB", () =>
    onDashboard("about:blank", async (page) => {
      const responses: Response[] = [];
      page.on("response", (response) => responses.push(response));
      await page.goto("/dashboard?window=7d", { waitUntil: "networkidle" });
      const sizes = await Promise.all(responses.map((response) => response.request().sizes()));
      const bytes = sizes.reduce((sum, size) => sum + size.responseBodySize + size.responseHeadersSize, 0);
      expect(bytes).toBeLessThan(100_000);
      expect(bytes).toBeGreaterThan(30_000);
    }));
});
