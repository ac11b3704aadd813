import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { Criterion, EvaluateRequest, Evaluation, SampleResult } from "../../gateway/evals/contract";
import { LOCAL_ACTOR } from "../../gateway/keys/service";
import { newId } from "../../lib/ids";
import { importRuns } from "../../tests/browser/evaluate";
import { type Pages, startPages } from "../../tests/browser/pages";
import { until } from "../../tests/until";

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

test("the list says how many of the results with a verdict passed, not of all results", async () => {
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
    const form = labelForm({ value: "1", failure: "constructor" });
    expect((await post(`/evals/${result.run_id}/results/${result.id}/labels`, form)).status).toBe(303);
    const { data } = await pages.labels.list(result.id, {});
    expect(data.map(({ failure }) => failure)).toEqual([null]);
  });
});

/** The fields of a label by one criterion. */
const labelForm = (label: Record<string, string>, metric = "correctness") =>
  Object.fromEntries(Object.entries(label).map(([field, text]) => [`${field}-${metric}`, text]));

describe("the labels of one form", () => {
  const add = (result: SampleResult, ...labels: Record<string, string>[]) =>
    post(`/evals/${result.run_id}/results/${result.id}/labels`, Object.assign({}, ...labels));
  const storedFor = async ({ id }: SampleResult) =>
    (await pages.labels.list(id, {})).data.map(({ metric, value, comment }) => [metric, value, comment]).toSorted();

  const criterion = (name: string): Criterion => ({
    name,
    description: `Is its ${name} good?`,
    scale: { min: 0, max: 1, step: 1 },
    direction: "higher_is_better",
    threshold: 1,
    weight: 1,
  });
  const judgeByTwo = () =>
    evaluate({
      sample: SAMPLE,
      rubric: { criteria: [criterion("tone"), criterion("style")] },
      evaluators: ["judge@1"],
    });

  test("are stored together, and one that stays the same isn't stored again", async () => {
    const { result } = await judgeByTwo();
    const tone = labelForm({ value: "1", failure: "", comment: "Friendly." }, "tone");
    const style = labelForm({ value: "1", failure: "", comment: "Short." }, "style");
    const blank = labelForm({ failure: "", comment: "" }, "style");
    expect((await add(result, tone, blank)).status).toBe(303);
    expect(await storedFor(result)).toEqual([["tone", 1, "Friendly."]]);
    expect((await add(result, tone, style)).status).toBe(303);
    expect((await add(result, tone, style)).status).toBe(303);
    expect(await storedFor(result)).toEqual([
      ["style", 1, "Short."],
      ["tone", 1, "Friendly."],
    ]);
  });

  test("are all kept when one has no value, and none is stored", async () => {
    const { result } = await judgeByTwo();
    const tone = labelForm({ value: "0", failure: "wrong", comment: "Kept: tone." }, "tone");
    const style = labelForm({ failure: "", comment: "Kept: style." }, "style");
    const { status, html } = await add(result, tone, style);
    expect(status).toBe(422);
    for (const text of ["Kept: tone.</textarea>", "Kept: style.</textarea>", "Choose a value"])
      expect(html).toContain(text);
    expect(html).toContain('<a href="#value-style">');
    expect(html).not.toContain('<a href="#value-tone">');
    expect(await storedFor(result)).toEqual([]);
  });

  test("keep a value that a form can't choose", async () => {
    const { result } = await judgeBy({
      name: "share",
      description: "How much of it is right?",
      scale: { min: 0, max: 1, step: null },
      direction: "higher_is_better",
      threshold: 0.5,
      weight: 1,
    });
    const principal = await pages.keys.verify(authorization);
    await pages.labels.add(principal, result.id, { metric: "share", value: 0.7 }, async () => {});
    expect((await add(result, labelForm({ failure: "", comment: "" }, "share"))).status).toBe(303);
    expect(await storedFor(result)).toEqual([["share", 0.7, null]]);
  });
});

