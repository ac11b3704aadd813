import { join } from "node:path";
import { openDb } from "../db/client";
import { silentLog } from "../lib/log";
import { ADMIN_KEY, Stack } from "../tests/harness";
import { seedRun } from "../tests/seeded-run";

const RESULTS = 100_000;
const RUNS = 5000;
/** Requests per page. The first ones are left out, because they fill caches and store figures of the seeded runs. */
const ROUNDS = 15;
const WARM_UP = 4;

/** Milliseconds until the last byte of each page of a run with 100,000 results arrived, in a list of 5,000 runs. */
export const runPages = async () => {
  const stack = await Stack.start({
    engine: "synthetic",
    env: { GROUNDWIRE_LOG_LEVEL: "warn", GROUNDWIRE_REQUESTS_PER_MINUTE: "1000000" },
  });
  try {
    const db = await openDb({ url: `file:${join(stack.folder, "data/groundwire.db")}` }, silentLog());
    for (let n = 0; n < RUNS; n++) await seedRun(db, { samples: 1, name: `Run ${n}` });
    const id = await seedRun(db, { samples: RESULTS, name: "large" });
    await db.close();
    const cookie = await signIn(stack);
    const run = `/batch-evals/${id}`;
    const list = `${run}/samples`;
    const [, sample = ""] =
      new RegExp(`${list}/(res_\\w+)`).exec(await (await fetch(stack.url + list, { headers: { cookie } })).text()) ??
      [];
    const paths: Record<string, string> = {
      run,
      samples: list,
      "last page": `${list}?page=2000`,
      "not passed": `${list}?outcome=failed`,
      "not passed, last page": `${list}?outcome=failed&page=560`,
      error: `${list}?outcome=error`,
      failure: `${list}?failure=wrong`,
      tag: `${list}?tag=prices`,
      "tag and failure": `${list}?tag=prices&failure=wrong`,
      group: `${list}?group=region+3`,
      "group and failure": `${list}?group=region+3&failure=wrong`,
      "search, frequent": `${list}?q=noon`,
      "search, none": `${list}?q=nothing+like+this`,
      "worst first": `${list}?sort=worst_first`,
      "worst first, last page": `${list}?sort=worst_first&page=2000`,
      "slowest first, not passed": `${list}?sort=slowest_first&outcome=failed`,
      sample: `${list}/${sample}`,
      "sample of a filter": `${list}/${sample}?failure=wrong&sort=worst_first`,
      "sample of a search": `${list}/${sample}?q=branch-99999`,
      list: "/batch-evals",
      "list, last page": "/batch-evals?page=101",
      "list, by pass rate": "/batch-evals?sort=-verdict",
    };
    const measured: Record<string, { p50: number; max: number }> = {};
    for (const [name, path] of Object.entries(paths)) {
      const times: number[] = [];
      for (let round = 0; round < ROUNDS; round++) {
        const startedMs = performance.now();
        const response = await fetch(stack.url + path, { headers: { cookie } });
        const html = await response.text();
        times.push(performance.now() - startedMs);
        if (response.status !== 200) throw new Error(`${path} returned ${response.status}: ${html.slice(0, 500)}`);
      }
      const sorted = times.slice(WARM_UP).toSorted((a, b) => a - b);
      measured[name] = { p50: Math.round(sorted[5] ?? 0), max: Math.round(sorted.at(-1) ?? 0) };
    }
    return { results: RESULTS, runs: RUNS, milliseconds: measured };
  } finally {
    await stack.stop();
  }
};

const signIn = async (stack: Stack): Promise<string> => {
  const body = new URLSearchParams({ key: ADMIN_KEY });
  const headers = { origin: stack.url };
  const response = await fetch(`${stack.url}/sign-in`, { method: "POST", body, headers, redirect: "manual" });
  const [, cookie] = /(groundwire=[^;]+)/.exec(response.headers.get("set-cookie") ?? "") ?? [];
  if (!cookie) throw new Error(`Signing in returned ${response.status}.`);
  return cookie;
};
