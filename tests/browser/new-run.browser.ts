import { beforeAll, describe, expect, test } from "bun:test";
import type { Page } from "playwright-core";
import { PRINCIPAL } from "../principal";
import { addBakery } from "./bakery";
import { onScreen, type ScreenOptions } from "./harness";
import { REFUSED_STATUSES, refuseInEveryWay, type ScreenCase, testScreens } from "./matrix";
import { openPages } from "./pages";

const pages = await openPages();
const sessions = { editor: "", viewer: "" };
let dataset = { id: "", name: "bakery", revision: 1 };

beforeAll(async () => {
  for (const role of ["editor", "viewer"] as const) {
    sessions[role] = (await pages.sessions.signIn((await pages.newKey(role)).key)).cookie;
  }
  dataset = await addBakery(pages);
});

const using = async (options: ScreenOptions, work: (page: Page) => Promise<void>): Promise<void> => {
  expect(await onScreen(pages.url, { session: sessions.editor, ...options }, work)).toEqual([]);
};

const CASES: (ScreenCase & { as?: "viewer" })[] = [
  {
    name: "new run forbidden",
    path: "/batch-evals/new",
    as: "viewer",
    status: 403,
    shows: "This requires the editor role",
  },
  {
    name: "new run",
    path: () => `/batch-evals/new?dataset=${dataset.id}`,
    reach: (page) => page.getByText("Shadow evaluators and criteria").click(),
    shows: "unlikely to be chance",
  },
  {
    name: "new run refused",
    path: "/batch-evals/new",
    status: 422,
    reach: async (page) => {
      await page.getByLabel("Answers per sample").fill("many");
      await page.getByRole("button", { name: "Start run" }).click();
    },
    shows: "There is a problem",
  },
];

testScreens(CASES, async ({ as = "editor" }: { as?: "viewer" | "editor" }) => ({
  url: pages.url,
  session: sessions[as],
}));

test("the estimate is updated with the form, and says what is missing", () =>
  using({}, async (page) => {
    await page.goto("/batch-evals/new");
    const estimate = page.getByRole("region", { name: "Estimate", exact: true });
    await estimate.getByText("Choose a dataset").waitFor();
    await page.getByLabel("Only samples with these tags").fill("weddings");
    await page.getByLabel("Dataset", { exact: true }).selectOption("bakery");
    await estimate.getByText("has one of these tags").waitFor();
    await page.getByLabel("Other tags").fill("");
    await estimate.getByText("60 samples", { exact: true }).waitFor();
    await page.getByLabel("Answers per sample").fill("3");
    await estimate.getByText("60 samples, 180 answers").waitFor();
    await page.getByRole("group", { name: "Only samples with these tags" }).getByLabel("hours").check();
    await estimate.getByText("30 samples, 90 answers").waitFor();
    await page.getByLabel("The dataset").check();
    await estimate.getByText("no model is called").waitFor();
    expect(await page.getByLabel("Chat model").isVisible()).toBe(false);
  }));

test("a run is started with the user's own criteria, which fill the form of the next one", () =>
  using({ expectedStatuses: [422] }, async (page) => {
    const start = () => page.getByRole("button", { name: "Start run" }).click();
    const own = page.getByLabel("Your own criteria");
    await page.goto(`/batch-evals/new?dataset=${dataset.id}`);
    await page.getByText("Shadow evaluators and criteria").click();
    await own.fill("polite");
    await start();
    await page.getByRole("alert").getByRole("link", { name: "Line 1: write a name, a colon and a question" }).click();
    await page.locator("#own:focus").waitFor();
    await own.fill("polite: Is the answer polite?");
    await start();
    await page.getByRole("alert").getByText("Add a judge").waitFor();
    await page.getByRole("group", { name: "Evaluators", exact: true }).getByLabel("judge@1").check();
    await start();
    await page.getByText("Run started.").waitFor();
    await page.getByText("How this was measured").click();
    await page.getByText("polite", { exact: true }).waitFor();
    await page.getByRole("link", { name: "Run again" }).click();
    expect(await own.inputValue()).toBe("polite: Is the answer polite?");
  }));

test("a run over an index is started, names the index, and can be repeated", () =>
  using({ expectedStatuses: [422] }, async (page) => {
    pages.rag.reset();
    const estimate = page.getByRole("region", { name: "Estimate", exact: true });
    await page.goto(`/batch-evals/new?dataset=${dataset.id}`);
    expect(await page.getByLabel("Documents", { exact: true }).isVisible()).toBe(false);
    await page.getByLabel("A model with documents").check();
    await estimate.getByText("Choose an index").waitFor();
    await page.getByRole("button", { name: "Start run" }).click();
    await page.getByRole("alert").getByRole("link", { name: "Choose an index" }).click();
    await page.locator("#index:focus").waitFor();
    await page.getByLabel("Documents", { exact: true }).selectOption("Staff handbook");
    expect(await page.getByLabel("Top p").isVisible()).toBe(false);
    await estimate.getByText("60 samples", { exact: true }).waitFor();
    await page.getByRole("button", { name: "Start run" }).click();
    await page.getByText("Run started.").waitFor();
    await page.getByText("smollm2-135m-instruct, documents of Staff handbook on").waitFor();
    const id = page.url().match(/run_\w+/)?.[0] ?? "";
    const { pins } = await pages.batchEvals.get(PRINCIPAL, id);
    expect(pins).toMatchObject({
      target: { kind: "rag", index: "idx_handbook", retrieval: { top_k: 5 } },
      ...{ index_name: "Staff handbook", index_version: 1, index_revision: 14 },
    });
    await page.getByRole("link", { name: "Run again" }).click();
    expect(await page.getByLabel("A model with documents").isChecked()).toBe(true);
    expect(await page.getByLabel("Documents", { exact: true }).inputValue()).toBe("idx_handbook");
  }));

describe("U8: a rejected form", () => {
  test("shows every error kind and keeps what was typed", () =>
    using({ expectedStatuses: REFUSED_STATUSES }, async (page) => {
      await page.goto(`/batch-evals/new?dataset=${dataset.id}`);
      await page.getByLabel("Name of the run").fill("My careful run");
      await refuseInEveryWay(page, pages, {
        path: /^\/batch-evals$/,
        act: () => page.getByRole("button", { name: "Start run" }).click(),
        async stays() {
          expect(await page.getByLabel("Name of the run").inputValue()).toBe("My careful run");
          expect(await page.getByRole("button", { name: "Start run" }).isEnabled()).toBe(true);
        },
      });
    }));

  test("links to its fields and moves the focus there", () =>
    using({ expectedStatuses: [422] }, async (page) => {
      await page.goto(`/batch-evals/new?dataset=${dataset.id}`);
      await page.getByLabel("Seed").fill("-1");
      await page.getByRole("button", { name: "Start run" }).click();
      await page
        .getByRole("alert")
        .getByRole("link", { name: /^Seed: enter a whole number/ })
        .click();
      await page.locator("#seed:focus").waitFor();
      expect([await page.title(), await page.getByLabel("Seed").inputValue()]).toEqual([
        "Error: New run · Groundwire",
        "-1",
      ]);
    }));

  test("with an expired session leads to sign-in", () =>
    using({ expectedStatuses: [401] }, async (page) => {
      await page.goto(`/batch-evals/new?dataset=${dataset.id}`);
      await page.getByText("60 samples", { exact: true }).waitFor();
      await page.context().clearCookies();
      await page.getByRole("button", { name: "Start run" }).click();
      await page.getByLabel("Your key").waitFor();
    }));
});
