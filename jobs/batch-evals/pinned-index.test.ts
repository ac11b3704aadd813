import { expect, test } from "bun:test";
import type { Call } from "../../gateway/call";
import type { RunPins } from "../../gateway/evals/contract";
import type { IndexQuestion } from "../../gateway/evals/target";
import type { RagAnswer } from "../../gateway/rag/contract";
import { DEFAULT_RETRIEVAL } from "../../gateway/rag/indexes/defaults";
import type { OpenIndex } from "../../gateway/rag/query/retrieve";
import { AppError } from "../../lib/errors";
import { PRINCIPAL } from "../../tests/principal";
import { assertComplete, pinnedIndex } from "./pinned-index";
import { RunStopped } from "./stops";

const INDEX: OpenIndex = {
  ...{ id: "idx_1", name: "handbook", version: 1, revision: 7, retrieval: DEFAULT_RETRIEVAL, lacksVectors: false },
  ...{ embeddingModel: "mini", embeddingModelRevision: "e1" },
};
const PINS = { index_name: "handbook", index_version: 1, index_revision: 7 } as RunPins;
const QUESTION: IndexQuestion = { index: "idx_1", question: "Leave?", history: [], seed: 0 };
const ANSWER = {
  ...{ status: "answered", answer: "30 days.", chunks: [], citations: [], degraded: null, grounding: null },
  ...{ threshold: null, warning: null, index: { id: "idx_1", name: "handbook", version: 1, revision: 7 } },
  diagnostics: { stages_ms: { total: 1 } },
} as unknown as RagAnswer;
const call = { principal: PRINCIPAL } as Call;

const ask = (query: () => Promise<RagAnswer>, opened: () => OpenIndex = () => INDEX) =>
  pinnedIndex(PINS, { open: async () => opened() }, query).answer(call, QUESTION);

test("an answer from the pinned revision is used", async () => {
  expect((await ask(async () => ANSWER)).output.text).toBe("30 days.");
});

test("an answer is dropped and the run stops if the index changed during the call", async () => {
  let { revision } = INDEX;
  const query = async () => {
    revision = 8;
    return ANSWER;
  };
  const stopped = await ask(query, () => ({ ...INDEX, revision })).catch((thrown) => thrown);
  expect(stopped).toBeInstanceOf(RunStopped);
  expect(stopped.message).toContain("from revision 7 (version 1) to 8 (version 1)");
});

test.each([
  ["not_found", "index", "was deleted, or the run's key has lost access to it"],
  ["conflict", "index", "Build a new version."],
] as const)("%s for the index stops the run", async (kind, param, text) => {
  const error = new AppError(kind, "Build a new version.", { param });
  const stopped = await ask(() => Promise.reject(error)).catch((thrown) => thrown);
  expect([stopped instanceof RunStopped, stopped.message]).toEqual([true, expect.stringContaining(text)]);
});

test("other errors only affect their sample", async () => {
  const error = new AppError("invalid_request", "Too long.", { param: "question" });
  expect(await ask(() => Promise.reject(error)).catch((thrown) => thrown)).toBe(error);
});

test.each(["keyword_only", "vectors_missing", "not_reranked"] as const)(
  "a degraded search (%s) is retried, not scored",
  (degraded) => {
    expect(assertComplete(ANSWER)).toBe(ANSWER);
    expect(() => assertComplete({ ...ANSWER, degraded })).toThrow(expect.objectContaining({ kind: "unavailable" }));
  },
);
