import { beforeAll, describe, expect, test } from "bun:test";
import type { Page } from "playwright-core";
import { BAKERY, evaluateOn } from "./evaluate";
import { onScreen, type ScreenOptions } from "./harness";
import { type ScreenCase, testScreens } from "./matrix";
import { openPages } from "./pages";

const pages = await openPages();
/** A second server of the pages, whose database has no evaluations. */
const empty = await openPages();
/** Path of a run with one result. */
let run: string;

beforeAll(async () => {
  run = await evaluateOn(pages, { sample: BAKERY });
});

const signIn = async (on = pages): Promise<string> => {
  const { key } = await on.newKey("editor", "Ada’s editor key");
  return (await on.sessions.signIn(key)).cookie;
};

const field = (page: Page, name: string) => page.getByLabel(name, { exact: true });
const save = (page: Page) => page.getByRole("button", { name: "Save and continue" }).click();

interface Case extends ScreenCase {
  on?: "empty";
}

const CASES: Case[] = [
  { name: "label", path: "/evals/label", shows: "Label each answer before you see its scores." },
  {
    name: "label refused",
    path: "/evals/label",
    status: 422,
    reach: save,
    shows: "There is a problem",
  },
  {
    name: "label saved",
    path: "/evals/label",
    reach: async (page) => {
      await field(page, "Passes").check();
      await save(page);
    },
    shows: "Show the full result",
  },
  {
    name: "label skipped",
    path: () => `/evals/label?run=${run.slice("/evals/".length)}`,
    reach: (page) => page.getByRole("button", { name: "Skip" }).click(),
    shows: "You have skipped 1 answer.",
  },
  {
    name: "label of a result refused",
    path: () => run,
    status: 422,
    reach: async (page) => {
      await page.getByText("Add your label").click();
      await field(page, "Correctness: comment").fill("It was six.");
      await page.getByRole("button", { name: "Save labels" }).click();
    },
    shows: "Correctness: choose a value",
  },
  { name: "label nothing left", path: "/evals/label", on: "empty", shows: "Nothing left to label" },
];

testScreens(CASES, async ({ on }) => {
  const server = on === "empty" ? empty : pages;
  return { url: server.url, session: await signIn(server) };
});

/** Runs `work` in a signed-in window and expects no faults. */
const using = async (options: ScreenOptions, work: (page: Page) => Promise<void>): Promise<void> => {
  const session = await signIn();
  expect(await onScreen(pages.url, { session, ...options }, work)).toEqual([]);
};

describe("labels", () => {
  test("are added before the verdict is shown, and an answer can be skipped", async () => {
    const path = await evaluateOn(pages, { sample: { ...BAKERY, input: "Who labels?", output: "It opens at 6:30." } });
    await using({}, async (page) => {
      await page.goto("/evals/label?metric=faithfulness");
      await page.getByText("Who labels?").waitFor();
      // The agreement table names evaluators, but nothing shows their scores for this answer.
      const trust = page.getByRole("region", { name: "How well the evaluators agree with people" });
      const named = (place: Page | typeof trust) => place.getByText("reference@1").count();
      expect([await named(page), await named(trust)]).toEqual([1, 1]);
      const judged = await page.locator(".judge").textContent();
      for (const leak of ["reference@1", "The contexts support", "Passed", "Not passed"])
        expect(judged).not.toContain(leak);
      await field(page, "Passes").check();
      await page.getByLabel("Comment").fill("It says so.");
      await save(page);
      await page.getByText("reference@1: ").waitFor();
      await page.getByRole("button", { name: "Skip" }).click();
      await page.goto(path);
      await page.getByRole("cell", { name: "It says so." }).waitFor();
      await page.getByText(", before seeing the scores").waitFor();
      // Shows the name of the author's key, not its id.
      await page.getByRole("cell", { name: "Ada’s editor key" }).waitFor();
    });
  });

  test("can be changed on the result's page", async () => {
    const path = await evaluateOn(pages, { sample: { ...BAKERY, input: "Who changes?", output: "It opens at 6:30." } });
    await using({}, async (page) => {
      await page.goto(path);
      for (const [choice, summary] of [
        ["Does not pass", "Add your label"],
        ["Passes", "Change your label"],
      ] as const) {
        await page.getByText(summary).click();
        await field(page, choice).first().check();
        await page.getByRole("button", { name: "Save labels" }).click();
        await page.getByText("Labels saved.").waitFor();
      }
      expect(await page.getByRole("table", { name: "Labels" }).getByRole("row").count()).toBe(2);
    });
  });
});

