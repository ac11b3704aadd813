import { beforeAll, beforeEach, describe, expect, test } from "bun:test";
import type { Page } from "playwright-core";
import { AppError, type ErrorKind } from "../../lib/errors";
import { PRINCIPAL } from "../principal";
import { until } from "../until";
import { BAKERY, evaluateOn, importRuns } from "./evaluate";
import { onScreen, type ScreenOptions } from "./harness";
import { tabTo } from "./keyboard";
import { REFUSED_STATUSES, refuseInEveryWay, reloadRefused, type ScreenCase, testScreens } from "./matrix";
import { openPages } from "./pages";

const pages = await openPages();
/** A second server of the pages, whose database has no evaluations. */
const empty = await openPages();
/** Paths of runs by purpose. */
const runs: Record<string, string> = {};

const ATTACK = `<img src=x onerror=alert(1)>. <script>alert(2)</script>. <b hx-get="/keys" hx-trigger="load">x</b>.`;
const LONG = {
  input: `Say it ${"again and ".repeat(60)}again: ${"Donaudampfschifffahrtsgesellschaft".repeat(12)}`,
  references: ["مرحبا بالعالم", "東京 👩🏽‍🚀"],
  contexts: ["x".repeat(3000)],
  output: `${"Wort".repeat(400)}. مرحبا بالعالم. 東京です。${"Another sentence. ".repeat(40)}`,
};

beforeAll(async () => {
  runs.mixed = await evaluate({ sample: BAKERY });
  runs.passed = await evaluate({ sample: { ...BAKERY, output: "It opens at 6:30." } });
  runs.shadow = await evaluate({ sample: BAKERY, shadow_evaluators: ["judge@1"] });
  [runs.judged = "", runs.compared = "", runs.many = ""] = await importRuns(pages, [
    { name: "Two evaluators decide", judge: "verdict" },
    { name: "One evaluator compares", judge: "comparison" },
    { name: "Seventy results", judge: "verdict", results: 70 },
  ]);
  runs.failed = await evaluate({ sample: BAKERY, evaluators: ["judge@1"] });
  runs.empty = await evaluate({ sample: { ...BAKERY, output: "" } });
  runs.long = await evaluate({ sample: LONG });
  runs.attack = await evaluate({ sample: { input: ATTACK, references: [ATTACK], contexts: [ATTACK], output: ATTACK } });
});
beforeEach(() => {
  pages.chat.reset();
  pages.refusal.error = undefined;
});

/** Evaluates as the API does and returns the path of the run's page. Judges fail: the fake model's script is empty. */
const evaluate = (request: Parameters<typeof evaluateOn>[1]) => evaluateOn(pages, request);

const signIn = async (role: "viewer" | "member" | "editor" | "admin", on = pages): Promise<string> => {
  const { key } = await on.newKey(role, `Ada’s ${role} key`);
  return (await on.sessions.signIn(key)).cookie;
};

const field = (page: Page, name: string) => page.getByLabel(name, { exact: true });
const fill = async (page: Page, { output = "" }: { output?: string } = {}): Promise<void> => {
  await field(page, "Question").fill(BAKERY.input);
  await field(page, "Reference answers").fill(BAKERY.references.join("\n"));
  await field(page, "Contexts").fill(BAKERY.contexts.join("\n---\n"));
  await field(page, "Answer").fill(output);
};
const send = (page: Page) => page.getByRole("button", { name: "Evaluate", exact: true }).click();

const reloadedWith = reloadRefused(() => pages, /^\/evals/);
const failing = reloadedWith("internal", "An internal error occurred. Include the request id when you report it.");

/** Submits the filled form, which is rejected. */
const sentWith = (kind: ErrorKind, message: string, retryAfterMs?: number) => async (page: Page) => {
  await fill(page, BAKERY);
  pages.refusal.path = /^\/evals$/;
  pages.refusal.error = new AppError(kind, message, { retryAfterMs });
  await send(page);
  await page.getByRole("alert").getByRole("heading").waitFor();
  pages.refusal.error = undefined;
};

interface Case extends ScreenCase {
  as?: "viewer" | "member" | "editor";
  on?: "empty";
}