describe("a label that is refused", () => {
  const typed = { failure: "wrong", comment: "Ada <said> so." };
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
    ["1.5", "value must be on the scale of correctness: 0 to 1."],
  ])("by its value %j keeps what was typed, on the page of a run of one result", async (value, problem) => {
    const { run, result } = await evaluate();
    const { status, html } = await post(
      `/evals/${result.run_id}/results/${result.id}/labels`,
      labelForm({ ...typed, value }),
    );
    expect(status).toBe(422);
    expectKept(html, problem);
    expect(html).toContain(run.id);
  });

  test("keeps what was typed where it was one of many results", async () => {
    const {
      run,
      ids: [id, other],
    } = await addTwins();
    const { status, html } = await post(`/evals/${run}/results/${id}/labels`, labelForm({ ...typed, value: "" }));
    expect(status).toBe(422);
    expectKept(html, "Choose a value");
    expect(html).toContain(`action="/evals/${run}/results/${id}/labels"`);
    expect(html).not.toContain(other);
  });

  test("keeps what was typed in the queue, and shows the same answer", async () => {
    const { result } = await evaluate();
    const { result: newer } = await evaluate();
    const send = (value: string) =>
      post("/evals/label", { metric: "correctness", result: result.id, ...labelForm({ ...typed, value }) });
    for (const [value, problem] of [
      ["", "Choose one, or skip this answer"],
      ["abc", "Choose one of the values"],
    ] as const) {
      const { status, html } = await send(value);
      expect(status).toBe(422);
      expectKept(html, problem);
      expect([html.includes(result.id), html.includes(newer.id)]).toEqual([true, false]);
    }
    // Also where the reader went back to an answer that is labelled.
    await send("1");
    expect((await send("")).html).toContain(result.id);
  });

  test("by the length of its comment is told so; line breaks count once, as in the browser", async () => {
    const { result } = await evaluate();
    const path = `/evals/${result.run_id}/results/${result.id}/labels`;
    const comment = "x\r\n".repeat(5000);
    const refused = await post(path, labelForm({ ...typed, value: "1", comment: `${comment}x` }));
    expect(refused.status).toBe(422);
    expect(refused.html).toMatch(/<textarea[^>]* aria-invalid="true"/);
    expect((await post(path, labelForm({ ...typed, value: "1", comment }))).status).toBe(303);
    const { data } = await pages.labels.list(result.id, {});
    expect(data.map((label) => label.comment)).toEqual(["x\n".repeat(5000)]);
  });

  test("for its comment says so there", async () => {
    const { result } = await evaluate();
    const key = await pages.newKey("editor");
    await pages.keys.update(LOCAL_ACTOR, key.id, { content_logging: false });
    const { cookie } = await pages.sessions.signIn(key.key);
    const unlogged = { cookie: `groundwire=${cookie}`, origin: pages.url };
    const form = labelForm({ ...typed, value: "0" });
    const { status, html } = await post(`/evals/${result.run_id}/results/${result.id}/labels`, form, unlogged);
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
    for (const result of [older, newer])
      await post("/evals/label", { metric: "rudeness", result, "value-rudeness": "0" });
    const end = await open(`${path}&before=${older}`);
    expect(end.html).toContain("You have labelled every answer");
    expect(end.html).not.toContain("Start again");
  });

  test("says in words what a label means", async () => {
    const { id } = (await judgeBy({ ...criterion, name: "malice" })).result;
    const { location } = await post("/evals/label", { metric: "malice", result: id, "value-malice": "1" });
    expect((await open(location ?? "")).html).toContain("Saved: Does not pass");
  });
});

/** Text of a part of a page, without its tags. */
const textOf = (html: string): string =>
  html
    .replaceAll(/<[^>]*>/g, " ")
    .replaceAll(/\s+/g, " ")
    .trim();
const rowOf = (html: string, name: string): string =>
  textOf(html.split("<tr>").find((row) => row.includes(`>${name}</a>`)) ?? "");
const sectionOf = (html: string, label: string): string =>
  textOf(html.split(`aria-label="${label}"`)[1]?.split("</section>")[0] ?? "");

