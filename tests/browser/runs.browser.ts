import { beforeAll, describe, expect, test } from "bun:test";
import type { Page } from "playwright-core";
import { updateBatchRun } from "../../db/batch-evals";
import { findRun } from "../../db/runs";
import { PRINCIPAL } from "../principal";
import { type SeededRun, seedRun } from "../seeded-run";
import { addBakery } from "./bakery";
import { onScreen, type ScreenOptions } from "./harness";
import { tabTo } from "./keyboard";
import { reloadRefused, type ScreenCase, testScreens } from "./matrix";
import { openPages } from "./pages";

const pages = await openPages();
const { db } = pages;
let session = "";
const ids: Record<string, string> = {};
let dataset = { id: "", name: "bakery", revision: 1 };
const editor = { id: "", name: "Ada’s editor key" };

const STATES = ["queued", "running", "paused", "completed", "failed", "cancelled"] as const;
const FAILED = { message: "More than 10 % of the results are errors, so the run stopped.", code: "unavailable" };

const addRun = (run: SeededRun) => seedRun(db, { dataset, createdBy: editor.id, ...run });

beforeAll(async () => {
  const { key, id } = await pages.newKey("editor", editor.name);
  session = (await pages.sessions.signIn(key)).cookie;
  editor.id = id;
  dataset = await addBakery(pages);
  for (const [n, state] of STATES.entries()) {
    const done = state === "queued" ? 0 : state === "completed" ? 60 : 30;
    const createdAt = new Date(Date.now() - (STATES.length - n) * 3_600_000);
    const error = state === "failed" ? FAILED : null;
    ids[state] = await addRun({ state, samples: 60, done, createdAt, error, name: `bakery, ${state}` });
  }
  ids.shifted = await addRun({ samples: 60, shift: 3, name: "bakery, new prompt" });
  ids.rescored = await addRun({ samples: 60, shift: 3, evaluatorHash: "c".repeat(64), name: "bakery, new evaluator" });
  ids.repeated = await addRun({ samples: 30, repeats: 3, name: "bakery, three answers", tags: ["nightly"] });
});

const run = (name: string): string => `/batch-evals/${ids[name]}`;
const using = async (options: ScreenOptions, work: (page: Page) => Promise<void>): Promise<void> => {
  expect(await onScreen(pages.url, { session, ...options }, work)).toEqual([]);
};

const refused = reloadRefused(() => pages, /^\/batch-evals/);
const openFirst = async (page: Page): Promise<void> => {
  await page.locator("#samples tbody a").first().click();
  await page.getByRole("heading", { name: "Question" }).waitFor();
};

const CASES: ScreenCase[] = [
  { name: "runs", path: "/batch-evals", shows: "bakery, paused" },
  {
    name: "runs filtered to none",
    path: "/batch-evals?q=nothing&state=failed",
    shows: "No run matches “nothing” and state failed",
  },
  {
    name: "runs server error",
    path: "/batch-evals",
    status: 500,
    reach: refused("internal", "An internal error occurred. Include the request id when you report it."),
    shows: "Something went wrong",
  },
  {
    name: "runs rate-limited",
    path: "/batch-evals",
    status: 429,
    reach: refused("rate_limited", "The key “Ada’s editor key” has sent the 60 requests of this minute.", 12_000),
    shows: "Rate limit reached",
  },
  ...STATES.map((state) => ({
    name: `run ${state}`,
    path: () => run(state),
    shows: state === "failed" ? FAILED.message : state === "queued" ? "waiting for a worker" : "What went wrong",
  })),
  {
    name: "run with repeats",
    path: () => run("repeated"),
    reach: async (page) => {
      await page.getByText("How this was measured").click();
      await page.getByText("Score again with another evaluator").click();
    },
    shows: "All pass (pass^k)",
  },
  {
    name: "compare",
    path: () => `/batch-evals/compare?runs=${ids.completed},${ids.shifted}`,
    shows: "No difference shown",
  },
  {
    name: "compare by verdicts of different evaluators",
    path: () => `/batch-evals/compare?runs=${ids.completed},${ids.rescored}&metric=verdict`,
    shows: "The verdicts of these runs can’t be compared, so no sample counts as better or worse.",
  },
  {
    name: "compare three with one unfinished",
    path: () =>
      `/batch-evals/compare?runs=${ids.completed},${ids.shifted},${ids.cancelled}&show=missing&metric=correctness+by+reference@1`,
    shows: "Missing (30)",
  },
  {
    name: "compare filtered to none",
    path: () => `/batch-evals/compare?runs=${ids.completed},${ids.shifted}&tag=weddings`,
    shows: "No sample matches “Got worse” and tag weddings",
  },
  {
    name: "compare by lines",
    path: () => `/batch-evals/compare?runs=${ids.completed},${ids.shifted}&show=changed&diff=lines`,
    shows: "Mark different",
  },
  {
    name: "compare one run",
    path: () => `/batch-evals/compare?runs=${ids.completed}`,
    status: 422,
    shows: "Choose the run to compare it with",
  },
  { name: "run unknown", path: "/batch-evals/run_nothing", status: 404, shows: "Not found" },
  {
    name: "samples",
    path: () => `${run("repeated")}/samples?outcome=failed&sort=worst_first`,
    shows: "matching results",
  },
  {
    name: "samples filtered to none",
    path: () => `${run("completed")}/samples?failure=empty&tag=prices`,
    shows: "No result matches failure “the answer is empty” and tag prices",
  },
  { name: "samples queued", path: () => `${run("queued")}/samples`, shows: "60 results" },
  {
    name: "run sample",
    path: () => `${run("repeated")}/samples?failure=wrong`,
    reach: openFirst,
    shows: "Expected answer",
  },
  {
    name: "run sample with an error",
    path: () => `${run("completed")}/samples?outcome=error`,
    reach: openFirst,
    shows: "took too long",
  },
];

