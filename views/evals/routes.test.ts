import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { EvaluateRequest, Evaluation } from "../../gateway/evals/contract";
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
const post = async (path: string, form: Record<string, string>) => {
  const body = new URLSearchParams(form);
  const response = await fetch(`${pages.url}${path}`, { method: "POST", headers, body, redirect: "manual" });
  return { status: response.status, location: response.headers.get("location"), html: await response.text() };
};

const SAMPLE = { input: "When does it open?", references: ["At 6:30"], output: "It opens at 6:30." };

const evaluate = async (request: EvaluateRequest = { sample: SAMPLE }): Promise<Evaluation> => {
  pages.chat.reset();
  pages.chat.finish();
  const principal = await pages.keys.verify(authorization);
  const directives = { noCache: false, noStore: false, onlyIfCached: false };
  const { signal } = new AbortController();
  const call = { principal, requestId: "req_1", signal, priority: "interactive", directives, receivedAt: 0 } as const;
  return pages.evals.evaluate(call, request);
};

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