describe("with two evaluators", () => {
  test("the list names the evaluator of every value, and those that the verdict counts", async () => {
    await importRuns(pages, [
      { name: "Both decide", judge: "verdict" },
      { name: "One compares", judge: "comparison" },
    ]);
    const { html } = await open("/evals");
    const both = rowOf(html, "Both decide");
    expect(both).toContain("Not passed by reference@1 and judge@1");
    expect(both).toContain("reference@1 0.97 judge@1 0.25");
    expect(both).toContain("reference@1 0.67 judge@1 0.33");
    const one = rowOf(html, "One compares");
    expect(one).toContain("Passed by reference@1");
    expect(one).not.toContain("judge@1");
    expect(html.indexOf(">Correctness<")).toBeLessThan(html.indexOf(">Faithfulness<"));
    expect(html.indexOf(">Faithfulness<")).toBeLessThan(html.indexOf(">Hallucination<"));
  });

  test("each has its own overall score and verdict, and the same order of criteria", async () => {
    const [path = ""] = await importRuns(pages, [{ name: "Overall", judge: "verdict" }]);
    const { html } = await open(path);
    expect(html).toContain("Verdict by reference@1 and judge@1: all of them must pass.");
    const reference = sectionOf(html, "Scores by reference@1");
    const judge = sectionOf(html, "Scores by judge@1");
    expect(reference).toMatch(
      /^> reference@1 Passed Overall 0\.82 Correctness 0\.97 .* Faithfulness 0\.67 .* Hallucination 0\.33/,
    );
    expect(judge).toMatch(
      /^> judge@1 on smollm2-135m-instruct Not passed Overall 0\.29 Correctness 0\.25 .* Faithfulness 0\.33 .* Hallucination 0\.67/,
    );
  });

  test("the API agrees: a verdict and an overall score per evaluator, none across evaluators", async () => {
    const [path = ""] = await importRuns(pages, [{ name: "API", judge: "comparison" }]);
    const { run, results } = await pages.evals.get(path.slice("/evals/".length));
    const [result] = results.data;
    expect(result?.verdicts).toEqual([
      { evaluator: "reference@1", role: "verdict", passed: true, overall: (0.97 + 2 / 3) / 2 },
      { evaluator: "judge@1", role: "comparison", passed: false, overall: (0.25 + 1 / 3) / 2 },
    ]);
    expect(result && "overall" in result).toBe(false);
    expect(run.statistics.map(({ metric, evaluator, shadow }) => [metric, evaluator, shadow])).toEqual(
      ["correctness", "faithfulness", "hallucination"].flatMap((metric) => [
        [metric, "reference@1", false],
        [metric, "judge@1", true],
      ]),
    );
  });

  test("an evaluator for comparison only is marked as such, and its scores are shown separately", async () => {
    const [path = ""] = await importRuns(pages, [{ name: "Compared", judge: "comparison" }]);
    const { html } = await open(path);
    expect(html).toContain("Verdict by reference@1. Comparison only: judge@1.");
    expect(html).not.toContain('aria-label="Scores by judge@1"');
    expect(sectionOf(html, "Scores excluded from the verdict")).toContain(
      "Correctness judge@1 on smollm2-135m-instruct Comparison only 0.25 Not passed",
    );
  });

  test("claims name their evaluator, and the reader can switch to the other's", async () => {
    const [path = ""] = await importRuns(pages, [{ name: "Claims", judge: "verdict" }]);
    const first = (await open(path)).html;
    expect(first).toContain("<h3>Claims by reference@1</h3>");
    expect(first.match(/<mark /g)).toHaveLength(3);
    expect(first).toContain(`href="${path}?claims=judge%401#answer-title"`);
    const second = (await open(`${path}?claims=judge%401`)).html;
    expect(second).toContain("<h3>Claims by judge@1</h3>");
    expect(second.match(/<mark /g)).toHaveLength(1);
    // An unknown evaluator shows the default one.
    expect((await open(`${path}?claims=nobody%401`)).html).toContain("<h3>Claims by reference@1</h3>");
  });

  test("the table of a run's results names the evaluator of every value", async () => {
    const [path = ""] = await importRuns(pages, [{ name: "Many", judge: "verdict", results: 2 }]);
    const { html } = await open(path);
    expect(html).toContain("Verdict by reference@1 and judge@1: all of them must pass.");
    expect(rowOf(html, "sample-001")).toContain("reference@1 0.97 judge@1 0.25 reference@1 0.67 judge@1 0.33");
  });

  test("the CSV says for each score whether the verdict counts it", async () => {
    const [path = ""] = await importRuns(pages, [{ name: "CSV", judge: "comparison" }]);
    const [header = "", ...lines] = (await open(`${path}/export?format=csv`)).html.trim().split("\r\n");
    const at = header.split(",").indexOf("in_verdict");
    expect(header).toContain("evaluator,metric,state,value,metric_passed,shadow,in_verdict,reason");
    expect(at).toBeGreaterThan(0);
    expect(
      lines.map((line) => /,(reference@1|judge@1),(\w+),scored,.*,(true|false),(true|false),/.exec(line)?.slice(1)),
    ).toEqual(
      ["correctness", "faithfulness", "hallucination"].flatMap((metric) => [
        ["reference@1", metric, "false", "true"],
        ["judge@1", metric, "true", "false"],
      ]),
    );
  });

  test("the label page compares both with people once their results are labelled", async () => {
    const [path = ""] = await importRuns(pages, [{ name: "Labelled", judge: "verdict", results: 30 }]);
    const { results } = await pages.evals.get(path.slice("/evals/".length), { limit: 100 });
    const principal = await pages.keys.verify(authorization);
    for (const [index, { id }] of results.data.entries()) {
      await pages.labels.add(principal, id, { metric: "faithfulness", value: index % 2 }, async () => {});
    }
    const table = sectionOf((await open("/evals/label?metric=faithfulness")).html, "Agreement with people");
    // reference@1 passes every answer and the judge none; people pass every second one.
    expect(table).toContain("reference@1 30 0.00 1.00 (0.80 to 1.00) 0.00 (0.00 to 0.20) 1.00");
    expect(table).toContain("judge@1 30 0.00 0.00 (0.00 to 0.20) 1.00 (0.80 to 1.00) 0.00");
  });
});