testScreens(CASES, async () => ({ url: pages.url, session }));

test("the page of a run is updated until it ends, without moving the focus or closing boxes", async () => {
  const id = await addRun({ state: "running", samples: 60, done: 20, name: "followed" });
  await using({}, async (page) => {
    await page.goto(`/batch-evals/${id}`);
    await page.getByText("20 of 60 results").waitFor();
    await page.getByRole("button", { name: "Cancel run" }).focus();
    const { progress } = (await findRun(db, id)) ?? {};
    if (!progress) throw new Error("A seeded run has counts.");
    await db.write((tx) => updateBatchRun(tx, id, { progress: { ...progress, done: 40, perSecond: 8 } }));
    await page.getByText("40 of 60 results · 8.0 per second · about 2.5 s left").waitFor();
    await page.getByRole("button", { name: "Cancel run" }).and(page.locator(":focus")).waitFor();
    const ended = { state: "completed" as const, progress: { ...progress, done: 60, running: 0 }, endedAt: new Date() };
    await db.write((tx) => updateBatchRun(tx, id, ended));
    await page.getByRole("status").getByText("Completed").waitFor();
    expect(await page.locator("#run[hx-trigger]").count()).toBe(0);
  });
});

test("the list shows its filters, keeps a selection, and finds runs by dataset, state and tag", async () => {
  const other = { id: "ds_many", name: "many", revision: 1 };
  for (let n = 0; n < 51; n++) await seedRun(db, { dataset: other, samples: 1, name: `Run ${n}` });
  await using({}, async (page) => {
    await page.goto("/batch-evals?dataset=ds_many");
    await page.getByText("1 to 50 of 51 matching runs").waitFor();
    await page.getByRole("link", { name: "Next page" }).click();
    await page.getByText("51 to 51 of 51 matching runs").waitFor();
    await page.goto("/batch-evals");
    await page.getByLabel("Tag").fill("nightly");
    await page.getByRole("button", { name: "Filter" }).click();
    await page.getByText("1 matching run", { exact: true }).waitFor();
  });
});

test("a run that waits says why and since when", async () => {
  const id = await addRun({ state: "running", samples: 60, done: 30, name: "bakery, waiting" });
  const message = "Every node is down. The gateway tries again by itself.";
  const waiting = { code: "unavailable", message, since: "2026-11-30T10:15:00.000Z" };
  const { progress } = (await findRun(db, id)) ?? {};
  await db.write((tx) => updateBatchRun(tx, id, { progress: progress && { ...progress, waiting } }));
  await using({}, async (page) => {
    await page.goto(`/batch-evals/${id}`);
    const note = page.getByText("No call has succeeded since");
    await note.waitFor();
    expect(await note.textContent()).toContain(message);
    await page.getByText("30 of 60 results · waiting", { exact: true }).waitFor();
  });
});

