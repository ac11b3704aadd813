import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { basename } from "node:path";
import type { Static } from "@sinclair/typebox";
import type { AnswerUpdate, ConversationWithMessages as Conversation } from "../../gateway/conversations/contract";
import type { RagAnswer, RagEvent } from "../../gateway/rag/contract";
import { packed, pdfOf, zipOf } from "../../gateway/rag/ingest/extract/test-files";
import { ADMIN_KEY, readEvents, Stack } from "../harness";
import {
  hasLabelledDocuments,
  listFiles,
  normalise,
  problemOfBadFile,
  type Question,
  readBadFile,
  readBadFiles,
  readFile,
  readMetadata,
  readQuestions,
} from "../labelled-documents";
import { RagClient } from "../rag-client";
import { until } from "../until";

// biome-ignore lint/suspicious/noExplicitAny: a response as a client sees it
type Json = any;

/** Documents and questions through all processes, with the default models. */
let stack: Stack;
let rag: RagClient;
beforeAll(async () => {
  stack = await Stack.start({ engine: "llama", workers: 1, env: { GROUNDWIRE_REQUESTS_PER_MINUTE: "1000000" } });
  rag = new RagClient(stack.url, ADMIN_KEY);
});
afterAll(() => stack?.stop());

const paragraph = (text: string, style = "") =>
  `<w:p><w:pPr>${style && `<w:pStyle w:val="${style}"/>`}</w:pPr><w:r><w:t>${text}</w:t></w:r></w:p>`;
const docxOf = (...paragraphs: string[]) =>
  zipOf([
    packed("word/document.xml", `<w:document><w:body>${paragraphs.join("")}</w:body></w:document>`),
    packed("word/styles.xml", '<w:styles><w:style w:styleId="H1"><w:name w:val="heading 1"/></w:style></w:styles>'),
  ]);
const line = (text: string, y = 700) => ({ x: 50, y, text });

const CAPTAIN = "The captain of the ferry to Alder Island is Martha Quill.";
const FILES = {
  "ferry.pdf": pdfOf([
    [line("Timetable of the island ferries, valid from May to September.")],
    [line(CAPTAIN), line("A ticket costs nine euros, and bicycles travel free.", 680)],
  ]),
  "bakery.docx": docxOf(
    paragraph("Bakery", "H1"),
    paragraph("The bakery on the harbour square opens at six and bakes rye bread on Fridays."),
  ),
  "museum.md": "# Museum\n\nThe museum of knots has eleven rooms. Children under twelve enter without a ticket.\n",
};

