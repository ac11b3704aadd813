import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { Criterion, EvaluateRequest, Evaluation, SampleResult } from "../../gateway/evals/contract";
import { newId } from "../../gateway/ids";
import { LOCAL_ACTOR } from "../../gateway/keys/service";
import { type Pages, startPages } from "../../tests/browser/pages";

let pages: Pages;
let authorization: string;
let headers: Record<string, string>;
beforeAll(async () => {
  pages = await startPages();
  const { key } = await pages.newKey("editor");
  const { cookie } = await pages.sessions.signIn(key);
  authorization = `Bearer ${key}`;
  headers = { cookie: `groundwire=${cookie}`, origin: pages.url };
});
afterAll(() => pages.stop());

const open = async (path: string) => {
  const response = await fetch(`${pages.url}${path}`, { headers });
  return { status: response.status, html: await response.text() };
};
const post = async (path: string, form: Record<string, string>, as = headers) => {
  const body = new URLSearchParams(form);
  const response = await fetch(`${pages.url}${path}`, { method: "POST", headers: as, body, redirect: "manual" });
  return { status: response.status, location: response.headers.get("location"), html: await response.text() };
};

const SAMPLE = { input: "When does it open?", references: ["at 6:30"], output: "It opens at 6:30." };

const evaluate = async (request: EvaluateRequest = { sample: SAMPLE }): Promise<Evaluation> => {
  pages.chat.reset();
  pages.chat.finish();
  const principal = await pages.keys.verify(authorization);
  const directives = { noCache: false, noStore: false, onlyIfCached: false };
  const { signal } = new AbortController();
  const call = { principal, requestId: "req_1", signal, priority: "interactive", directives, receivedAt: 0 } as const;
  return pages.evals.evaluate(call, request);
};

/** By a criterion of one's own. The judge can't be read: the script is empty. */
const judgeBy = (criterion: Criterion): Promise<Evaluation> =>
  evaluate({ sample: SAMPLE, rubric: { criteria: [criterion] }, evaluators: ["judge@1"] });

/** Takes in a run of two results that are alike but for their ids, and what `change` makes of the second. */
const addTwins = async (change: Partial<SampleResult> = {}) => {
  const file = await pages.evalTransfer.export((await evaluate()).run.id);
  const run = { ...file.run, id: newId("run") };
  const ids: [string, string] = [newId("res"), newId("res")];
  const results = file.results.flatMap(({ sample, result }) =>
    ids.map((id, index) => ({
      sample,
      result: { ...result, id, run_id: run.id, sample_key: id, ...(index === 1 && change) },
    })),
  );
  const principal = await pages.keys.verify(authorization);
  await pages.evalTransfer.import(principal, { ...file, run, results }, async () => {});
  return { run: run.id, ids };
};

test("the history tells of many results how many of those that were judged passed, not of all", async () => {
  await addTwins({ passed: null, scores: [] });
  const { html } = await open("/evals");
  expect(html).toContain("1 of 1 passed, 1 without a verdict");
});

describe("names that every object inherits", () => {
  test("are no notice", async () => {
    const { run, result } = await evaluate();
    for (const path of [`/evals/${run.id}`, `/evals/${run.id}/results/${result.id}`, "/datasets"]) {
      const { status, html } = await open(`${path}?done=constructor`);
      expect([path, status, html.includes("panel success")]).toEqual([path, 200, false]);
    }
  });

  test("are no kind of failure", async () => {
    const { result } = await evaluate();
    const form = { metric: "correctness", value: "1", failure: "constructor" };
    expect((await post(`/evals/results/${result.id}/labels`, form)).status).toBe(303);
    const { data } = await pages.labels.list(result.id, {});
    expect(data.map(({ failure }) => failure)).toEqual([null]);
  });
});