test("an ended run offers what helps against its errors: another try, or only another scoring", async () => {
  const id = await addRun({ samples: 60, name: "bakery, failed evaluator" });
  const { progress } = (await findRun(db, id)) ?? {};
  const failures = { ...progress?.failures, judge_error: 3, invalid_sample: 1 };
  await db.write((tx) => updateBatchRun(tx, id, { progress: progress && { ...progress, errors: 1, failures } }));
  await using({}, async (page) => {
    await page.goto(`/batch-evals/${id}`);
    await page.getByText("Running 1 result again can’t help").waitFor();
    expect(await page.getByRole("button", { name: /^Retry/ }).count()).toBe(0);
    await page.getByRole("button", { name: "Score 3 answers again" }).click();
    await page.getByText("Scoring the answers again.").waitFor();
    const { recompute } = await pages.batchEvals.get(PRINCIPAL, id);
    expect(recompute).toMatchObject({ state: "queued", evaluators: ["reference@1"], shadow: false });
    expect(await page.getByRole("button", { name: "Score 3 answers again" }).count()).toBe(0);
  });
});

describe("the samples of a run", () => {
  test("are linked from a failure kind, and link to the next and previous sample in the filtered list", () =>
    using({}, async (page) => {
      await page.goto(run("completed"));
      await page.getByRole("link", { name: "The answer is wrong" }).click();
      const [, total] = /(\d+) matching results/.exec((await page.locator(".row-range").textContent()) ?? "") ?? [];
      const keys = await page.locator("#samples tbody a").allInnerTexts();
      expect(keys.length).toBe(Number(total));
      await openFirst(page);
      const list = page.getByRole("navigation", { name: "Samples of the filtered list" });
      await list.getByText(`1 of ${total}`, { exact: true }).waitFor();
      const heading = page.getByRole("heading", { level: 1 });
      for (const key of keys.slice(1)) {
        await page.keyboard.press("j");
        await heading.getByText(key, { exact: true }).waitFor();
      }
      expect(await page.getByRole("link", { name: "Next sample" }).count()).toBe(0);
      await list.getByText(`${total} of ${total}`, { exact: true }).waitFor();
      await page.keyboard.press("k");
      await heading.getByText(keys.at(-2) ?? "", { exact: true }).waitFor();
      await page.getByLabel("Use the keys J").uncheck();
      await page.keyboard.press("k");
      await page.reload();
      expect(await heading.textContent()).toBe(keys.at(-2) ?? "");
      await page.getByLabel("Use the keys J").check();
      await page.getByRole("link", { name: "Samples" }).click();
      await page.getByText(`${total} matching results`).waitFor();
    }));

  test("are linked from a group, which stays chosen in the list", () =>
    using({}, async (page) => {
      await page.goto(run("completed"));
      await page.getByRole("link", { name: "region 3", exact: true }).click();
      await page.getByText("5 matching results").waitFor();
      expect(await page.getByLabel("Group").inputValue()).toBe("region 3");
      await openFirst(page);
      await page.getByText("group region 3").waitFor();
      await page.getByRole("navigation", { name: "Samples of the filtered list" }).getByText("1 of 5").waitFor();
    }));

  test("show differences from the expected answer", () =>
    using({}, async (page) => {
      await page.goto(`${run("completed")}/samples?failure=wrong`);
      await openFirst(page);
      expect(await page.locator("del").allInnerTexts()).toEqual([expect.stringMatching(/^\d:30$/)]);
      expect(await page.locator("ins").allInnerTexts()).toEqual(["noon"]);
    }));

  test("in every order, next and previous visit all results once", async () => {
    const id = ids.repeated ?? "";
    for (const list of [
      {},
      { sort: "worst_first" },
      { sort: "slowest_first", passed: "false" },
      { tag: "prices" },
    ] as const) {
      const { data, total } = await pages.batchEvals.pageOfResults(PRINCIPAL, id, {
        ...list,
        page: 1,
        pageLength: 100,
      });
      expect(data.length).toBe(total);
      for (const [index, { id: result }] of data.entries()) {
        const { previous, next } = await pages.batchEvals.place(PRINCIPAL, id, result, list);
        expect({ previous, next }).toEqual({
          previous: data[index - 1]?.id ?? null,
          next: data[index + 1]?.id ?? null,
        });
      }
      const second = await pages.batchEvals.pageOfResults(PRINCIPAL, id, { ...list, page: 2, pageLength: 7 });
      expect(second.data.map((result) => result.id)).toEqual(data.slice(7, 14).map((result) => result.id));
    }
  });

  test("are downloaded in every format, with the filter of the list", () =>
    using({}, async (page) => {
      const save = async (name: string): Promise<string> => {
        const [file] = await Promise.all([
          page.waitForEvent("download"),
          page.getByRole("link", { name, exact: true }).click(),
        ]);
        return Bun.file(await file.path()).text();
      };
      await page.goto(run("completed"));
      for (const name of ["Report", "CSV", "Parquet", "JSONL", "JUnit", "Bundle"]) {
        expect((await save(name)).length).toBeGreaterThan(1000);
      }
      await page.goto(`${run("completed")}/samples?outcome=failed&sort=worst_first`);
      const lines = (await save("JSONL")).trimEnd().split("\n");
      expect(new Set(lines.map((line) => JSON.parse(line).passed))).toEqual(new Set([false]));
      expect(await page.getByRole("link", { name: "Bundle" }).count()).toBe(0);
    }));

  test("run no script and load nothing, whatever their text", async () => {
    const attack = `<img src=x onerror=alert(1)> <script>alert(1)</script>`;
    const id = await addRun({ samples: 2, name: attack, tags: [attack.slice(0, 60)] });
    await using({}, async (page) => {
      page.on("dialog", () => {
        throw new Error("A script ran.");
      });
      for (const path of [
        "/batch-evals",
        `/batch-evals/${id}`,
        `/batch-evals/${id}/samples`,
        `/batch-evals/new?run=${id}`,
      ]) {
        await page.goto(path);
      }
    });
  });
});