test("submitting a corrected form removes the errors of the first attempt", async () => {
  const options = { session: await signIn(), expectedStatuses: [422] };
  const faults = await onScreen(pages.url, options, async (page) => {
    const send = () => page.getByRole("button", { name: "Evaluate", exact: true }).click();
    pages.chat.reset();
    await page.goto("/evals/new");
    await field(page, "Question").fill(BAKERY.input);
    await field(page, "Reference answers").fill("6:30");
    await field(page, "Seed").fill("x");
    await send();
    await page.getByRole("alert").getByText("There is a problem").waitFor();
    await field(page, "Seed").fill("7");
    await send();
    await page.getByText("The model is writing its answer.").waitFor();
    expect(await page.locator(".summary, .refused, .field-problem, [aria-invalid]").count()).toBe(0);
    expect(await page.title()).toStartWith("Evaluate");
    await page.getByRole("button", { name: "Stop" }).click();
    await page.getByText("Stopped. Nothing was saved.").waitFor();
  });
  expect(faults).toEqual([]);
});

test("the evaluation form keeps typed text while a dataset sample is shown", () =>
  using({ expectedStatuses: [422] }, async (page) => {
    await page.goto("/datasets");
    await page.getByRole("button", { name: "Use the sample dataset" }).click();
    await page.getByText("Saved. This revision won’t change.").waitFor();
    await page.goto("/evals/new");
    await field(page, "Question").fill(BAKERY.input);
    await field(page, "Contexts").fill("Typed for minutes.");
    const load = async (key: string) => {
      await field(page, "Sample key").fill(key);
      await page.getByRole("button", { name: "Load sample" }).click();
    };
    await page.getByText("Use a sample from a dataset").click();
    await load("nobody");
    await page.getByRole("alert").getByText('Sample "nobody" not found').waitFor();
    expect(await field(page, "Question").inputValue()).toBe(BAKERY.input);
    await load("capital-france");
    await page.getByRole("heading", { name: "capital-france of sample, revision 1" }).waitFor();
    expect(await field(page, "Question").isVisible()).toBe(false);
    await load("capital-japan");
    await page.getByRole("heading", { name: "capital-japan of sample, revision 1" }).waitFor();
    await page.getByRole("link", { name: "enter your own question" }).click();
    await field(page, "Question").waitFor();
    expect(await page.getByRole("heading", { name: "capital-japan of sample" }).count()).toBe(0);
    expect(await field(page, "Question").inputValue()).toBe(BAKERY.input);
    expect(await field(page, "Contexts").inputValue()).toBe("Typed for minutes.");
  }));

test.each([true, false])(
  "the evaluation of a typed question can be repeated with changes (scripts: %j)",
  async (javaScript) => {
    const sample = {
      input: "Who repeats?",
      references: ["Ada", "Lovelace"],
      contexts: ["One.", "Two."],
      output: "Ada.",
    };
    const path = await evaluateOn(pages, { sample });
    await using({ javaScript }, async (page) => {
      await page.goto(path);
      await page.getByRole("link", { name: "Evaluate again" }).click();
      await page.getByRole("heading", { name: "The sample of the earlier evaluation" }).waitFor();
      await page.getByRole("link", { name: "Change the question" }).click();
      for (const [name, text] of Object.entries({
        Question: "Who repeats?",
        "Reference answers": "Ada\nLovelace",
        Contexts: "One.\n---\nTwo.",
        Answer: "Ada.",
      })) {
        await field(page, name).waitFor();
        expect(await field(page, name).inputValue()).toBe(text);
      }
      await field(page, "Question").fill("Who repeats it?");
      await page.getByRole("button", { name: "Evaluate", exact: true }).click();
      await page.getByRole("heading", { level: 1, name: "Who repeats it?" }).waitFor();
    });
  },
);