describe("the list of runs", () => {
  const names = (html: string): string[] =>
    [...html.matchAll(/<a href="\/evals\/run_[^"]*">([^<]*)<\/a>/g)].map(([, name]) => name ?? "");

  test("says which rows it shows, and links to the next and the previous page", async () => {
    await importRuns(
      pages,
      Array.from({ length: 102 }, (_, index) => ({ name: `Paged ${String(index).padStart(3, "0")}` })),
    );
    const first = (await open("/evals?q=Paged&sort=name")).html;
    expect(first).toContain("1 to 50 of 102 matching evaluations");
    expect(first).not.toContain("Previous page");
    expect(names(first)).toEqual(Array.from({ length: 50 }, (_, index) => `Paged ${String(index).padStart(3, "0")}`));
    const second = (await open("/evals?q=Paged&sort=name&page=2")).html;
    expect(second).toContain("51 to 100 of 102 matching evaluations");
    expect(second).toContain('rel="prev" href="/evals?q=Paged&amp;sort=name"');
    expect(second).toContain('rel="next" href="/evals?q=Paged&amp;sort=name&amp;page=3"');
    const last = (await open("/evals?q=Paged&sort=name&page=3")).html;
    expect(last).toContain("101 to 102 of 102 matching evaluations");
    expect(last).not.toContain("Next page");
    // Rows may have been deleted since the link was made.
    expect((await open("/evals?q=Paged&sort=name&page=99")).html).toContain("101 to 102 of 102");
    for (const page of ["0", "-1", "x", "1e9"])
      expect((await open(`/evals?q=Paged&page=${page}`)).html).toContain("1 to 50 of 102");
  }, 60_000);

  test("is sorted by its column headers, which show the order", async () => {
    const fail = (result: { passed: boolean | null; scores: unknown[] }) => {
      result.scores = [];
      result.passed = null;
    };
    await importRuns(pages, [
      { name: "Sorted b" },
      { name: "sorted A", judge: "verdict" },
      { name: "Sorted c", change: fail },
    ]);
    const sorted = async (sort: string) => (await open(`/evals?q=sorted&sort=${sort}`)).html;
    expect(names(await sorted("name"))).toEqual(["sorted A", "Sorted b", "Sorted c"]);
    expect(names(await sorted("-name"))).toEqual(["Sorted c", "Sorted b", "sorted A"]);
    // Runs without a verdict come last in both directions.
    expect(names(await sorted("verdict"))).toEqual(["sorted A", "Sorted b", "Sorted c"]);
    expect(names(await sorted("-verdict"))).toEqual(["Sorted b", "sorted A", "Sorted c"]);
    const html = await sorted("name");
    expect(html).toMatch(/<th scope="col" aria-sort="ascending"><a href="\/evals\?q=sorted&amp;sort=-name">Name<\/a>/);
    expect(html.match(/aria-sort/g)).toHaveLength(1);
    expect(html).toContain('<input type="hidden" name="sort" value="name"/>');
    expect(await sorted("-name")).toContain('aria-sort="descending"><a href="/evals?q=sorted&amp;sort=name">Name');
    // Newest first by default, and for an unknown column.
    for (const sort of ["", "cost", "constructor"]) {
      expect(await sorted(sort)).toMatch(/aria-sort="descending"><a href="\/evals\?q=sorted&amp;sort=when">When/);
    }
  });
});

test("the results of a run are sorted and paged", async () => {
  const fail = (result: { scores: { value: number | null }[] }, index: number) => {
    if (index === 59) result.scores = result.scores.map((score) => ({ ...score, value: 0 }));
  };
  const [path = ""] = await importRuns(pages, [{ name: "Sixty", results: 60, change: fail as never }]);
  expect((await open(path)).html).toContain("1 to 50 of 60 results");
  const { html } = await open(`${path}?page=2`);
  expect(html).toContain("51 to 60 of 60 results");
  expect(rowOf(html, "sample-060")).toContain("Not passed");
  const [first] = /sample-\d{3}(?=<\/a>)/.exec((await open(`${path}?sort=verdict`)).html) ?? [];
  expect(first).toBe("sample-060");
});

test("a label shows the name of its author's key and the words of its scale", async () => {
  const { run, result } = await evaluate();
  const principal = await pages.keys.verify(authorization);
  await pages.labels.add(principal, result.id, { metric: "correctness", value: 0 }, async () => {});
  const table = sectionOf((await open(`/evals/${run.id}`)).html, "Labels");
  expect(table).toContain("Correctness Does not pass editor of a test");
  expect(table).not.toContain(principal.keyId);
  const [label] = (await pages.labels.list(result.id, {})).data;
  expect([label?.labelled_by, label?.labelled_by_name]).toEqual([principal.keyId, "editor of a test"]);
});

describe("the steps of an evaluation", () => {
  const form = { input: "Which step?", references: "Ada", maxTokens: "8", seed: "0", evaluators: "reference@1" };
  const stepsOf = async (fields: Record<string, string>): Promise<string[]> => {
    const { html } = await post("/evals", { ...form, ...fields }, { ...headers, "hx-request": "true" });
    return [...html.matchAll(/role="status"[^>]*>([^<]*)</g)].map(([, step]) => step?.trim() ?? "");
  };

  test("of a given answer never say that the model is writing one", async () => {
    const steps = await stepsOf({ output: "Ada." });
    expect(steps.at(-1)).toBe("Scored.");
    expect(steps.filter((step) => step.includes("writing"))).toEqual([]);
  });

  test("say so when the model answers", async () => {
    pages.chat.reset();
    const steps = stepsOf({ output: "" });
    const before = pages.chat.asked;
    await until("the model was asked", () => pages.chat.asked > before);
    pages.chat.finish();
    expect(await steps).toContain("The model is writing its answer.");
  });
});

test("without scripts the form redirects to the result, so that a reload does not send it again", async () => {
  pages.chat.reset();
  pages.chat.say("Ada.");
  pages.chat.finish();
  const form = { input: "Sent once?", references: "Ada", maxTokens: "8", seed: "0", evaluators: "reference@1" };
  const sent = await post("/evals", form);
  expect([sent.status, sent.location]).toEqual([303, expect.stringMatching(/^\/evals\/run_/)]);
  for (let load = 0; load < 2; load++) expect((await open(sent.location ?? "")).status).toBe(200);
  expect((await pages.evals.list({ search: "Sent once?" })).data).toHaveLength(1);
});

test("scoring again ends with the key of its reader", async () => {
  const { run } = await evaluate();
  // The judge says nothing until it is told to.
  pages.chat.reset();
  const { id, key } = await pages.newKey("editor");
  const { cookie } = await pages.sessions.signIn(key);
  const { asked } = pages.chat;
  const scored = post(
    `/evals/${run.id}/recompute`,
    { evaluator: "judge@1" },
    { ...headers, cookie: `groundwire=${cookie}` },
  );
  await until("the judge is asked", () => pages.chat.asked > asked);
  await pages.keys.revoke(LOCAL_ACTOR, id);
  expect((await scored).status).toBe(401);
});