test("runs selected in the list are compared, and a filtered comparison has its own address", () =>
  using({}, async (page) => {
    await page.goto(`/batch-evals?dataset=${dataset.id}`);
    const row = page.getByRole("row", { name: /bakery, new prompt/ });
    expect(await row.getByText(`by ${editor.name}`, { exact: true }).count()).toBe(1);
    await page.getByLabel("Compare bakery, new prompt").check();
    await page.getByLabel("Compare bakery, completed").check();
    await page.getByRole("button", { name: "Compare selected runs" }).click();
    // The older run is the baseline.
    await page.getByRole("columnheader", { name: "bakery, completed (baseline)" }).waitFor();
    await page.getByRole("link", { name: /^Got better \(\d+\)$/ }).click();
    await page.locator("#samples-title").waitFor();
    const shown = await page.getByRole("region", { name: "Samples side by side" }).getByRole("row").count();
    await page.goto(page.url());
    expect(await page.getByRole("region", { name: "Samples side by side" }).getByRole("row").count()).toBe(shown);
    await page.getByRole("region", { name: "Samples side by side" }).getByRole("link").first().click();
    await page.getByRole("heading", { name: "Question" }).waitFor();
  }));

test("compared samples are found by a regular expression and by time, and shown by line and height", () =>
  using({ expectedStatuses: [422] }, async (page) => {
    const filter = (label: string, value: string) => page.getByLabel(label, { exact: true }).fill(value);
    const apply = () => page.getByRole("button", { name: "Filter" }).click();
    const table = page.getByRole("region", { name: "Samples side by side" });
    await page.goto(`/batch-evals/compare?runs=${ids.completed},${ids.shifted}&show=all`);
    await filter("Regular expression", "branch 1\\d open");
    await filter("Slower than (ms)", "700");
    await page.getByLabel("Mark different").selectOption("Lines");
    await page.getByLabel("Row height").selectOption("1 line");
    await apply();
    await page.getByText("7 samples", { exact: true }).waitFor();
    expect((await table.getByRole("row").first().getByRole("columnheader").allTextContents()).length).toBe(4);
    expect(await page.locator(".rows-1").count()).toBe(1);
    await page.goto(page.url());
    await page.getByText("7 samples", { exact: true }).waitFor();
    await filter("Regular expression", "(");
    await apply();
    await page.getByRole("alert").getByRole("link", { name: "This is not a valid RE2 regular expression" }).click();
    await page.locator("#pattern:focus").waitFor();
    expect(await page.getByLabel("Slower than (ms)").inputValue()).toBe("700");
  }));

