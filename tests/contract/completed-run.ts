import { until } from "../until";
import type { Stack } from "./stack";

// biome-ignore lint/suspicious/noExplicitAny: a response as a client sees it
type Json = any;

/** Starts a batch run, waits until it is completed, and returns it. */
export const completedRun = async ({ call }: Pick<Stack, "call">, request: object): Promise<Json> => {
  const started: Json = await (await call("POST", "/v1/batch-evals", { body: request })).json();
  if (!started.id) throw new Error(`The run was not started: ${started.error?.message}`);
  let run: Json;
  await until("the run is completed", async () => {
    run = await (await call("GET", `/v1/batch-evals/${started.id}`)).json();
    return run.state === "completed";
  });
  return run;
};
