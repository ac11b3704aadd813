import type { EvaluateRequest, Score } from "../../gateway/evals/contract";
import type { RunExport } from "../../gateway/evals/transfer-contract";
import { newId } from "../../lib/ids";
import { PRINCIPAL } from "../principal";
import type { Pages } from "./pages";

/** A sample whose answer has a supported, a partly supported and an unsupported claim. */
export const BAKERY = {
  input: "When does the bakery open, and what does a loaf of rye cost?",
  references: ["It opens at 6:30", "4.20 euros"],
  contexts: ["The bakery opens at 6:30 on weekdays. A loaf of rye costs 4.20 euros.", "It is closed on Sundays."],
  output: "It opens at 6:30. A loaf costs about four euros. It was founded in 1871 by two brothers.",
};

const editorOf = async (pages: Pages) => {
  const { key } = await pages.newKey("editor", "Ada’s editor key");
  return pages.keys.verify(`Bearer ${key}`);
};

/**
 * Evaluates as the API does and returns the path of the run's page. `script` adds the fake model's answers. Without it,
 * judges fail.
 */
export const evaluateOn = async (pages: Pages, request: EvaluateRequest, script = () => {}): Promise<string> => {
  pages.chat.reset();
  script();
  pages.chat.finish();
  const principal = await editorOf(pages);
  const directives = { noCache: false, noStore: false, onlyIfCached: false };
  const signal = new AbortController().signal;
  const call = { principal, requestId: "req_1", signal, priority: "interactive", directives, receivedAt: 0 } as const;
  const { run } = await pages.evals.evaluate(call, request);
  return `/evals/${run.id}`;
};

/** Scores of an imported run's judge by criterion. Faithfulness and hallucination follow from its claims. */
const JUDGED: Readonly<Record<string, { value: number; passed: boolean | null }>> = {
  correctness: { value: 0.25, passed: false },
  faithfulness: { value: 1 / 3, passed: false },
  hallucination: { value: 2 / 3, passed: null },
};

const byJudge = (score: Score, isShadow: boolean): Score => ({
  ...score,
  ...JUDGED[score.metric],
  evaluator: "judge@1",
  evaluator_hash: "0".repeat(64),
  shadow: isShadow,
  reason: "The judge is strict.",
  judge: { model: "smollm2-135m-instruct", model_revision: "b179c9523d0e", temperature: 0, seed: 0 },
  embedder: null,
  // The judge finds only the first claim, and rates it unsupported.
  claims: score.claims.slice(0, 1).map((claim) => {
    const { start, end } = claim;
    return { ...claim, verdict: "unsupported", score: 0, context: null, unsupported: [{ start, end, note: "No." }] };
  }),
});

interface Imported {
  name: string;
  /** Role of judge@1 in addition to reference@1. If omitted, judge@1 does not score. */
  judge?: "verdict" | "comparison";
  results?: number;
  /** Changes the result with this index. */
  change?: (result: RunExport["results"][number]["result"], index: number) => void;
}

/** Imports runs of the bakery, with scores by a judge if requested, and returns the paths of their pages. */
export const importRuns = async (pages: Pages, imported: readonly Imported[]): Promise<string[]> => {
  const path = await evaluateOn(pages, { sample: BAKERY, name: "The original" });
  const file = await pages.evalTransfer.export(PRINCIPAL, path.slice("/evals/".length));
  const principal = await editorOf(pages);
  const paths: string[] = [];
  for (const { name, judge, results: count = 1, change } of imported) {
    const id = newId("run");
    const [entry] = file.results;
    if (!entry) throw new Error("Unreachable: a run has a result.");
    const results = Array.from({ length: count }, (_, index) => {
      const scores = judge
        ? [...entry.result.scores, ...entry.result.scores.map((score) => byJudge(score, judge === "comparison"))]
        : entry.result.scores;
      const key = `sample-${String(index + 1).padStart(3, "0")}`;
      const result = { ...entry.result, id: newId("res"), run_id: id, sample_key: key, scores, labels: [] };
      change?.(result, index);
      return { sample: entry.sample, result };
    });
    const hash = "0".repeat(64);
    const judges = judge ? [{ evaluator: "judge@1", shadow: judge === "comparison", hash }] : [];
    const pins = { ...file.run.pins, evaluators: [...file.run.pins.evaluators, ...judges] };
    await pages.evalTransfer.import(
      principal,
      { ...file, run: { ...file.run, id, name, pins }, results },
      async () => {},
    );
    paths.push(`/evals/${id}`);
  }
  return paths;
};