describe("a PDF, a DOCX and a Markdown file", () => {
  let index: string;
  let documents: Map<string, string>;
  beforeAll(async () => {
    index = await rag.createIndex();
  });

  const ask = async (body: object): Promise<RagEvent[]> => {
    const response = await stack.fetch("/v1/rag/query", { body: { index, stream: true, ...body } });
    expect(response.status).toBe(200);
    const events = await readEvents(response);
    expect(events.pop()).toBe("[DONE]");
    return events as RagEvent[];
  };
  /** The types of the events; repeated ones are merged. */
  const orderOf = (events: RagEvent[]) =>
    events.map(({ type }) => type).filter((type, at, types) => type !== types[at - 1]);
  const answerOf = (events: RagEvent[]): RagAnswer => {
    const last = events.at(-1);
    if (last?.type !== "done") throw new Error(`The last event is ${JSON.stringify(last)}.`);
    return last.answer;
  };

  test("of one form become searchable; the index shows their progress", async () => {
    const files = Object.entries(FILES).map(
      ([name, content]) => new File([content as string | Uint8Array<ArrayBuffer>], name),
    );
    const added = await rag.addFiles(index, files);
    expect([added.ingestion.state, added.ingestion.total]).toEqual(["queued", 3]);
    const done: number[] = [];
    const settled = await rag.settled(index, ({ ingestion }) => done.push(ingestion.done));
    expect(done).toEqual(done.toSorted((a, b) => a - b));
    expect(settled).toMatchObject({
      status: "ready",
      documents: 3,
      failed_documents: 0,
      ingestion: { state: "completed", total: 3, done: 3, failed: 0 },
    });
    const all = await rag.all(`/${index}/documents`);
    documents = new Map(all.map(({ source, id }) => [source, id]));
    expect([...documents.keys()].sort()).toEqual(["bakery.docx", "ferry.pdf", "museum.md"]);
  });

  test("answer a question as a stream, with citations that reproduce the document's text and page", async () => {
    const events = await ask({ question: "Who is the captain of the ferry to Alder Island?", seed: 1 });
    expect(orderOf(events)).toEqual(["retrieval", "token", "citations", "grounding", "done"]);
    const answer = answerOf(events);
    expect(answer).toMatchObject({ status: "answered", threshold: { passed: true } });
    expect(answer.chunks[0]?.text).toContain(CAPTAIN);
    expect(answer.citations).toContainEqual(
      expect.objectContaining({ page: 2, quote: expect.stringContaining(CAPTAIN) }),
    );
    expect(answer.sources.map(({ document_id }) => document_id)).toContain(documents.get("ferry.pdf") ?? "");
    for (const { document_id, document_hash, start, end, quote, page } of answer.citations) {
      const { text, pages } = await rag.read(`/${index}/documents/${document_id}/text?hash=${document_hash}`);
      expect(text.slice(start, end)).toBe(quote);
      const found = pages.findLastIndex((offset: number) => offset <= start) + 1;
      expect(page).toBe(pages.length === 0 ? null : found);
    }
    const texts = events.flatMap((event) => (event.type === "token" ? [event.text] : []));
    expect(texts.length).toBeGreaterThan(1);
  });

  test("that don't answer a question give the fallback text, without calling the model", async () => {
    const before = (await stack.nodeTokens()).output;
    const events = await ask({ question: "Who won the football world cup in 1998?" });
    expect(orderOf(events)).toEqual(["retrieval", "token", "done"]);
    expect(answerOf(events)).toMatchObject({
      status: "no_relevant_context",
      answer: "The documents don't answer this question.",
      model: null,
      usage: null,
      citations: [],
      threshold: { passed: false },
    });
    expect((await stack.nodeTokens()).output).toBe(before);
  });

  test("are evaluated as a batch run: scored on the passages found, and silent where they have no answer", async () => {
    const json = async (path: string, body?: object) => (await stack.fetch(path, { body })).json() as Promise<Json>;
    const samples = [
      { key: "captain", input: "Who is the captain of the ferry to Alder Island?", references: ["Martha Quill"] },
      { key: "bread", input: "When does the bakery bake rye bread?", references: ["On Fridays"] },
      { key: "cup", input: "Who won the football world cup in 1998?", references: ["unanswerable"] },
    ];
    await json("/v1/datasets", { name: "island", samples });
    const target = { kind: "rag", index, max_tokens: 48 };
    const { id } = await json("/v1/batch-evals", { dataset: "island", target, evaluators: ["reference@1"] });
    let run: Json;
    await until("the run has ended", async () => {
      run = await json(`/v1/batch-evals/${id}`);
      return run.ended_at !== null;
    });
    expect([run.state, run.progress.done, run.progress.errors]).toEqual(["completed", 3, 0]);
    expect(run.pins).toMatchObject({ index_revision: expect.any(Number), model_revision: expect.any(String) });
    const { data } = await json(`/v1/batch-evals/${id}/samples`);
    const results = new Map<string, Json>(data.map((result: Json) => [result.sample_key, result]));
    const captain = results.get("captain");
    expect(captain.output.contexts.join()).toContain(CAPTAIN);
    expect(captain.scores.map(({ metric, state }: Json) => [metric, state])).toEqual([
      ["correctness", "scored"],
      ["faithfulness", "scored"],
      ["hallucination", "scored"],
    ]);
    expect(results.get("bread").output.retrieval.chunks[0].document_id).toBe(documents.get("bakery.docx"));
    const { passed, output } = results.get("cup");
    expect([passed, output.status, output.retrieval.threshold.passed]).toEqual([true, "no_relevant_context", false]);
  });
});

describe("a conversation that uses an index", () => {
  test("answers from its documents, understands a follow-up question, and stays readable after a deletion", async () => {
    const index = await rag.createIndex();
    await rag.addFiles(index, [new File([FILES["ferry.pdf"] as Uint8Array<ArrayBuffer>], "ferry.pdf")]);
    await rag.settled(index);
    const json = async (path: string, body?: object) => {
      const response = await stack.fetch(`/v1/conversations${path}`, { body });
      expect([path, response.ok]).toEqual([path, true]);
      return response.json() as Promise<Record<string, string>>;
    };
    const { id } = await json("", { index });
    /** The states of the answer to a question. */
    const ask = async (content: string) => {
      const begun = await json(`/${id}/messages`, { content });
      const events = await readEvents(await stack.fetch(`/v1/conversations/${id}/messages/${begun.answer_id}/events`));
      return events as Static<typeof AnswerUpdate>[];
    };
    const states = await ask("Who is the captain of the ferry to Alder Island?");
    const steps = states.flatMap(({ detail }) => detail.evidence?.status ?? []);
    expect(steps.filter((step, at) => step !== steps[at - 1]).at(-1)).toBe("answered");
    expect(new Set(states.map(({ content }) => content)).size).toBeGreaterThan(1);
    const { citations } = states.at(-1)?.detail.evidence ?? { citations: [] };
    expect(citations).toContainEqual(
      expect.objectContaining({ page: 2, quote: expect.stringContaining("Martha Quill") }),
    );
    const followUp = (await ask("And what does a ticket for it cost?")).at(-1);
    expect(followUp?.detail.evidence?.chunks.map(({ text }) => text).join("\n")).toContain("nine euros");

    const before = (await (await stack.fetch(`/v1/conversations/${id}`)).json()) as Conversation;
    const [document] = await rag.all(`/${index}/documents`);
    await rag.delete(`/${index}/documents/${document.id}`);
    const after = (await (await stack.fetch(`/v1/conversations/${id}`)).json()) as Conversation;
    expect(after.messages.map(({ content }) => content)).toEqual(before.messages.map(({ content }) => content));
    expect(after.messages.at(-1)?.detail?.evidence).toMatchObject({ gone: [document.id], chunks: [] });
  });
});

