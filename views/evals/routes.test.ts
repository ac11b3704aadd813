import { afterAll, describe, expect, spyOn, test } from "bun:test";
import { LOCAL_ACTOR } from "../../gateway/keys/service";
import { startAsEditor } from "../../tests/browser/as-editor";
import { BAKERY, importRuns } from "../../tests/browser/evaluate";
import { sampleAnswer } from "../../tests/browser/rag-samples";
import { PRINCIPAL } from "../../tests/principal";
import { until } from "../../tests/until";

const { pages, headers, verify, open, post, evaluate, addTwins } = await startAsEditor();
afterAll(() => pages.stop());

test("the list counts passed results out of those with a verdict, not out of all results", async () => {
  await addTwins({ passed: null, scores: [] });
  const { html } = await open("/evals");
  expect(html).toContain("1 of 1 passed, 1 without a verdict");
});

test.each([
  ["/datasets/ds_nothing", "/datasets", "Go to datasets"],
  ["/evals/run_nothing", "/evals", "Go to evaluations"],
  ["/evals/new?run=run_nothing", "/evals", "Go to evaluations"],
])("the 404 page of %s links to the list and mentions no API route", async (path, list, button) => {
  const { status, html } = await open(path);
  expect(status).toBe(404);
  expect(html).toMatch(new RegExp(`<a class="button" href="${list}">\\s*${button}\\s*</a>`));
  expect(html).toMatch(/<p>[^<]*_nothing[^<]* not found\.<\/p>/);
  expect(html).not.toContain("/v1/");
});

