import { join } from "node:path";
import { createClient } from "@libsql/client";
import type { Stack } from "../harness";

/** Shared by the scripts that disturb batch evaluations of the dataset `numbers`. */

const MAX_BUSY_MS = 60_000;

/** A run as returned by the API, with only the fields that these scripts read. */
export interface ApiRun {
  id: string;
  state: string;
  ended_at: string | null;
  progress: { done: number; errors: number; running: number };
}

/** Repeats a request while it gets a 503, which the gateway returns while other work keeps the database busy. */
const retryWhileBusy = async (send: () => Promise<Response>): Promise<Response> => {
  const untilMs = performance.now() + MAX_BUSY_MS;
  for (;;) {
    const response = await send();
    if (response.status !== 503 || performance.now() > untilMs) return response;
    await response.body?.cancel();
    await Bun.sleep(Number(response.headers.get("retry-after-ms") ?? 1000));
  }
};

const json = async <T>(send: () => Promise<Response>): Promise<T> => {
  const response = await retryWhileBusy(send);
  const text = await response.text();
  if (!response.ok) throw new Error(`${response.url} returned ${response.status}: ${text}`);
  return JSON.parse(text);
};

/** Starts one run, no matter how often the request has to be sent. */
export const startRun = async (stack: Stack, seed: number, settings: object = {}): Promise<ApiRun> => {
  const body = { dataset: "numbers", target: { kind: "chat" }, evaluators: ["exact@1"], seed, ...settings };
  const headers = { "idempotency-key": crypto.randomUUID() };
  return json(() => stack.fetch("/v1/batch-evals", { body, headers }));
};

export const readRun = (stack: Stack, id: string): Promise<ApiRun> => json(() => stack.fetch(`/v1/batch-evals/${id}`));

/** Cancels or resumes a run. Returns the status, because a run that has just ended can't be cancelled. */
export const changeRun = async (stack: Stack, id: string, change: "cancel" | "resume"): Promise<number> => {
  const response = await retryWhileBusy(() => stack.fetch(`/v1/batch-evals/${id}/${change}`, { body: {} }));
  await response.body?.cancel();
  return response.status;
};

export interface ResultCheck {
  results: number;
  /** Samples and repeats without a result. */
  lost: number;
  errors: number;
  messages: string[];
  /** Duplicate results, and duplicate scores of a result on one criterion. */
  duplicates: number;
  /** Runs whose stored counts differ from their rows. */
  wrongCounts: number;
  integrity: string;
  brokenReferences: number;
}

/** Checks the stored results of all runs. `expected`: how many there must be in total. */
export const checkResults = async ({ folder }: Stack, expected: number): Promise<ResultCheck> => {
  const database = createClient({ url: `file:${join(folder, "data/groundwire.db")}` });
  const rows = async (sql: string) => (await database.execute(sql)).rows.map((row) => row[0]);
  const number = async (sql: string) => Number((await rows(sql))[0] ?? 0);
  const ended = "FROM results WHERE state IN ('done', 'error')";
  try {
    const results = await number(`SELECT COUNT(*) ${ended}`);
    return {
      results,
      lost: expected - results,
      errors: await number("SELECT COUNT(*) FROM results WHERE state = 'error'"),
      messages: (
        await rows("SELECT DISTINCT json_extract(error, '$.message') FROM results WHERE state = 'error' LIMIT 5")
      ).map(String),
      duplicates: await number(`SELECT
        (SELECT COUNT(*) - COUNT(DISTINCT run_id || sample_key || ' ' || repeat) FROM results)
        + (SELECT COUNT(*) - COUNT(DISTINCT result_id || evaluator || metric) FROM scores)`),
      wrongCounts: await number(`SELECT COUNT(*) FROM runs WHERE json_extract(progress, '$.done') <>
        (SELECT COUNT(*) ${ended} AND run_id = runs.id)`),
      integrity: String((await rows("PRAGMA integrity_check"))[0]),
      brokenReferences: (await rows("PRAGMA foreign_key_check")).length,
    };
  } finally {
    database.close();
  }
};

export const areResultsIntact = ({
  lost,
  errors,
  duplicates,
  wrongCounts,
  integrity,
  brokenReferences,
}: ResultCheck): boolean =>
  lost === 0 && errors === 0 && duplicates === 0 && wrongCounts === 0 && integrity === "ok" && brokenReferences === 0;
