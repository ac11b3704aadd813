import { afterAll, beforeEach, describe, expect, test } from "bun:test";
import { AppError } from "../../../lib/errors";
import { startAsEditor } from "../../../tests/browser/as-editor";
import { sampleCalibration } from "../../../tests/browser/quality-samples";
import { sampleVersion } from "../../../tests/browser/rag-samples";

const { pages, headers, open, post } = await startAsEditor();
afterAll(() => pages.stop());
beforeEach(() => {
  pages.rag.reset();
  pages.rag.builds = [sampleVersion({ version: 2, state: "ready" }), sampleVersion()];
});

const PATH = "/rag/idx_handbook/quality";
const QUESTIONS = "question,document\nHow many days?,leave.pdf\nWho won?,";

/** Sends the form with pasted questions, or with a file. */
const measure = async (fields: Record<string, string>, file?: File, more: Record<string, string> = {}) => {
  const body = new FormData();
  for (const [name, value] of Object.entries(fields)) body.append(name, value);
  if (file) body.append("file", file);
  const response = await fetch(pages.url + PATH, { method: "POST", headers: { ...headers, ...more }, body });
  return { status: response.status, html: await response.text() };
};

describe("the page", () => {
  test("asks for questions, and offers both versions and their comparison", async () => {
    const { html } = await open(`${PATH}?measure=1:2`);
    expect(html).toContain("Nothing measured yet");
    expect(html).toContain("Version 1 (active)");
    expect(html).toContain('<option value="1:2" selected="">Compare version 2 with version 1');
  });

  test("offers no choice if there is only one version", async () => {
    pages.rag.builds = [sampleVersion(), sampleVersion({ version: 2, state: "building" })];
    expect((await open(PATH)).html).not.toContain("What to measure");
  });

  test("of an index without documents says so", async () => {
    pages.rag.reset({ chunks: 0 });
    expect((await open(PATH)).html).toContain("This index has no searchable documents yet");
  });
});

describe("a measurement", () => {
  test("shows the figures with intervals, the curve and the suggested threshold, and keeps the questions", async () => {
    const { status, html } = await measure({ questions: QUESTIONS });
    expect(status).toBe(200);
    const questions = [
      { question: "How many days?", relevant: ["leave.pdf"] },
      { question: "Who won?", relevant: [] },
    ];
    expect(pages.rag.calls).toEqual([["calibrate", { questions, version: 1 }]]);
    for (const words of ["Version 1: 60 answerable questions, 40 unanswerable", "Recall at 5", "0.900", "<polyline"]) {
      expect(html).toContain(words);
    }
    const { suggested } = sampleCalibration();
    expect(html).toContain(`Use threshold ${suggested?.threshold}`);
    expect(html).toContain("How many days?,leave.pdf");
  });

  test("of a file shows the file's questions", async () => {
    const { html } = await measure({ questions: "" }, new File([`\ufeff${QUESTIONS}`], "questions.csv"));
    expect(pages.rag.calls).toHaveLength(1);
    expect(html).toContain("How many days?,leave.pdf");
  });

  test("returns only the result to a script", async () => {
    const { html } = await measure({ questions: QUESTIONS }, undefined, { "hx-request": "true" });
    expect(html).toStartWith("<section");
  });

  test("of two versions shows the verdict, the differences and the questions that changed", async () => {
    const { html } = await measure({ questions: QUESTIONS, measure: "1:2" });
    expect(pages.rag.calls).toMatchObject([["compare", { a: 1, b: 2 }]]);
    for (const words of [
      "Version 2 compared with version 1",
      "Version 2 is better",
      "Questions that changed",
      "Use version 2",
    ]) {
      expect(html).toContain(words);
    }
  });

  test("offers no threshold that is no better than the current one", async () => {
    const curve = [0.3, 0.4].map((threshold) => ({ threshold, false_answers: 0, false_refusals: 0 }));
    pages.rag.calibration = sampleCalibration({ curve, suggested: curve[1] });
    const { html } = await measure({ questions: QUESTIONS });
    expect(html).toContain("The suggested 0.40 does no better on these questions. Keep the current threshold.");
    expect(html).not.toContain("Use threshold");
  });

  test("with few questions of one kind says that the threshold is not reliable", async () => {
    pages.rag.calibration = sampleCalibration({ answerable: 60, unanswerable: 2 });
    const few = "A reliable threshold needs at least 50 questions of each kind. With 2, expect more errors";
    expect((await measure({ questions: QUESTIONS })).html).toContain(few);
    pages.rag.calibration = sampleCalibration({ answerable: 60, unanswerable: 50 });
    expect((await measure({ questions: QUESTIONS })).html).not.toContain("reliable threshold");
  });

  test("says why there is no threshold", async () => {
    pages.rag.calibration = sampleCalibration({ suggested: null, curve: [], unanswerable: 0 });
    expect((await measure({ questions: QUESTIONS })).html).toContain("To get a suggested threshold");
    pages.rag.calibration = sampleCalibration({ suggested: null, curve: [], score: null });
    expect((await measure({ questions: QUESTIONS })).html).toContain("A threshold can’t be applied to keyword search");
  });
});

describe("questions are refused, and kept", () => {
  test.each([
    ["", "Enter questions, or choose a file"],
    ["question,document\nWhen?,a.md", "Enter at least two questions"],
    ["question,document\n,a.md\n,b.md", "Line 2: the question is empty. Enter one. 1 more line also can’t be used."],
    [`question,document\n${"When?,a.md\n".repeat(1001)}`, "Enter at most 1,000 questions"],
  ])("%#", async (questions, problem) => {
    const { status, html } = await measure({ questions });
    expect(status).toBe(422);
    expect(html).toContain(problem);
    expect(html).toContain(questions.slice(0, 30));
    expect(pages.rag.calls).toEqual([]);
  });

  test("that name a document that the index doesn't have, with the line", async () => {
    pages.rag.refusal = new AppError("invalid_request", "No document has that name.", {
      param: "questions.1.relevant.0",
    });
    const { status, html } = await measure({ questions: QUESTIONS });
    expect(status).toBe(422);
    expect(html).toContain("Line 3: No document has that name.");
  });

  test("in a file that is too large", async () => {
    const { status, html } = await measure({ questions: "" }, new File(["a".repeat(300_000)], "questions.csv"));
    expect(status).toBe(422);
    expect(html).toContain("The file is larger than 256 KiB");
  });
});

test("the suggested threshold is applied to the index", async () => {
  const { location } = await post(`${PATH}/apply`, { score: "relevance", threshold: "0.52" });
  expect(location).toBe("/rag/idx_handbook?done=threshold");
  expect(pages.rag.all[0]?.retrieval.threshold).toEqual({ score: "relevance", value: 0.52 });
});

test("only editors can open the page", async () => {
  const { key } = await pages.newKey("member");
  const { cookie } = await pages.sessions.signIn(key);
  expect((await fetch(pages.url + PATH, { headers: { cookie: `groundwire=${cookie}` } })).status).toBe(403);
});
