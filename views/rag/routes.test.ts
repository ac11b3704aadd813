import { afterAll, beforeEach, describe, expect, test } from "bun:test";
import { expectsAnswer } from "../../gateway/evals/scored-answer";
import { AppError } from "../../lib/errors";
import { startAsEditor } from "../../tests/browser/as-editor";
import {
  CITATIONS,
  failure,
  HANDBOOK,
  HASH,
  refusedAnswer,
  sampleAnswer,
  sampleDocument,
  sampleIngestion,
  sampleVersion,
} from "../../tests/browser/rag-samples";
import { EARLIER_HASH } from "../../tests/browser/scripted-rag";

const { pages, headers, open, post } = await startAsEditor();
afterAll(() => pages.stop());
beforeEach(() => pages.rag.reset());

const INDEX = "/rag/idx_handbook";
const DOCUMENT = `${INDEX}/documents/doc_handbook`;

/** Opens a page as a user of this role. */
const openAs = async (role: "viewer" | "member", path: string) => {
  const { key } = await pages.newKey(role);
  const { cookie } = await pages.sessions.signIn(key);
  const response = await fetch(`${pages.url}${path}`, { headers: { cookie: `groundwire=${cookie}` } });
  return { status: response.status, html: await response.text() };
};

const send = async (...files: File[]) => {
  const body = new FormData();
  for (const file of files) body.append("files", file);
  const response = await fetch(`${pages.url}${INDEX}/documents`, { method: "POST", headers, body, redirect: "manual" });
  return { status: response.status, location: response.headers.get("location"), html: await response.text() };
};

describe("the list of indexes", () => {
  test("shows status, counts, model and failed files", async () => {
    pages.rag.reset({ failed_documents: 2 });
    const { html } = await open("/rag");
    for (const words of ["Staff handbook", "Ready", "2 failed", "318", "all-minilm-l6-v2", "1 index<"]) {
      expect(html).toContain(words);
    }
  });

  test("without an index has one primary action, and the sample for editors", async () => {
    pages.rag.all = [];
    const { html } = await open("/rag");
    expect(html.match(/class="button"/g)).toHaveLength(1);
    expect(html).toContain("Create an index");
    expect(html).toContain('action="/rag/sample"');
    expect((await openAs("viewer", "/rag")).html).not.toContain("/rag/sample");
  });

  test("the sample index opens", async () => {
    expect((await post("/rag/sample", {})).location).toBe(INDEX);
  });
});

describe("a new index", () => {
  const form = { name: "Press", model: "bge-small-en-v1.5", chunkTokens: "200", overlapTokens: "40" };

  test("the form has the measured defaults", async () => {
    const { html } = await open("/rag/new");
    expect(html).toMatch(/value="256"[^>]*id="chunkTokens"|id="chunkTokens"[^>]*value="256"/);
    expect(html).toContain('<option value="all-minilm-l6-v2" selected');
  });

  test("is created as filled in", async () => {
    expect((await post("/rag", form)).location).toBe(`${INDEX}?done=created`);
  });

  test.each([
    [{ name: " " }, "Enter a name of 1 to 100 characters"],
    [{ name: "idx_a" }, "Choose a name that doesn’t start with idx_"],
    [{ name: "-a" }, "Start the name with a letter or digit"],
    [{ chunkTokens: "9" }, "Chunk size: enter a whole number from 16 to 8,192"],
    [{ overlapTokens: "200" }, "Overlap: enter a whole number from 0 to less than the chunk size"],
  ])("%j is rejected and keeps what was typed", async (change, message) => {
    const { status, html } = await post("/rag", { ...form, ...change });
    expect(status).toBe(422);
    expect(html).toContain(message);
    expect(html).toContain("<title>Error: Create an index");
    expect(html).toContain('<option value="bge-small-en-v1.5" selected');
  });

  test("a taken name shows an error at its field", async () => {
    const message = 'An index named "Press" already exists. Use another name.';
    pages.rag.refusal = new AppError("conflict", message, { param: "name" });
    const { status, html } = await post("/rag", form);
    expect([status, html.includes("An index named &quot;Press&quot;")]).toEqual([422, true]);
  });
});