const CASES: Case[] = [
  { name: "evaluations", path: "/evals", shows: "When does the bakery open" },
  { name: "evaluations first use", path: "/evals", on: "empty", shows: "No evaluations yet" },
  {
    name: "evaluations first use of a viewer",
    path: "/evals",
    on: "empty",
    as: "viewer",
    shows: "You need the member role",
  },
  {
    name: "evaluations filtered empty",
    path: "/evals?q=nothing&verdict=passed",
    shows: "No evaluation matches “nothing” and verdict passed",
  },
  { name: "evaluations server error", path: "/evals", status: 500, reach: failing, shows: "Something went wrong" },
  {
    name: "evaluations rate-limited",
    path: "/evals",
    status: 429,
    reach: reloadedWith("rate_limited", "The key has sent the 60 requests of this minute.", 12_000),
    shows: "Rate limit reached",
  },
  { name: "evaluation form", path: "/evals/new", shows: "Maximum length (tokens)" },
  {
    name: "evaluation form refused",
    path: "/evals/new",
    status: 422,
    reach: async (page) => {
      await field(page, "Seed").fill("many");
      await send(page);
    },
    shows: "There is a problem",
  },
  {
    name: "evaluation form forbidden",
    path: "/evals/new",
    as: "viewer",
    status: 403,
    shows: "This requires the member role",
  },
  {
    name: "evaluation form rate-limited",
    path: "/evals/new",
    status: 429,
    reach: sentWith("rate_limited", "60 requests a minute reached on the key “Ada’s laptop”.", 12_000),
    shows: "60 requests a minute reached",
  },
  {
    name: "evaluation form server error",
    path: "/evals/new",
    status: 500,
    reach: sentWith("internal", "An internal error occurred. Include the request id when you report it."),
    shows: "An internal error occurred",
  },
  {
    name: "evaluation running",
    path: "/evals/new",
    reach: async (page) => {
      await fill(page);
      await send(page);
    },
    shows: "The model is writing its answer.",
  },
  {
    name: "evaluation failed",
    path: "/evals/new",
    reach: async (page) => {
      pages.chat.fail(new AppError("model_loading", "The model is being loaded: 62 %.", { retryAfterMs: 20_000 }));
      await fill(page);
      await send(page);
    },
    shows: "62 %",
  },
  { name: "evaluation", path: () => runs.mixed ?? "", shows: "How this was measured" },
  { name: "run of a viewer", path: () => runs.mixed ?? "", as: "viewer", shows: "How this was measured" },
  { name: "run passed", path: () => runs.passed ?? "", shows: "Passed" },
  {
    name: "run with a shadow",
    path: () => runs.shadow ?? "",
    reach: (page) => page.getByText("Scores excluded from the verdict").first().click(),
    shows: "Comparison only: judge@1",
  },
  { name: "run with two evaluators", path: () => runs.judged ?? "", shows: "Claims by reference@1" },
  {
    name: "run with two evaluators switched",
    path: () => `${runs.judged}?claims=judge%401`,
    shows: "Claims by judge@1",
  },
  { name: "run of many results", path: () => `${runs.many}?page=2`, shows: "51 to 70 of 70 results" },
  { name: "run not scored", path: () => runs.failed ?? "", shows: "an evaluator failed" },
  { name: "run of an empty answer", path: () => runs.empty ?? "", shows: "The answer is empty." },
  { name: "run of long texts", path: () => runs.long ?? "", shows: "How this was measured" },
  {
    name: "run being labelled",
    path: () => runs.mixed ?? "",
    reach: (page) => page.getByText("Add your label").click(),
    shows: "Save labels",
  },
  {
    name: "run recomputed",
    path: () => runs.passed ?? "",
    reach: async (page) => {
      pages.chat.finish();
      await page.getByText("Score again with another evaluator").click();
      await page.getByRole("button", { name: "Score again" }).click();
    },
    shows: "Scored again.",
  },
  { name: "run gone", path: "/evals/run_nothing", status: 404, shows: "Not found" },
];

testScreens(CASES, async ({ as = "editor", on }) => {
  const server = on === "empty" ? empty : pages;
  return { url: server.url, session: await signIn(as, server) };
});

/** Runs `work` in a signed-in window and expects no faults. */
const using = async (options: ScreenOptions, work: (page: Page) => Promise<void>): Promise<void> => {
  const session = await signIn("admin");
  expect(await onScreen(pages.url, { session, ...options }, work)).toEqual([]);
};

