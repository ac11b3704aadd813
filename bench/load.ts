import autocannon from "autocannon";
import { KEY } from "./processes";

export const HEADERS = { authorization: `Bearer ${KEY}`, "content-type": "application/json" };

export interface Load {
  requests: number;
  requestsPerSecond: number;
  failures: number;
}

/** Sends `amount` POSTs of `body` over `connections` keep-alive connections, as fast as possible. */
export const post = async (url: string, body: object, amount: number, connections: number): Promise<Load> => {
  const begun = performance.now();
  let ended = begun;
  const run = autocannon({
    url,
    method: "POST",
    headers: HEADERS,
    body: JSON.stringify(body),
    amount,
    connections,
  });
  // autocannon resolves at whole seconds, so the last response marks the end of the work.
  run.on("response", () => {
    ended = performance.now();
  });
  const result = await run;
  return {
    requests: result["2xx"],
    requestsPerSecond: result["2xx"] / ((ended - begun) / 1000),
    failures: result.non2xx + result.errors,
  };
};

/** Milliseconds of each of `count` sequential requests. */
export const oneByOne = async (url: string, body: object, count: number): Promise<number[]> => {
  const text = JSON.stringify(body);
  const times: number[] = [];
  for (let i = 0; i < count; i++) {
    const begun = performance.now();
    const answer = await fetch(url, { method: "POST", headers: HEADERS, body: text });
    await answer.arrayBuffer();
    times.push(performance.now() - begun);
  }
  return times;
};

export const median = (values: number[]): number => {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
};