/** Calls `work` for every item, a few at a time. Results are in the order of the items. */
const forEach = async <T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> => {
  const results: R[] = [];
  const left = items.entries();
  const lane = async () => {
    for (const [at, item] of left) results[at] = await work(item);
  };
  await Promise.all(Array.from({ length: 4 }, lane));
  return results;
};

describe.skipIf(!hasLabelledDocuments)("the labelled documents (not in the repository)", () => {
  test("that are bad get a clear error or the right text; the other files in the request are ingested", async () => {
    const index = await rag.createIndex();
    const bad = readBadFiles();
    await rag.addFiles(
      index,
      bad.map((each) => new File([readBadFile(each)], each.file)),
    );
    await rag.settled(index);
    const documents = new Map((await rag.all(`/${index}/documents`)).map((document) => [document.source, document]));
    const problems = await forEach(bad, async (each) => {
      const { id, error } = documents.get(basename(each.file)) ?? {};
      if (id === undefined) return `${each.file} is not listed`;
      const chunks = (await rag.all(`/${index}/documents/${id}/chunks`)).map(({ text }) => text);
      const problem = problemOfBadFile(each, error ? { error: error.message } : { chunks });
      return problem && `${each.file} ${problem}`;
    });
    expect(problems.filter((problem) => problem !== undefined)).toEqual([]);
  });

  test("have the quote of 95 % of the questions in the top 5, with the right page; offsets reproduce every chunk", async () => {
    const index = await rag.createIndex();
    const metadata = readMetadata();
    const fileOf = (name: string) => new File([readFile(name)], name);
    const plain = listFiles().filter((name) => !(name in metadata));
    await rag.addFiles(index, plain.map(fileOf));
    for (const [name, fields] of Object.entries(metadata)) await rag.addFiles(index, [fileOf(name)], fields);
    expect(await rag.settled(index)).toMatchObject({ documents: 41, failed_documents: 0 });

    const documents = await rag.all(`/${index}/documents`);
    const names = new Map<string, string>(documents.map(({ id, source }) => [id, source]));
    await forEach(documents, async ({ id }) => {
      const { text } = await rag.read(`/${index}/documents/${id}/text`);
      for (const chunk of await rag.all(`/${index}/documents/${id}/chunks`)) {
        expect(text.slice(chunk.start, chunk.end)).toBe(chunk.text);
      }
    });

    /** The chunks of the top 5 that have the quote and what belongs to it. */
    const find = async ({ question, filter, history, files, quote, also = [] }: Question) => {
      const body = { index, question, generate: false, ...(filter && { filter }), ...(history && { history }) };
      const { chunks } = (await rag.query(body)) as RagAnswer;
      const wanted = [quote ?? "", ...also].map(normalise);
      return chunks.filter(
        ({ document_id, text }) =>
          files.includes(names.get(document_id) ?? "") && wanted.every((each) => normalise(text).includes(each)),
      );
    };
    const questions = readQuestions();
    const results = await forEach(questions, async (question) => ({ question, found: await find(question) }));
    const answerable = results.filter(({ question }) => question.quote !== null);
    const missed = answerable.filter(({ found }) => found.length === 0).map(({ question }) => question.id);
    const paged = answerable.filter(({ question, found }) => question.page !== null && found.length > 0);
    const wrong = paged.filter(({ question, found }) => !found.some(({ page }) => page === question.page));
    console.log(
      `${questions.length} questions: quote in the top 5 for ${answerable.length - missed.length} of ${answerable.length} (not ${missed.join(", ")}); page right for ${paged.length - wrong.length} of ${paged.length}`,
    );
    expect(missed.length / answerable.length).toBeLessThanOrEqual(0.05);
    expect(wrong.length / paged.length).toBeLessThanOrEqual(0.02);
  });
});