describe("an evaluation", () => {
  test("shows its progress, then its result, which stays after a reload", () =>
    using({}, async (page) => {
      await page.goto("/evals/new");
      await fill(page);
      await send(page);
      await page.getByText("The model is writing its answer.").waitFor();
      expect(await page.getByRole("button", { name: "Evaluate", exact: true }).isDisabled()).toBe(true);
      pages.chat.say("It opens at 6:30.");
      pages.chat.finish();
      await page.getByRole("heading", { level: 1, name: BAKERY.input }).waitFor();
      const address = page.url();
      expect(new URL(address).pathname).toMatch(/^\/evals\/run_/);
      await page.getByText("Model revision").waitFor();
      await page.reload();
      await page.getByText("It opens at 6:30.").first().waitFor();
      await page.goto("/evals?q=bakery");
      await page.locator(`a[href="${new URL(address).pathname}"]`).waitFor();
    }));

  test("continues when its user leaves, and is in the history", () =>
    using({}, async (page) => {
      await page.goto("/evals/new");
      await fill(page);
      await field(page, "Question").fill("Who leaves early?");
      await send(page);
      await page.getByText("The model is writing its answer.").waitFor();
      await page.goto("/evals");
      const running = page.getByRole("region", { name: "Running evaluations" });
      await running.getByText("Who leaves early?").waitFor();
      await running.getByText("The model is writing its answer.").waitFor();
      pages.chat.say("I do.");
      pages.chat.finish();
      await page.getByRole("link", { name: "Who leaves early?" }).waitFor();
      await running.waitFor({ state: "detached" });
    }));

  test("can be stopped in the list after leaving its page", () =>
    using({}, async (page) => {
      await page.goto("/evals/new");
      await fill(page);
      await field(page, "Question").fill("Who is stopped from the list?");
      await send(page);
      await page.getByText("The model is writing its answer.").waitFor();
      await page.goto("/evals");
      await page.getByRole("button", { name: "Stop: Who is stopped from the list?" }).click();
      await page.getByRole("region", { name: "Running evaluations" }).waitFor({ state: "detached" });
      expect((await pages.evals.list(PRINCIPAL, { search: "stopped from the list" })).data).toEqual([]);
    }));

  test("can be stopped with its button, and nothing is stored", () =>
    using({}, async (page) => {
      await page.goto("/evals/new");
      await fill(page);
      await field(page, "Question").fill("Who stops?");
      await send(page);
      await page.getByRole("button", { name: "Stop" }).click();
      await page.getByRole("status").getByText("Stopped. Nothing was saved.").waitFor();
      // The user stopped it, so the page shows no error.
      expect(await page.locator("#main [role=alert] *").count()).toBe(0);
      expect(await page.getByText("Something went wrong").count()).toBe(0);
      expect(await page.getByRole("button", { name: "Evaluate", exact: true }).isEnabled()).toBe(true);
      expect(await field(page, "Question").inputValue()).toBe("Who stops?");
      expect((await pages.evals.list(PRINCIPAL, { search: "Who stops?" })).data).toEqual([]);
    }));

  test("can be stopped with the keyboard, even after several progress updates", () =>
    using({}, async (page) => {
      await page.goto("/evals/new");
      await fill(page);
      await page.evaluate(
        "window.updates = 0; document.addEventListener('htmx:after:settle', () => { window.updates += 1; });",
      );
      await page.getByRole("button", { name: "Evaluate", exact: true }).focus();
      await page.keyboard.press("Enter");
      await page.getByText("The model is writing its answer.").waitFor();
      await page.evaluate("window.statusBefore = document.querySelector('#evaluating [role=status]')");
      await page.locator("#evaluating-stop:focus").waitFor();
      const before = await page.evaluate<number>("window.updates");
      await until("three updates have come", async () => (await page.evaluate<number>("window.updates")) >= before + 3);
      expect(await page.evaluate<string>("document.activeElement.textContent")).toBe("Stop");
      // A screen reader would read a replaced element every second.
      expect(
        await page.evaluate<boolean>("window.statusBefore === document.querySelector('#evaluating [role=status]')"),
      ).toBe(true);
      await page.keyboard.press("Enter");
      const note = page.locator("#evaluating").getByRole("status");
      await note.getByText("Stopped. Nothing was saved.").waitFor();
      await until("the focus is where the button was", () =>
        note.evaluate((element) => element === element.ownerDocument.activeElement),
      );
    }));

  test("of a dataset sample can be started from the sample's page and repeated", () =>
    using({}, async (page) => {
      await page.goto("/datasets");
      await page.getByRole("button", { name: "Use the sample dataset" }).click();
      await page.getByRole("link", { name: "What is the capital of Japan?" }).click();
      await page.getByRole("link", { name: "Evaluate", exact: true }).click();
      await page.getByRole("heading", { name: "capital-japan of sample, revision 1" }).waitFor();
      pages.chat.say("It is Tokyo.");
      pages.chat.finish();
      await send(page);
      await page.getByRole("link", { name: "sample, revision 1" }).waitFor();
      await page.getByText("Passed", { exact: true }).first().waitFor();
      await page.getByRole("link", { name: "Evaluate again" }).click();
      await page.getByRole("heading", { name: "capital-japan of sample, revision 1" }).waitFor();
    }));

  test("of an unknown sample shows an error, and an existing sample is loaded by its key", () =>
    using({ expectedStatuses: [422] }, async (page) => {
      await page.goto("/datasets");
      await page.getByRole("link", { name: "sample", exact: true }).waitFor();
      await page.goto("/evals/new");
      await page.getByText("Use a sample from a dataset").click();
      await page.getByLabel("Sample key").fill("nobody");
      await page.getByRole("button", { name: "Load sample" }).click();
      await page.getByRole("alert").getByText('Sample "nobody" not found').waitFor();
      await page.getByLabel("Sample key").fill("capital-france");
      await page.getByRole("button", { name: "Load sample" }).click();
      await page.getByRole("heading", { name: "capital-france of sample, revision 1" }).waitFor();
    }));

  test("by two evaluators shows the claims of each", () =>
    using({}, async (page) => {
      await page.goto(runs.judged ?? "");
      const tabs = page.getByRole("navigation", { name: "Claims by evaluator" });
      await page.getByRole("heading", { name: "Claims by reference@1" }).waitFor();
      expect(await page.locator("mark").count()).toBe(3);
      await tabs.getByRole("link", { name: "judge@1" }).click();
      await page.getByRole("heading", { name: "Claims by judge@1" }).waitFor();
      expect(await page.locator("mark").count()).toBe(1);
      expect(await tabs.getByRole("link", { name: "judge@1" }).getAttribute("aria-current")).toBe("true");
    }));

  test("marks claims by more than colour, and links each to its context", () =>
    using({}, async (page) => {
      await page.goto(runs.mixed ?? "");
      const marks = page.locator("mark");
      expect(await marks.evaluateAll((all) => all.map((mark) => mark.textContent))).toEqual([
        "It opens at 6:30.",
        "A loaf costs about four euros.",
        "It was founded in 1871 by two brothers.",
      ]);
      const styles = await page.evaluate<string[]>(
        "[...document.querySelectorAll('mark')].map((mark) => getComputedStyle(mark).textDecorationStyle)",
      );
      expect(styles).toEqual(["solid", "dashed", "wavy"]);
      await page.getByRole("link", { name: "Claim 3: not supported" }).click();
      expect(new URL(page.url()).hash).toBe("#claim-3");
      await page
        .getByRole("row", { name: /It opens at 6:30/ })
        .getByRole("link", { name: "1", exact: true })
        .last()
        .click();
      expect(new URL(page.url()).hash).toBe("#context-1");
    }));

  test("of any text runs no script, loads nothing and triggers no htmx request", () =>
    using({}, async (page) => {
      const sent: string[] = [];
      page.on("request", (request) => sent.push(new URL(request.url()).pathname));
      const id = (runs.attack ?? "").slice("/evals/".length);
      for (const path of [`/evals/${id}`, "/evals", `/evals/label?run=${id}`, `/evals/new?run=${id}`]) {
        await page.goto(path);
        await page.getByText("onerror=alert(1)").first().waitFor({ state: "attached" });
      }
      expect(sent.filter((path) => !/^\/(assets|evals)(\/|$)/.test(path))).toEqual([]);
    }));
});