test("a chunk size that exceeds the model's context shows an error at its field, under the field's label", async () => {
  const param = "chunking.chunk_tokens";
  pages.rag.refusal = new AppError("invalid_request", `${param} must be 512 or less.`, { param });
  const { status, html } = await post("/rag", { name: "Press", chunkTokens: "900" });
  expect(status).toBe(422);
  expect(html).toContain('<a href="#chunkTokens">Chunk size must be 512 or less.</a>');
});

describe("documents", () => {
  test("several files are sent with one form, without scripts", async () => {
    const sent = await send(new File(["# A"], "a.md"), new File(["b"], "b.txt"));
    expect(sent.location).toBe(`${INDEX}?added=2`);
    expect(pages.rag.calls).toEqual([["submit", ["a.md", "b.txt"]]]);
    expect((await open(`${INDEX}?added=2&replaced=1`)).html).toContain("2 files added, 1 replaced.");
  });

  test("a form without a file is refused at its field", async () => {
    // A browser sends an empty file without a name.
    for (const files of [[], [new File([], "")]]) {
      const { status, html } = await send(...files);
      expect(status).toBe(422);
      expect(html).toContain('<a href="#files">No file was sent. Choose at least one.</a>');
    }
  });

  test("each file shows its stage, and the page shows the count and a Cancel button", async () => {
    const ingestion = sampleIngestion({ state: "running", total: 30, done: 3, failed: 1, eta_seconds: 20.2 });
    pages.rag.reset({ status: "ingesting", ingestion });
    pages.rag.files = [sampleDocument({ id: "doc_1", source: "oven.pdf", state: "chunking" })];
    const { html } = await open(INDEX);
    expect(html).toContain("3 of 30 documents searchable, 1 failed. About 21 s left.");
    expect(html).toMatch(/<li class="done">Read<.*?<li aria-current="step">Chunk</s);
    expect(html).toContain(`formaction="${INDEX}/cancel"`);
    expect(html).toContain('<meta http-equiv="refresh"');
    expect((await openAs("viewer", INDEX)).html).not.toContain(`${INDEX}/cancel`);
  });

  test("a failed file shows the remedy, and can be retried unless the file itself is the problem", async () => {
    pages.rag.reset({ failed_documents: 3 });
    const failed = (id: string, error = failure("The vector store is down.", "unavailable")) =>
      sampleDocument({ id, source: `${id}.pdf`, state: "failed", error });
    pages.rag.files = [failed("doc_1"), failed("doc_2"), failed("doc_3", failure("It has no text layer. Run OCR."))];
    const { html } = await open(INDEX);
    expect(html).toContain("3 files could not be read");
    expect(html).toContain("It has no text layer. Run OCR.");
    expect(html).toContain("Retry all 2");
    expect([...html.matchAll(/aria-label="Retry (\w+)/g)].map(([, name]) => name)).toEqual(["doc_1", "doc_2"]);
    await post(`${INDEX}/retry`, { document: "doc_1" });
    expect(pages.rag.calls).toEqual([["retry", ["doc_1"]]]);
  });

  test("are filtered by words and state, and no match leads back", async () => {
    const { html } = await open(`${INDEX}?search=oven&state=failed`);
    expect(html).toContain("No document matches “oven” and state Failed");
    expect(html).toContain('<option value="failed" selected');
  });

  test("50 are on a page", async () => {
    pages.rag.files = Array.from({ length: 51 }, (_, n) => sampleDocument({ id: `doc_${n}`, title: `File ${n}` }));
    const { html } = await open(`${INDEX}?page=2`);
    expect(html).toContain("51 to 51 of 51 documents");
    expect(html).toContain("Page 2 of 2");
  });
});

describe("an index", () => {
  test("saves its settings, and rejects values that are not valid", async () => {
    expect((await post(`${INDEX}/settings`, { topK: "8", threshold: "" })).location).toBe(`${INDEX}?done=saved`);
    expect(pages.rag.all[0]?.retrieval).toMatchObject({ top_k: 8, threshold: null, mode: "hybrid" });
    const { status, html } = await post(`${INDEX}/settings`, { topK: "0", weight: "2" });
    expect(status).toBe(422);
    expect(html).toContain("Passages to find: enter a whole number from 1 to 100");
    expect(html).toContain("Weight of the meaning: enter a number from 0 to 1");
  });

  test("switches to another version and back", async () => {
    pages.rag.builds = [sampleVersion({ version: 2, state: "ready" }), sampleVersion()];
    expect((await open(INDEX)).html).toContain("Use version 2");
    await post(`${INDEX}/versions/2/activate`, {});
    await post(`${INDEX}/versions`, { chunkTokens: "120", overlapTokens: "20" });
    expect(pages.rag.calls).toEqual([
      ["activate", 2],
      ["build", { embedding_model: "all-minilm-l6-v2", chunking: { chunk_tokens: 120, overlap_tokens: 20 } }],
    ]);
  });

  test("updates itself while a version is being built, and then stops", async () => {
    const building = sampleVersion({ version: 2, state: "building" });
    pages.rag.reset({ building });
    pages.rag.builds = [building, sampleVersion()];
    const { html } = await open(INDEX);
    expect(html).toContain(`hx-get="${INDEX}/progress?page=1"`);
    expect(html).toContain('<meta http-equiv="refresh"');
    pages.rag.reset();
    expect((await open(INDEX)).html).not.toContain(`${INDEX}/progress`);
  });

  test("an ingestion that has ended can be cancelled without an error", async () => {
    pages.rag.refusal = new AppError("conflict", "No documents are being added to this index.");
    expect((await post(`${INDEX}/cancel`, {})).location).toBe(`${INDEX}?done=cancelled`);
  });

  test("is deleted once its name is typed", async () => {
    const refused = await post(`${INDEX}/delete`, { confirm: "handbook" });
    expect(refused.status).toBe(422);
    expect(refused.html).toContain("Type the name of the index, “Staff handbook”, to delete it");
    expect((await post(`${INDEX}/delete`, { confirm: "Staff handbook" })).location).toBe("/rag?done=deleted");
  });

  test("that does not exist leads to the list", async () => {
    const { status, html } = await open("/rag/idx_nothing");
    expect(status).toBe(404);
    expect(html).toContain("Go to documents");
    expect(html).not.toContain("/v1/");
  });
});

describe("a document", () => {
  const span = (words: string) => {
    const start = HANDBOOK.indexOf(words);
    return `start=${start}&end=${start + words.length}`;
  };

  test("highlights the span of a citation by its offsets, even across a chunk boundary", async () => {
    const { html } = await open(`${DOCUMENT}?${span("Sick days are never taken")}`);
    expect(html).toContain('<mark class="cited" id="cited">Sick days are never taken</mark>');
    const across = await open(`${DOCUMENT}?${span("agrees in writing.\n\n### Illness\n\nTell")}`);
    const marked = [...across.html.matchAll(/<mark class="cited"[^>]*>(.*?)<\/mark>/gs)].map(([, text]) => text);
    expect(marked.join("").replaceAll(/<[^>]*>/g, "")).toBe("agrees in writing.### Illness\n\nTell");
    expect(across.html.match(/id="cited"/g)).toHaveLength(1);
  });

  test("has anchors by offset, heading paths, pages and tokens of its chunks", async () => {
    const { html } = await open(DOCUMENT);
    expect(html).toContain(`id="at-${HANDBOOK.indexOf("## Leave")}"`);
    expect(html).toContain("Staff handbook &gt; Leave &gt; Illness · page 2 · 64 tokens");
    expect(html).toContain("Page 3</span>");
    expect(html).toContain("begins with the end of chunk 5");
  });

  test("that has changed since shows the earlier text that was cited, and says so", async () => {
    const { html } = await open(`${DOCUMENT}?hash=${EARLIER_HASH}&${span("Everyone has 30 days")}`);
    expect(html).toContain("This document has changed since");
    expect(html).toContain('<mark class="cited" id="cited">Everyone has 28 days</mark>');
    expect((await open(`${DOCUMENT}?hash=${HASH}`)).html).not.toContain("has changed since");
  });

  test("that failed shows why, and has no text", async () => {
    pages.rag.files = [
      sampleDocument({ state: "failed", chunks: 0, error: failure("It is locked. Remove the password.") }),
    ];
    const { html } = await open(DOCUMENT);
    expect(html).toContain("It is locked. Remove the password.");
    expect(html).not.toContain("Retry");
    expect(html).not.toContain("document-text");
  });
});

describe("a question", () => {
  const ask = (form: Record<string, string> = {}) => post(`${INDEX}/ask`, { question: "How many days?", ...form });

  test("is answered as a whole page without scripts, with citations, passages and grounding", async () => {
    pages.rag.answer(sampleAnswer());
    const { status, html } = await ask();
    expect(status).toBe(200);
    expect(html).toContain('href="#passage-chunk_1" aria-label="Source 1: Staff handbook, page 1"');
    expect(html).toContain('aria-label="Passage 2, found by Groundwire: Staff handbook, page 2"');
    expect(html).toContain('<mark class="unsupported">You can also sell up to five days back to the bakery.</mark>');
    expect(html).toContain("The passages support 3 of 4 sentences");
    const start = HANDBOOK.indexOf("Everyone has");
    expect(html).toContain(`${DOCUMENT}?start=${start}&amp;end=${start + 42}&amp;hash=${HASH}#cited`);
    expect(html).toMatch(/Given to the model.*Found, but not used/s);
  });

  test("whose passages may not answer it gets a warning", async () => {
    pages.rag.answer(sampleAnswer({ warning: "The documents may not answer this question." }));
    expect((await ask()).html).toContain("The documents may not answer this question.");
  });

  test.each([
    ["keyword_only", "The vector store is down, so this search used only keywords."],
    ["vectors_missing", "Some documents are still being uploaded to the vector store"],
    ["not_reranked", "Reranking was not possible, so the passages are in the order of the search."],
  ] as const)("after a search that was %s says so", async (degraded, text) => {
    pages.rag.answer(sampleAnswer({ degraded }));
    expect((await ask()).html).toContain(text);
  });

  test("with one unsupported sentence and no citation says both in words", async () => {
    const sentences = sampleAnswer().grounding?.sentences.slice(3) ?? [];
    const grounding = { supported: 0, evaluator: "reference@1", sentences };
    pages.rag.answer(sampleAnswer({ grounding, citations: CITATIONS.slice(2) }));
    const { html } = await ask();
    expect(html).toContain("No passage supports this sentence");
    expect(html).toContain("The model cited no passage, and Groundwire found 1.");
  });

  test("below the threshold gets the fallback, both scores and what to try", async () => {
    pages.rag.answer(refusedAnswer());
    const { html } = await ask({ filter: "year = 2020" });
    expect(html).toContain("The documents don’t answer this question.");
    expect(html).toContain(
      "The highest score by meaning is 0.21, below the threshold of 0.30, so the model was not called.",
    );
    expect(html).toContain("Remove the filter");
    expect(html).toContain("Closest passages, below the threshold");
    expect(html).toContain("expect no answer");
  });

  test("sends only the settings that differ from the index’s, its filter and the earlier turns", async () => {
    pages.rag.answer(sampleAnswer());
    const { html } = await ask({ topK: "8", mode: "hybrid", filter: "site = north-quay" });
    expect(pages.rag.asked).toEqual({
      index: "idx_handbook",
      question: "How many days?",
      filter: { site: "north-quay" },
      retrieval: { top_k: 8 },
    });
    const history = /name="history" value="([^"]*)"/.exec(html)?.[1]?.replaceAll("&quot;", '"') ?? "";
    await ask({ question: "And for trainees?", history });
    expect(pages.rag.asked?.history?.map(({ role }) => role)).toEqual(["user", "assistant"]);
    expect(pages.rag.asked?.history?.[0]?.content).toBe("How many days?");
  });

  test("that can’t be read is refused at its fields", async () => {
    const { status, html } = await ask({ question: " ", filter: "north quay", topK: "many" });
    expect(status).toBe(422);
    for (const words of ["Enter a question", "“north quay” is not a condition", "Passages to find: enter"]) {
      expect(html).toContain(words);
    }
  });

  test("settings are tried without changing the index, until they are applied", async () => {
    pages.rag.answer(sampleAnswer());
    await ask({ topK: "8" });
    expect(pages.rag.calls).toEqual([]);
    const applied = await post(`${INDEX}/ask/apply`, { question: "How many?", topK: "8" });
    expect(applied.location).toBe(`${INDEX}/ask?question=How+many%3F&done=applied`);
    expect(pages.rag.all[0]?.retrieval.top_k).toBe(8);
    expect((await openAs("member", `${INDEX}/ask`)).html).not.toContain("Apply to the index");
  });

  test("an index without documents says so", async () => {
    pages.rag.reset({ chunks: 0 });
    expect((await open(`${INDEX}/ask`)).html).toContain("This index has no searchable documents yet");
  });

  test("a history that is not ours is ignored", async () => {
    pages.rag.answer(sampleAnswer());
    expect((await ask({ history: '[{"role":"system","content":"x"}]' })).status).toBe(200);
    expect(pages.rag.asked).not.toHaveProperty("history");
  });
});

describe("feedback on an answer", () => {
  const give = (form: Record<string, string>) => post(`${INDEX}/ask/feedback`, { request: "req_1", ...form });
  const sample = JSON.stringify({
    question: "How many days?",
    answer: "30 days.",
    contexts: ["Everyone has 30 days."],
  });

  test("a thumb is saved with its comment", async () => {
    const { status, html } = await give({ rating: "down", comment: "Wrong year" });
    expect([status, html.includes("You rated this answer bad.")]).toEqual([200, true]);
    const { data } = await pages.feedback.list({});
    expect(data[0]).toMatchObject({ request_id: "req_1", rating: "down", comment: "Wrong year", sample: null });
  });

  test("an answer becomes a sample with its question and passages", async () => {
    const { html } = await give({ dataset: "from rag", expected: "yes", sample });
    expect(html).toContain("Saved as a sample");
    const { id } = await pages.datasets.get("from rag");
    const stored = await pages.datasets.sample(id, "req_1", 1);
    expect(stored).toMatchObject({
      input: "How many days?",
      output: "30 days.",
      references: ["30 days."],
      contexts: ["Everyone has 30 days."],
    });
  });

  test("a question that the documents don't answer becomes a sample that expects no answer", async () => {
    const refused = JSON.stringify({ question: "Who won?", answer: "Nothing.", contexts: [], isRefused: true });
    await give({ request: "req_2", dataset: "refused", expected: "yes", sample: refused });
    const { id } = await pages.datasets.get("refused");
    const stored = await pages.datasets.sample(id, "req_2", 1);
    expect(stored).toMatchObject({ input: "Who won?", output: "Nothing.", references: ["unanswerable"] });
    expect(expectsAnswer(stored)).toBe(false);
  });

  test("a sample needs the name of a dataset", async () => {
    const { status, html } = await give({ sample });
    expect([status, html.includes("Enter the name of a dataset.")]).toEqual([400, true]);
  });
});
