import { beforeAll, describe, expect, test } from "bun:test";
import type { Page } from "playwright-core";
import { seedRun } from "../seeded-run";
import { importRuns } from "./evaluate";
import { onScreen } from "./harness";
import { openPages } from "./pages";

const pages = await openPages();
/** Path of a run with 70 results. */
let many: string;

beforeAll(async () => {
  const imported = [
    { name: "Two evaluators decide", judge: "verdict" },
    { name: "Seventy results", judge: "verdict", results: 70 },
    ...Array.from({ length: 60 }, (_, index) => ({ name: `Run ${index + 1}` })),
  ] as const;
  [, many = ""] = await importRuns(pages, imported);
});

/** Runs `work` in a signed-in window and expects no faults. */
const using = async (options: { javaScript?: boolean }, work: (page: Page) => Promise<void>): Promise<void> => {
  const { key } = await pages.newKey("editor", "Ada’s editor key");
  const session = (await pages.sessions.signIn(key)).cookie;
  expect(await onScreen(pages.url, { session, ...options }, work)).toEqual([]);
};

/** By how many pixels a table is wider than its box. */
const hiddenWidth = (page: Page, name: string) =>
  page.getByRole("region", { name }).evaluate((box) => box.scrollWidth - box.clientWidth);

describe("the tables", () => {
  test("keep their page and order when the user opens a result and goes back", () =>
    using({}, async (page) => {
      await page.goto("/evals?sort=name&page=2");
      await page
        .getByRole("table")
        .getByRole("link", { name: /^Run \d+$/ })
        .first()
        .click();
      await page.getByRole("navigation", { name: "Breadcrumbs" }).getByRole("link", { name: "Evaluations" }).click();
      await page.getByText(/^51 to \d+ of/).waitFor();
      expect(new URL(page.url()).search).toBe("?sort=name&page=2");
    }));

  test("show every column at 1280 px, even with two evaluators", () =>
    using({}, async (page) => {
      await page.goto("/evals?evaluator=judge%401");
      await page.getByRole("columnheader", { name: "Hallucination" }).waitFor();
      expect(await hiddenWidth(page, "Evaluations")).toBe(0);
    }));

  test("have a shadow at an edge where columns are hidden", () =>
    using({}, async (page) => {
      await page.setViewportSize({ width: 390, height: 844 });
      await page.goto("/evals");
      const box = page.getByRole("region", { name: "Evaluations" });
      expect(await hiddenWidth(page, "Evaluations")).toBeGreaterThan(0);
      const styles = "getComputedStyle(document.querySelector('.scroll')).backgroundAttachment";
      expect(await page.evaluate<string>(styles)).toStartWith("local, local, scroll, scroll");
      await box.evaluate((element) => {
        element.scrollLeft = element.scrollWidth;
      });
      await page.getByRole("columnheader", { name: "Hallucination" }).waitFor();
    }));

  test("keep their header in view, and scroll in their own box only", () =>
    using({}, async (page) => {
      await page.goto(many);
      const box = page.getByRole("region", { name: "Scores by result" });
      const header = page.getByRole("columnheader", { name: "Verdict" });
      const top = async () => Math.round((await header.boundingBox())?.y ?? 0);
      const before = await top();
      await box.evaluate((element) => {
        element.scrollTop = element.scrollHeight;
      });
      await page.getByRole("link", { name: "sample-050" }).waitFor();
      expect(await top()).toBe(before);
    }));

  test("can be sorted by keyboard, and link to the next page and back", () =>
    using({}, async (page) => {
      await page.goto(many);
      await page.getByRole("status").getByText("1 to 50 of 70 results").waitFor();
      await page.getByRole("link", { name: "Sample", exact: true }).focus();
      await page.keyboard.press("Enter");
      await page.locator('th[aria-sort="descending"]').getByText("Sample").waitFor();
      await page.getByRole("link", { name: "sample-070" }).waitFor();
      await page.getByRole("link", { name: "Next page" }).click();
      await page.getByRole("status").getByText("51 to 70 of 70 results").waitFor();
      await page.getByRole("link", { name: "sample-001" }).waitFor();
      await page.getByRole("link", { name: "Previous page" }).click();
      await page.getByRole("link", { name: "sample-070" }).waitFor();
      expect(new URL(page.url()).search).toBe("?sort=-sample");
    }));
});

test("a large run opens before its figures are computed, and shows them when they are", async () => {
  const id = await seedRun(pages.db, { samples: 300, name: "large" });
  await using({}, async (page) => {
    const first = await page.goto(`/batch-evals/${id}`);
    expect(await first?.text()).toContain("The figures of this run are being computed.");
    await page.getByRole("table", { name: "Results by criterion and evaluator" }).waitFor();
    expect(await page.getByText("being computed").count()).toBe(0);
    expect(await page.locator("#run[hx-trigger]").count()).toBe(0);
  });
});