test("changing the question of an earlier evaluation focuses its field", () =>
  using({}, async (page) => {
    await page.goto(`/evals/new?run=${(runs.mixed ?? "").slice("/evals/".length)}`);
    await page.getByRole("link", { name: "Change the question" }).press("Enter");
    await page.locator("#input:focus").waitFor();
  }));

describe("U8: a rejected form", () => {
  test("links to the first option of a group, and moves the focus there", () =>
    using({ expectedStatuses: [422] }, async (page) => {
      await page.goto("/evals/new");
      for (const box of await page.getByRole("checkbox").all()) await box.uncheck();
      await send(page);
      await page.getByRole("alert").getByRole("link", { name: "Choose an evaluator" }).click();
      await page.getByRole("checkbox").first().and(page.locator(":focus")).waitFor();
      expect(await page.getByText("Choose an evaluator").last().isVisible()).toBe(true);
    }));

  test("shows every error kind and keeps the typed text", () =>
    using({ expectedStatuses: REFUSED_STATUSES }, async (page) => {
      await page.goto("/evals/new");
      await fill(page, BAKERY);
      await refuseInEveryWay(page, pages, {
        path: /^\/evals$/,
        act: () => send(page),
        async stays() {
          expect(await field(page, "Question").inputValue()).toBe(BAKERY.input);
          expect(await page.getByRole("button", { name: "Evaluate", exact: true }).isEnabled()).toBe(true);
        },
      });
    }));

  test("with an expired session leads to sign-in", () =>
    using({ expectedStatuses: [401] }, async (page) => {
      await page.goto("/evals/new");
      await fill(page, BAKERY);
      await page.context().clearCookies();
      await send(page);
      await page.getByLabel("Your key").waitFor();
    }));

  test("without a network shows an error and keeps the typed text", () =>
    using({ expectedFault: /ERR_FAILED|Failed to load/ }, async (page) => {
      await page.goto("/evals/new");
      await fill(page, BAKERY);
      await page.route("**/evals", (route) => route.abort());
      await send(page);
      await page.getByText("Groundwire can’t be reached.").waitFor();
      expect(await field(page, "Question").inputValue()).toBe(BAKERY.input);
    }));
});

