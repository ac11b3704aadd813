import { describe, expect, test } from "bun:test";
import type { Page } from "playwright-core";
import { DEGRADATION_CODES } from "../../gateway/health/contract";
import { PRINCIPAL } from "../principal";
import { signedIn } from "./chatting";
import { onScreen } from "./harness";
import { openPages } from "./pages";

const pages = await openPages();

const as = async (role: "admin" | "editor", work: (page: Page, cookie: string, key: string) => Promise<void>) => {
  const { cookie, key } = await signedIn(pages, role);
  const options = { session: cookie, expectedStatuses: [401, 422] };
  expect(await onScreen(pages.url, options, (page) => work(page, cookie, key))).toEqual([]);
};
const themed = (page: Page, theme: string) => page.locator(`html[data-theme=${theme}]`).waitFor();
const switchTheme = (page: Page) => page.getByRole("button", { name: /^Theme/ }).press("Enter");

describe("the theme button", () => {
  test("changes the colours of the current page in place, and of later pages", () =>
    as("admin", async (page) => {
      await page.goto("/keys/new");
      await page.getByLabel("Name").fill("half typed");
      for (const next of ["light", "dark", "system"]) {
        await switchTheme(page);
        await page.getByTitle(`Theme: ${next}.`, { exact: false }).waitFor();
        await themed(page, next);
        expect(await page.evaluate<string>("document.activeElement.id")).toBe("theme");
      }
      expect(await page.getByLabel("Name").inputValue()).toBe("half typed");
      await switchTheme(page);
      await page.getByTitle("Theme: light.", { exact: false }).waitFor();
      await page.goto("/keys");
      await themed(page, "light");
    }));

  test("keeps a secret that is shown once", () =>
    as("admin", async (page) => {
      await page.goto("/keys/new");
      await page.getByLabel("Name").fill("search service");
      await page.getByRole("button", { name: "Create key" }).click();
      const secret = await page.locator("#secret").textContent();
      await switchTheme(page);
      await page.getByTitle("Theme: light.", { exact: false }).waitFor();
      expect(await page.locator("#secret").textContent()).toBe(secret);
    }));
});

describe("a form that is submitted after the session has ended", () => {
  const signIn = async (page: Page, key: string) => {
    await page.getByText("Your session ended.").waitFor();
    await page.getByLabel("Your key").fill(key);
    await page.getByRole("button", { name: "Sign in" }).click();
  };
  const fill = async (page: Page) => {
    await page.goto("/keys/new");
    await page.getByLabel("Name").fill("search service");
    await page.getByLabel("Requests per minute").fill("77");
    await page.context().clearCookies();
    await page.getByRole("button", { name: "Create key" }).click();
  };

  test("is filled in again once after signing in", () =>
    as("admin", async (page, _, key) => {
      await fill(page);
      await signIn(page, key);
      await page.getByRole("heading", { name: "Create key", level: 1 }).waitFor();
      expect(await page.getByLabel("Name").inputValue()).toBe("search service");
      expect(await page.getByLabel("Requests per minute").inputValue()).toBe("77");
      await page.reload();
      expect(await page.getByLabel("Name").inputValue()).toBe("");
    }));

  test("is not shown to another key", () =>
    as("admin", async (page) => {
      const other = await signedIn(pages, "admin");
      await fill(page);
      await signIn(page, other.key);
      await page.getByRole("heading", { name: "Create key", level: 1 }).waitFor();
      expect(await page.getByLabel("Name").inputValue()).toBe("");
      expect(await page.evaluate<string>("JSON.stringify(sessionStorage)")).not.toContain("search service");
    }));

  test("also keeps a typed evaluation, which htmx submits", () =>
    as("editor", async (page, _, key) => {
      await page.goto("/evals/new");
      await page.getByLabel("Question").fill("Where is it?");
      await page.getByLabel("Answer", { exact: true }).fill("Over there");
      await page.context().clearCookies();
      await page.getByRole("button", { name: "Evaluate" }).click();
      await signIn(page, key);
      await page.getByLabel("Question").waitFor();
      expect(await page.getByLabel("Question").inputValue()).toBe("Where is it?");
    }));
});

test("a long key name without spaces doesn't widen the key's page", async () => {
  const { cookie } = await signedIn(pages, "admin");
  const { id } = await pages.newKey("member", "a".repeat(100));
  const faults = await onScreen(pages.url, { session: cookie, width: 390 }, async (page, screen) => {
    await page.goto(`/keys/${id}`);
    for (const width of [320, 390, 1280]) {
      await page.setViewportSize({ width, height: 700 });
      await screen.inspect();
    }
  });
  expect(faults).toEqual([]);
});

test("every degraded mode shows a banner with a sentence of its own, which fits on a phone, until the mode ends", () =>
  as("admin", async (page) => {
    await page.setViewportSize({ width: 360, height: 800 });
    const { degradations } = pages.health;
    const sentences = new Set<string>();
    for (const code of DEGRADATION_CODES) {
      await degradations.startDrill(PRINCIPAL, code, { minutes: 1 });
      await page.goto("/keys");
      const banner = page.getByRole("complementary", { name: "Reduced service" });
      expect(
        await banner.locator("p").evaluateAll((lines) => lines.map((line) => line.getAttribute("data-code"))),
      ).toEqual([code]);
      sentences.add((await banner.textContent()) ?? "");
      const overflow = "document.documentElement.scrollWidth - document.documentElement.clientWidth";
      expect([code, await page.evaluate<number>(overflow)]).toEqual([code, 0]);
      await degradations.endDrill(PRINCIPAL, code);
    }
    expect(sentences.size).toBe(DEGRADATION_CODES.length);
    for (const sentence of sentences) expect(sentence).toMatch(/^Drill: [A-Z].*\.$/);
    await page.reload();
    expect(await page.getByRole("complementary", { name: "Reduced service" }).count()).toBe(0);
  }));