test("samples are compared by the first criterion that both runs were scored on alike", () =>
  using({}, async (page) => {
    const path = `/batch-evals/compare?runs=${ids.completed},${ids.rescored}`;
    await page.goto(path);
    await page.getByText(/^The pass rates can't be compared\. No difference shown: the mean correctness is/).waitFor();
    expect(await page.getByLabel("Compare by").inputValue()).toBe("correctness by judge@1");
    await page.getByRole("link", { name: /^Got worse \([1-9]\d*\)$/ }).waitFor();
    await page.goto(`${path}&metric=verdict&show=better`);
    await page.getByRole("link", { name: "All (60)" }).waitFor();
    expect(await page.getByRole("link", { name: /^(Got|Changed)/ }).count()).toBe(0);
  }));

test("a run's disagreements are labelled one after another, before their scores are shown", () =>
  using({}, async (page) => {
    await page.goto(run("repeated"));
    await page.getByRole("link", { name: "Label up to 20 disagreements" }).click();
    const left = page.getByText(/\d+ answers left/);
    const before = Number.parseInt(/\d+/.exec((await left.textContent()) ?? "")?.[0] ?? "", 10);
    await page.getByRole("button", { name: "Skip" }).click();
    await page.getByText(`${before} answers left`).waitFor();
    await page.getByLabel("Passes", { exact: true }).check();
    await page.getByRole("button", { name: "Save and continue" }).click();
    await page.getByText(`${before - 1} answers left`).waitFor();
    await page.getByText("judge@1:").waitFor();
  }));

test("a baseline is what a run is compared with", () =>
  using({ expectedStatuses: [422] }, async (page) => {
    await page.goto(run("shifted"));
    await page.getByRole("link", { name: "Compare", exact: true }).click();
    await page.getByRole("link", { name: "Choose the run to compare it with" }).waitFor();
    await page.goto(run("completed"));
    await page.getByRole("button", { name: "Set as baseline" }).click();
    await page.getByText("This run is now the baseline").waitFor();
    await page.goto(run("shifted"));
    await page.getByRole("link", { name: "Compare", exact: true }).click();
    await page.getByText(/^No difference shown: the pass rate/).waitFor();
  }));

test("U6: without scripts, a run is checked, started, paused, resumed and cancelled, and a sample labelled", () =>
  using({ javaScript: false }, async (page) => {
    await page.goto(`/datasets/${dataset.id}`);
    await page.getByRole("link", { name: "Evaluate this dataset" }).click();
    await page.getByLabel("Name of the run").fill("Without scripts");
    await page.getByRole("button", { name: "Check" }).click();
    await page.getByText("60 samples", { exact: true }).waitFor();
    expect(await page.getByLabel("Name of the run").inputValue()).toBe("Without scripts");
    await page.getByRole("button", { name: "Start run" }).click();
    await page.getByText("Run started.").waitFor();
    for (const [button, notice] of [
      ["Pause", "Paused."],
      ["Resume", "Run resumed."],
      ["Cancel run", "Cancelled."],
    ] as const) {
      await page.getByRole("button", { name: button }).click();
      await page.getByText(notice).waitFor();
    }
    await page.goto(`${run("completed")}/samples`);
    await page.getByLabel("Failure").selectOption("wrong");
    await page.getByRole("button", { name: "Filter" }).click();
    await openFirst(page);
    await page.getByText("Add your label").click();
    await page.getByLabel("Does not pass").check();
    await page.getByRole("button", { name: "Save label" }).click();
    await page.getByText("Labels saved.").waitFor();
    await page.getByRole("link", { name: "Next sample" }).click();
    expect(page.url()).toContain("failure=wrong");
  }));

test("U2: with only the keyboard, a run is started and its failures are opened", () =>
  using({}, async (page) => {
    await page.goto("/batch-evals");
    await tabTo(page, /^New run$/);
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { level: 1, name: "New run" }).waitFor();
    await tabTo(page, /^Dataset$/);
    await page.keyboard.type("bakery");
    await tabTo(page, /^Start run$/);
    await page.keyboard.press("Enter");
    await page.getByText("Run started.").waitFor();
    await page.goto(run("completed"));
    await tabTo(page, /^The answer is wrong$/);
    await page.keyboard.press("Enter");
    await page.getByText("matching results").waitFor();
    await tabTo(page, /^branch-\d+$/);
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Question" }).waitFor();
    await tabTo(page, /^(Add|Change) your label$/);
  }));