test("at 320 px only tables scroll sideways, in their own box", () =>
  using({}, async (page) => {
    await page.setViewportSize({ width: 320, height: 640 });
    for (const path of ["/evals", "/evals/new", "/evals/label", ...Object.values(runs)]) {
      await page.goto(path);
      const overflow = await page.evaluate<number>(
        "document.documentElement.scrollWidth - document.documentElement.clientWidth",
      );
      expect([path, overflow]).toEqual([path, 0]);
    }
  }));

test("U6: without scripts, forms evaluate, label and rescore an answer and find it in the history", () =>
  using({ javaScript: false }, async (page) => {
    pages.chat.say("It opens at 6:30.");
    pages.chat.finish();
    await page.goto("/evals/new");
    await fill(page);
    await field(page, "Question").fill("Who has no scripts?");
    await send(page);
    await page.getByRole("heading", { level: 1, name: "Who has no scripts?" }).waitFor();
    await page.getByText("Add your label").click();
    await field(page, "Passes").first().check();
    await page.getByRole("button", { name: /^Save labels?$/ }).click();
    await page.getByText("Labels saved.").waitFor();
    await page.getByText("Score again with another evaluator").click();
    await page.getByRole("button", { name: "Score again" }).click();
    await page.getByText("Scored again.").waitFor();
    await page.goto("/evals");
    await page.getByLabel("Search names").fill("no scripts");
    await page.getByRole("button", { name: "Filter" }).click();
    await page.getByRole("link", { name: "Who has no scripts?" }).waitFor();
    await page.goto("/evals/label");
    await page.getByRole("button", { name: "Skip" }).click();
    await page.getByRole("heading", { level: 1, name: "Label correctness" }).waitFor();
  }));

test("U2: an answer can be evaluated, labelled and found in the history with only the keyboard", () =>
  using({}, async (page) => {
    await page.goto("/evals");
    await tabTo(page, /^Evaluate$/);
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { level: 1, name: "Evaluate" }).waitFor();
    for (const [name, text] of [
      [/^Question$/, "Who types?"],
      [/^Reference answers$/, "Ada"],
      [/^Answer$/, "Ada types."],
    ] as const) {
      await tabTo(page, name);
      await page.keyboard.type(text);
    }
    await tabTo(page, /^Evaluate$/);
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { level: 1, name: "Who types?" }).waitFor();
    await tabTo(page, /^Add your label$/);
    await page.keyboard.press("Enter");
    await tabTo(page, /^Passes$/);
    await page.keyboard.press("Space");
    await tabTo(page, /^Save labels?$/);
    await page.keyboard.press("Enter");
    await page.getByText("Labels saved.").waitFor();
    await tabTo(page, /^Evaluations$/);
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { level: 1, name: "Evaluations" }).waitFor();
    await tabTo(page, /^Who types\?$/);
  }));
