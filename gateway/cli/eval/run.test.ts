import { afterEach, beforeEach, describe, expect, spyOn, test } from "bun:test";
import { AppError } from "../../../lib/errors";
import { until } from "../../../tests/until";
import type { BatchEval } from "../../batch-evals/contract";
import type { ApiClient } from "../api-client";
import { runEval } from "./run";

/** A server with one run. Each call is listed in `calls`, and may fail before it is answered. */
const serverWith = (state: BatchEval["state"]) => {
  const server = { state, calls: [] as string[], failures: [] as (readonly [call: string, error: AppError])[] };
  const run = () => ({ id: "run_1", name: "a run", state: server.state, error: null, progress: { done: 1, total: 4 } });
  const answers: Record<string, () => unknown> = {
    "GET /v1/datasets/questions": () => ({ id: "ds_1", name: "questions", latest: { revision: 1 } }),
    "POST /v1/batch-evals": run,
    "GET /v1/batch-evals/run_1": run,
    "POST /v1/batch-evals/run_1/cancel": () => {
      if (server.state === "completed") throw new AppError("conflict", "This run is completed.");
      server.state = "cancelled";
    },
  };
  const api: ApiClient = {
    url: "http://server",
    async request<T>(method: string, path: string): Promise<T> {
      const call = `${method} ${path.split("?")[0]}`;
      server.calls.push(call);
      const failure = server.failures.find(([failing]) => failing === call);
      if (failure) {
        server.failures.splice(server.failures.indexOf(failure), 1);
        throw failure[1];
      }
      return (answers[call] ?? (() => ({ data: [] })))() as T;
    },
  };
  return { server, api };
};

const REQUEST = {
  ...{ dataset: "questions", name: undefined, rules: [], baseline: undefined, becomesBaseline: false },
  plan: { target: { kind: "stored" as const } },
};
const PATIENCE = { pollMs: 1, unreachableMs: 60_000, pausedMs: 60_000 };
const READ = "GET /v1/batch-evals/run_1";
const CANCEL = "POST /v1/batch-evals/run_1/cancel";
const UNAVAILABLE = new AppError("unavailable", "http://server can't be reached.");

let written: string;
let stderr: { mockRestore(): void };
beforeEach(() => {
  written = "";
  stderr = spyOn(process.stderr, "write").mockImplementation((text) => {
    written += text;
    return true;
  });
});
afterEach(() => stderr.mockRestore());

describe("Ctrl+C", () => {
  test("cancels the run, and sends the request again until it arrives", async () => {
    const { server, api } = serverWith("running");
    const abort = new AbortController();
    const ended = runEval(api, REQUEST, abort.signal, PATIENCE).catch((error: AppError) => error);
    await until("the run is followed", () => server.calls.includes(READ));
    server.failures = Array(3).fill([CANCEL, UNAVAILABLE]);
    abort.abort();
    expect(await ended).toMatchObject({ kind: "client_closed", message: "The run was cancelled." });
    expect(server.calls.filter((call) => call === CANCEL).length).toBe(4);
  });

  test("is too late for a run that has ended, which is reported", async () => {
    const { server, api } = serverWith("running");
    const abort = new AbortController();
    const ended = runEval(api, REQUEST, abort.signal, PATIENCE);
    await until("the run is followed", () => server.calls.includes(READ));
    server.state = "completed";
    abort.abort();
    expect(await ended).toMatchObject({ run: { state: "completed" } });
  });

  test("before the run was started starts none", async () => {
    const { server, api } = serverWith("running");
    const reason = new AppError("client_closed", "The run was not started.");
    await expect(runEval(api, REQUEST, AbortSignal.abort(reason), PATIENCE)).rejects.toBe(reason);
    expect(server.calls).not.toContain("POST /v1/batch-evals");
  });
});

describe("a paused run", () => {
  test("is reported once with what to do, and followed when it is resumed", async () => {
    const { server, api } = serverWith("paused");
    const ended = runEval(api, REQUEST, new AbortController().signal, PATIENCE);
    const reads = () => server.calls.filter((call) => call === READ).length;
    await until("the run was read several times", () => reads() > 3);
    server.state = "completed";
    expect(await ended).toMatchObject({ run: { state: "completed" } });
    const note = "The run was paused. POST /v1/batch-evals/run_1/resume resumes it, and Ctrl+C cancels it.";
    expect(written.split(note).length).toBe(2);
  });

  test("is cancelled by Ctrl+C", async () => {
    const { server, api } = serverWith("paused");
    const abort = new AbortController();
    const ended = runEval(api, REQUEST, abort.signal, PATIENCE).catch((error: AppError) => error);
    await until("the pause is reported", () => written.includes("The run was paused."));
    abort.abort();
    expect(await ended).toMatchObject({ kind: "client_closed" });
    expect(server.state).toBe("cancelled");
  });

  test("is not followed for ever", async () => {
    const { api } = serverWith("paused");
    await expect(runEval(api, REQUEST, new AbortController().signal, { ...PATIENCE, pausedMs: 0 })).rejects.toThrow(
      "The run run_1 has been paused for too long. Resume it with POST /v1/batch-evals/run_1/resume, and check it with POST /v1/batch-evals/run_1/gate",
    );
  });
});

test("a server that stays unreachable ends the command, which says that the run may continue", async () => {
  const { server, api } = serverWith("running");
  server.failures = Array(1000).fill([READ, UNAVAILABLE]);
  await expect(runEval(api, REQUEST, new AbortController().signal, { ...PATIENCE, unreachableMs: 0 })).rejects.toThrow(
    "http://server can't be reached. The run run_1 may continue there. POST /v1/batch-evals/run_1/cancel cancels it.",
  );
});