test("a notice named like an inherited property is not shown", async () => {
  const { run, result } = await evaluate();
  for (const path of [`/evals/${run.id}`, `/evals/${run.id}/results/${result.id}`, "/datasets"]) {
    const { status, html } = await open(`${path}?done=constructor`);
    expect([path, status, html.includes("panel success")]).toEqual([path, 200, false]);
  }
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
  test("the list names the evaluator of every score, and the evaluators that count towards the verdict", async () => {
    await importRuns(pages, [
      { name: "Both decide", judge: "verdict" },
      { name: "One compares", judge: "comparison" },
    ]);
    const { html } = await open("/evals");
    const both = rowOf(html, "Both decide");
    expect(both).toContain("Not passed by judge@1 and reference@1");
    expect(both).toContain("judge@1 0.25 reference@1 0.97");
    expect(both).toContain("judge@1 0.33 reference@1 0.67");
    const one = rowOf(html, "One compares");
    expect(one).toContain("Passed by reference@1");
    expect(one).not.toContain("judge@1");
    expect(html.indexOf(">Correctness<")).toBeLessThan(html.indexOf(">Faithfulness<"));
    expect(html.indexOf(">Faithfulness<")).toBeLessThan(html.indexOf(">Hallucination<"));
  });

  test("each evaluator has its own overall score and verdict, with the criteria in the same order", async () => {
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

  test("the API returns a verdict and an overall score per evaluator, and none across evaluators", async () => {
    const [path = ""] = await importRuns(pages, [{ name: "API", judge: "comparison" }]);
    const { run, results } = await pages.evals.get(PRINCIPAL, path.slice("/evals/".length));
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

  test("claims name their evaluator, and the user can switch to the other evaluator's claims", async () => {
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

  test("the table of a run's results names the evaluator of every score", async () => {
    const [path = ""] = await importRuns(pages, [{ name: "Many", judge: "verdict", results: 2 }]);
    const { html } = await open(path);
    expect(html).toContain("Verdict by reference@1 and judge@1: all of them must pass.");
    expect(rowOf(html, "sample-001")).toContain("reference@1 0.97 judge@1 0.25 reference@1 0.67 judge@1 0.33");
  });

  test("the CSV says for each score whether it counts towards the verdict", async () => {
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

  test("the label page compares both evaluators with people once their results are labelled", async () => {
    const [path = ""] = await importRuns(pages, [{ name: "Labelled", judge: "verdict", results: 30 }]);
    const { results } = await pages.evals.get(PRINCIPAL, path.slice("/evals/".length), { limit: 100 });
    const principal = await verify();
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
  test("names evaluators in the same order in every row", async () => {
    const [asked = ""] = await importRuns(pages, [{ name: "Asked the other way", judge: "verdict" }]);
    const { run } = await evaluate({ sample: BAKERY, evaluators: ["judge@1", "reference@1"] });
    expect(asked).not.toBe(`/evals/${run.id}`);
    const { html } = await open("/evals?evaluator=judge%401");
    const orders = [...html.matchAll(/by (\S+ and [^<]+)</g)].map(([, names]) => names);
    expect(orders.length).toBeGreaterThan(1);
    expect(new Set(orders)).toEqual(new Set(["judge@1 and reference@1"]));
  });

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

test("the table of a run's results shortens a generated key, and the result's page shows it in full", async () => {
  const key = "0123456789abcdef".repeat(2);
  const keys = [key, "capital-of-france"];
  const [path = ""] = await importRuns(pages, [
    { name: "Keys", results: 2, change: (result, index) => Object.assign(result, { sample_key: keys[index] }) },
  ]);
  const { html } = await open(path);
  expect(html).toContain(`<span title="${key}">01234567…</span>`);
  expect(html).toContain(">capital-of-france</a>");
});

test("a label shows the name of its author's key and its value in words", async () => {
  const { run, result } = await evaluate();
  const principal = await verify();
  await pages.labels.add(principal, result.id, { metric: "correctness", value: 0 }, async () => {});
  const table = sectionOf((await open(`/evals/${run.id}`)).html, "Labels");
  expect(table).toContain("Correctness Does not pass editor of a test");
  expect(table).not.toContain(principal.keyId);
  const [label] = (await pages.labels.list({ allowedIndexes: undefined }, result.id, {})).data;
  expect([label?.labelled_by, label?.labelled_by_name]).toEqual([principal.keyId, "editor of a test"]);
});

test("a rejected evaluation form loads its choices once", async () => {
  const list = spyOn(pages.datasets, "list");
  try {
    expect((await post("/evals", { input: "", maxTokens: "x" })).status).toBe(422);
    expect(list).toHaveBeenCalledTimes(1);
  } finally {
    list.mockRestore();
  }
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

  test("say that the model is writing its answer when it does", async () => {
    pages.chat.reset();
    const steps = stepsOf({ output: "" });
    const before = pages.chat.asked;
    await until("the model was asked", () => pages.chat.asked > before);
    pages.chat.finish();
    expect(await steps).toContain("The model is writing its answer.");
  });
});

test("without scripts, the form redirects to the result, so that a reload does not send it again", async () => {
  pages.chat.reset();
  pages.chat.say("Ada.");
  pages.chat.finish();
  const form = { input: "Sent once?", references: "Ada", maxTokens: "8", seed: "0", evaluators: "reference@1" };
  const sent = await post("/evals", form);
  expect([sent.status, sent.location]).toEqual([303, expect.stringMatching(/^\/evals\/run_/)]);
  for (let load = 0; load < 2; load++) expect((await open(sent.location ?? "")).status).toBe(200);
  expect((await pages.evals.list(PRINCIPAL, { search: "Sent once?" })).data).toHaveLength(1);
});

test("an index can answer, and the run's page names it with its version, revision and search settings", async () => {
  expect((await open("/evals/new")).html).not.toContain("Answer from");
  pages.rag.reset();
  pages.rag.answer(sampleAnswer());
  expect((await open("/evals/new")).html).toMatch(/<option value="idx_handbook">\s*Staff handbook/);
  const form = {
    input: "How many days?",
    index: "idx_handbook",
    maxTokens: "64",
    seed: "0",
    evaluators: "reference@1",
  };
  const sent = await post("/evals", form);
  expect(sent.status).toBe(303);
  const { html } = await open(sent.location ?? "");
  expect(textOf(html)).toContain("Staff handbook , version 1, revision 14: hybrid, 5 passages, threshold 0.30");
  expect(textOf(html)).toContain("5 passages found, 3 read by the model");
  expect(textOf(html)).toMatch(/Context 1: [^.]*, score \d\.\d\d/);
  // The claims link to the passages.
  const passages = sampleAnswer().chunks.filter(({ context }) => context !== null);
  for (const number of passages.keys()) expect(html).toContain(`id="context-${number + 1}"`);
  expect(pages.rag.asked).toMatchObject({ index: "idx_handbook", question: "How many days?" });
  const again = await open(`/evals/new?run=${sent.location?.slice("/evals/".length)}`);
  expect(again.html).toMatch(/<option value="idx_handbook" selected="">/);
});

test("scoring again stops when the user's key is revoked", async () => {
  const { run } = await evaluate();
  // The judge does not answer in this test.
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
