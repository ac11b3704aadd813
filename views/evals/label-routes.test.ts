import { afterAll, describe, expect, test } from "bun:test";
import type { Criterion, SampleResult } from "../../gateway/evals/contract";
import { LOCAL_ACTOR } from "../../gateway/keys/service";
import { startAsEditor } from "../../tests/browser/as-editor";

const { pages, verify, open, post, evaluate, judgeBy, addTwins } = await startAsEditor();
afterAll(() => pages.stop());

/** The form fields of a label for one criterion. */
const labelForm = (label: Record<string, string>, metric = "correctness") =>
  Object.fromEntries(Object.entries(label).map(([field, text]) => [`${field}-${metric}`, text]));

test("a form can't set the name of an inherited property as the failure kind", async () => {
  const { result } = await evaluate();
  const form = labelForm({ value: "1", failure: "constructor" });
  expect((await post(`/evals/${result.run_id}/results/${result.id}/labels`, form)).status).toBe(303);
  const { data } = await pages.labels.list({ allowedIndexes: undefined }, result.id, {});
  expect(data.map(({ failure }) => failure)).toEqual([null]);
});

describe("the labels of one form", () => {
  const add = (result: SampleResult, ...labels: Record<string, string>[]) =>
    post(`/evals/${result.run_id}/results/${result.id}/labels`, Object.assign({}, ...labels));
  const storedFor = async ({ id }: SampleResult) =>
    (await pages.labels.list({ allowedIndexes: undefined }, id, {})).data
      .map(({ metric, value, comment }) => [metric, value, comment])
      .toSorted();

  const criterion = (name: string): Criterion => ({
    name,
    description: `Is its ${name} good?`,
    scale: { min: 0, max: 1, step: 1 },
    direction: "higher_is_better",
    threshold: 1,
    weight: 1,
  });
  const judgeByTwo = () => judgeBy(criterion("tone"), criterion("style"));

  test("are stored together, and an unchanged label isn't stored again", async () => {
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

  test("are all kept in the form, and none is stored, if one has no value", async () => {
    const { result } = await judgeByTwo();
    const tone = labelForm({ value: "0", failure: "wrong", comment: "Kept: tone." }, "tone");
    const style = labelForm({ failure: "", comment: "Kept: style." }, "style");
    const { status, html } = await add(result, tone, style);
    expect(status).toBe(422);
    for (const text of ["Kept: tone.</textarea>", "Kept: style.</textarea>"]) expect(html).toContain(text);
    expect(html).toContain('<a href="#value-style">Style: choose a value</a>');
    for (const label of ["Tone: failure kind", "Style: failure kind", "Tone: comment", "Style: comment"])
      expect(html).toContain(`>${label}</label>`);
    expect(html).not.toContain('<a href="#value-tone">');
    expect(await storedFor(result)).toEqual([]);
  });

  test("keep a stored value that the form does not offer", async () => {
    const { result } = await judgeBy({
      name: "share",
      description: "How much of it is right?",
      scale: { min: 0, max: 1, step: null },
      direction: "higher_is_better",
      threshold: 0.5,
      weight: 1,
    });
    const principal = await verify();
    await pages.labels.add(principal, result.id, { metric: "share", value: 0.7 }, async () => {});
    expect((await add(result, labelForm({ failure: "", comment: "" }, "share"))).status).toBe(303);
    expect(await storedFor(result)).toEqual([["share", 0.7, null]]);
  });
});

describe("a label that is rejected", () => {
  const typed = { failure: "wrong", comment: "Ada <said> so." };
  const expectKept = (html: string, problem: string) => {
    expect(html).toContain("<title>Error: ");
    expect(html).toContain(`<a href="#value-correctness">${problem}</a>`);
    expect(html).toMatch(
      /<fieldset[^>]* aria-invalid="true" aria-describedby="value-correctness-hint value-correctness-problem"/,
    );
    expect(html).toMatch(/<input type="radio"[^>]* id="value-correctness"/);
    expect(html).toContain(`id="value-correctness-problem">${problem}</p>`);
    expect(html).toContain("Ada &lt;said&gt; so.</textarea>");
    expect(html).toContain('<option value="wrong" selected="">');
  };

  test.each([
    ["", "Choose a value"],
    ["abc", "Choose one of the values"],
    ["1.5", "value must be on the scale of correctness: 0 to 1."],
  ])("because of the value %j keeps what was typed, on the page of a run with one result", async (value, problem) => {
    const { run, result } = await evaluate();
    const { status, html } = await post(
      `/evals/${result.run_id}/results/${result.id}/labels`,
      labelForm({ ...typed, value }),
    );
    expect(status).toBe(422);
    expectKept(html, problem);
    expect(html).toContain(run.id);
  });

  test("because it passes and has a failure kind shows the error at the failure kind", async () => {
    const { result } = await evaluate();
    const form = labelForm({ ...typed, value: "1" });
    const { status, html } = await post(`/evals/${result.run_id}/results/${result.id}/labels`, form);
    expect(status).toBe(422);
    expect(html).toContain(
      '<a href="#failure-correctness">An answer that passes can’t have a failure kind. Choose “Not specified”</a>',
    );
    expect(html).toContain('<option value="wrong" selected="">');
    expect((await pages.labels.list({ allowedIndexes: undefined }, result.id, {})).data).toEqual([]);
  });

  test("keeps what was typed on the page of one of several results", async () => {
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
    // The same applies if the user goes back to a labelled answer.
    await send("0");
    expect((await send("")).html).toContain(result.id);
  });

  test("because of a long comment shows the error at the comment, and counts a line break as one character, as browsers do", async () => {
    const { result } = await evaluate();
    const path = `/evals/${result.run_id}/results/${result.id}/labels`;
    const comment = "x\r\n".repeat(5000);
    const refused = await post(path, labelForm({ ...typed, value: "0", comment: `${comment}x` }));
    expect(refused.status).toBe(422);
    expect(refused.html).toMatch(/<textarea[^>]* aria-invalid="true"/);
    expect((await post(path, labelForm({ ...typed, value: "0", comment }))).status).toBe(303);
    const { data } = await pages.labels.list({ allowedIndexes: undefined }, result.id, {});
    expect(data.map((label) => label.comment)).toEqual(["x\n".repeat(5000)]);
  });

  test("because comments with this key must not be stored shows the error at the comment", async () => {
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

  test("distinguishes users who skipped answers from those who labelled them all", async () => {
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

  test("shows the criterion's question once, above its choices", async () => {
    await judgeBy({ ...criterion, name: "spite", description: "Is the answer spiteful?" });
    const { html } = await open("/evals/label?metric=spite");
    expect(html.split("Is the answer spiteful?")).toHaveLength(2);
    expect(html).toContain('<p class="hint" id="value-spite-hint">Is the answer spiteful?</p>');
  });

  test("confirms a label in words", async () => {
    const { id } = (await judgeBy({ ...criterion, name: "malice" })).result;
    const { location } = await post("/evals/label", { metric: "malice", result: id, "value-malice": "1" });
    expect((await open(location ?? "")).html).toContain("Saved: Does not pass");
  });
});