describe("a label that is refused", () => {
  const typed = { metric: "correctness", failure: "wrong", comment: "Ada <said> so." };
  const expectKept = (html: string, problem: string) => {
    expect(html).toContain("<title>Error: ");
    expect(html).toContain(`<a href="#value-correctness">${problem}</a>`);
    expect(html).toMatch(/<fieldset[^>]* id="value-correctness"[^>]* aria-invalid="true"/);
    expect(html).toContain(`id="value-correctness-problem">${problem}</p>`);
    expect(html).toContain("Ada &lt;said&gt; so.</textarea>");
    expect(html).toContain('<option value="wrong" selected="">');
  };

  test.each([
    ["", "Choose a value"],
    ["abc", "Choose one of the values"],
    ["1.5", "value must lie on the scale of correctness: 0 to 1."],
  ])("by its value %j keeps what was typed, on the page of a run of one result", async (value, problem) => {
    const { run, result } = await evaluate();
    const { status, html } = await post(`/evals/results/${result.id}/labels`, { ...typed, value });
    expect(status).toBe(422);
    expectKept(html, problem);
    expect(html).toContain(run.id);
  });

  test("keeps what was typed where it was one of many results", async () => {
    const {
      ids: [id, other],
    } = await addTwins();
    const { status, html } = await post(`/evals/results/${id}/labels`, { ...typed, value: "" });
    expect(status).toBe(422);
    expectKept(html, "Choose a value");
    expect(html).toContain(`action="/evals/results/${id}/labels"`);
    expect(html).not.toContain(other);
  });

  test("keeps what was typed in the queue, and shows the same answer", async () => {
    const { result } = await evaluate();
    const { result: newer } = await evaluate();
    const form = { ...typed, result: result.id };
    for (const [value, problem] of [
      ["", "Choose one, or skip this answer"],
      ["abc", "Choose one of the values"],
    ] as const) {
      const { status, html } = await post("/evals/label", { ...form, value });
      expect(status).toBe(422);
      expectKept(html, problem);
      expect([html.includes(result.id), html.includes(newer.id)]).toEqual([true, false]);
    }
    // Also where the reader went back to an answer that is labelled.
    await post("/evals/label", { ...form, value: "1" });
    expect((await post("/evals/label", { ...form, value: "" })).html).toContain(result.id);
  });

  test("by the length of its comment is told so; line breaks count once, as in the browser", async () => {
    const { result } = await evaluate();
    const path = `/evals/results/${result.id}/labels`;
    const comment = "x\r\n".repeat(5000);
    const refused = await post(path, { ...typed, value: "1", comment: `${comment}x` });
    expect(refused.status).toBe(422);
    expect(refused.html).toMatch(/<textarea[^>]* aria-invalid="true"/);
    expect((await post(path, { ...typed, value: "1", comment })).status).toBe(303);
    const { data } = await pages.labels.list(result.id, {});
    expect(data.map((label) => label.comment)).toEqual(["x\n".repeat(5000)]);
  });

  test("for its comment says so there", async () => {
    const { result } = await evaluate();
    const key = await pages.newKey("editor");
    await pages.keys.update(LOCAL_ACTOR, key.id, { contentLogging: false });
    const { cookie } = await pages.sessions.signIn(key.key);
    const unlogged = { cookie: `groundwire=${cookie}`, origin: pages.url };
    const form = { ...typed, value: "0" };
    const { status, html } = await post(`/evals/results/${result.id}/labels`, form, unlogged);
    expect(status).toBe(422);
    expect(html).toMatch(/<textarea[^>]* aria-invalid="true"/);
    expect(html).toContain("Send the label without a comment.");
    expect(html).toMatch(/<input type="radio"[^>]* value="0" checked=""/);
  });
});

describe("the queue", () => {
  const criterion: Criterion = {
    name: "rudeness",
    description: "Is the answer rude?",
    scale: { min: 0, max: 1, step: 1 },
    direction: "lower_is_better",
    threshold: 0,
    weight: 1,
  };
  const path = "/evals/label?metric=rudeness";

  test("tells who skipped answers from who labelled all of them", async () => {
    const [older, newer] = [(await judgeBy(criterion)).result.id, (await judgeBy(criterion)).result.id];
    expect((await open(path)).html).toContain(newer);
    const skipped = await post("/evals/label", { metric: "rudeness", result: older, skip: "" });
    const { html } = await open(skipped.location ?? "");
    expect(html).toContain("You have skipped 2 answers.");
    expect(html).toContain(`<a href="${path}">Start again</a>`);
    expect(html).not.toContain("You have labelled every answer");
    for (const result of [older, newer]) await post("/evals/label", { metric: "rudeness", result, value: "0" });
    const end = await open(`${path}&before=${older}`);
    expect(end.html).toContain("You have labelled every answer");
    expect(end.html).not.toContain("Start again");
  });

  test("says in words what a label means", async () => {
    const { id } = (await judgeBy({ ...criterion, name: "malice" })).result;
    const { location } = await post("/evals/label", { metric: "malice", result: id, value: "1" });
    expect((await open(location ?? "")).html).toContain("Saved: 1, does not pass");
  });
});
