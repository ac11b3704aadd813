import type { Criterion, EvaluateRequest, Evaluation, SampleResult } from "../../gateway/evals/contract";
import { newId } from "../../lib/ids";
import { PRINCIPAL } from "../principal";
import { startPages } from "./pages";

const SAMPLE = { input: "When does it open?", references: ["at 6:30"], output: "It opens at 6:30." };

/** Pages with a signed-in editor, for tests that need no browser. */
export const startAsEditor = async () => {
  const pages = await startPages();
  const { key } = await pages.newKey("editor");
  const { cookie } = await pages.sessions.signIn(key);
  const headers = { cookie: `groundwire=${cookie}`, origin: pages.url };
  const verify = async () => pages.keys.verify(`Bearer ${key}`);

  const open = async (path: string) => {
    const response = await fetch(`${pages.url}${path}`, { headers });
    return { status: response.status, html: await response.text() };
  };
  const post = async (path: string, form: Record<string, string>, as: Record<string, string> = headers) => {
    const body = new URLSearchParams(form);
    const response = await fetch(`${pages.url}${path}`, { method: "POST", headers: as, body, redirect: "manual" });
    return { status: response.status, location: response.headers.get("location"), html: await response.text() };
  };

  const evaluate = async (request: EvaluateRequest = { sample: SAMPLE }): Promise<Evaluation> => {
    pages.chat.reset();
    pages.chat.finish();
    const principal = await verify();
    const directives = { noCache: false, noStore: false, onlyIfCached: false };
    const { signal } = new AbortController();
    const call = { principal, requestId: "req_1", signal, priority: "interactive", directives, receivedAt: 0 } as const;
    return pages.evals.evaluate(call, request);
  };

  /** Evaluates with custom criteria. The judge fails, because the script of the fake model is empty. */
  const judgeBy = (...criteria: Criterion[]): Promise<Evaluation> =>
    evaluate({ sample: SAMPLE, rubric: { criteria }, evaluators: ["judge@1"] });

  /** Imports a run with two results that differ only in their ids, and applies `change` to the second. */
  const addTwins = async (change: Partial<SampleResult> = {}) => {
    const file = await pages.evalTransfer.export(PRINCIPAL, (await evaluate()).run.id);
    const run = { ...file.run, id: newId("run") };
    const ids: [string, string] = [newId("res"), newId("res")];
    const results = file.results.flatMap(({ sample, result }) =>
      ids.map((id, index) => ({
        sample,
        result: { ...result, id, run_id: run.id, sample_key: id, ...(index === 1 && change) },
      })),
    );
    const principal = await verify();
    await pages.evalTransfer.import(principal, { ...file, run, results }, async () => {});
    return { run: run.id, ids };
  };

  return { pages, headers, verify, open, post, evaluate, judgeBy, addTwins };
};
