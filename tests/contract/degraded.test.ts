import { afterAll, beforeAll, expect, test } from "bun:test";
import type { ChatAnswer } from "../../gateway/chat/contract";
import {
  DEGRADATION_CODES,
  type DegradationCode,
  type DegradedMode,
  type Readiness,
} from "../../gateway/health/contract";
import { until } from "../until";
import { type Stack, startStack } from "./stack";

/* Every degraded mode, entered by drill and by its real cause, with the same code everywhere. */

let stack: Stack;
beforeAll(async () => {
  stack = await startStack();
  await until("nothing is reduced", async () => (await degradedIn("/readyz")).length === 0);
});
afterAll(() => stack.close());

const json = async <T>(response: Response | Promise<Response>): Promise<T> => (await (await response).json()) as T;
const degradedIn = async (path: "/readyz"): Promise<Readiness["degraded"]> =>
  (await json<Readiness>(stack.call("GET", path, { key: null }))).degraded;

const ASK = { messages: [{ role: "user", content: "Name three colours." }], temperature: 0 };

/** Where clients, machines and people see the active modes. */
const seen = async () => {
  const { headers } = await stack.call("GET", "/v1/auth/me");
  const readiness = await degradedIn("/readyz");
  const metrics = await (await stack.call("GET", "/metrics")).text();
  const inMetrics = (name: string) =>
    [...metrics.matchAll(new RegExp(`^${name}\\{code="(\\w+)"\\} 1$`, "gm"))].map(([, code = ""]) => code);
  const page = await (await fetch(`${stack.url}/sign-in`)).text();
  const { data } = await json<{ data: DegradedMode[] }>(stack.call("GET", "/v1/degraded"));
  return {
    header: headers.get("x-degraded")?.split(", ") ?? [],
    readiness: readiness.map(({ code }) => code),
    metrics: inMetrics("groundwire_degraded"),
    drills: inMetrics("groundwire_degraded_drill"),
    banner: [...page.matchAll(/<p data-code="(\w+)">/g)].map(([, code = ""]) => code),
    list: data.filter(({ active }) => active).map(({ code }) => code),
  };
};
const everywhere = (codes: DegradationCode[], drills: string[] = codes) => ({
  ...{ header: codes, readiness: codes, metrics: codes, drills, banner: codes, list: codes },
});

const drill = (code: string, body?: object) => stack.call("POST", `/v1/degraded/${code}/drill`, { body: body ?? {} });
const end = (code: string) => stack.call("POST", `/v1/degraded/${code}/end`);
const ask = (body: object = ASK) => stack.call("POST", "/v1/chat", { body });

test.each([...DEGRADATION_CODES])("a drill of %s is seen in all places, and left again", async (code) => {
  // An answer in the cache, because cached_only serves nothing else.
  expect((await json<ChatAnswer>(ask())).degraded).toEqual([]);
  const started = await json<DegradedMode>(drill(code, { minutes: 5 }));
  expect(started).toMatchObject({ code, active: true, drill: true });
  expect(Date.parse(started.drill_ends_at ?? "") - Date.now()).toBeWithin(4 * 60_000, 5 * 60_000 + 1);
  expect(await seen()).toEqual(everywhere([code]));
  expect((await json<ChatAnswer>(ask())).degraded).toEqual([code]);
  expect(await json<DegradedMode>(end(code))).toMatchObject({ code, active: false, drill: false, drill_ends_at: null });
  expect(await seen()).toEqual(everywhere([]));
  expect((await json<ChatAnswer>(ask())).degraded).toEqual([]);
});

test("the readiness report stays 200 during a drill, and says that it is one", async () => {
  await drill("cached_only");
  const response = await stack.call("GET", "/readyz", { key: null });
  expect(response.status).toBe(200);
  expect(await json<Readiness>(response)).toMatchObject({
    status: "degraded",
    degraded: [{ code: "cached_only", drill: true }],
  });
  await end("cached_only");
});

test("only admins run drills; everyone who may read the dashboard sees the modes", async () => {
  const [viewer, editor] = [await stack.keyOf("viewer"), await stack.keyOf("editor")];
  expect((await stack.call("GET", "/v1/degraded", { key: viewer })).status).toBe(200);
  for (const path of ["/v1/degraded/cache_off/drill", "/v1/degraded/cache_off/end"]) {
    expect((await stack.call("POST", path, { key: editor, body: {} })).status).toBe(403);
  }
});

test.each([
  ["no_such_mode", {}, "code"],
  ["cache_off", { minutes: 0 }, "minutes"],
  ["cache_off", { minutes: 241 }, "minutes"],
  ["cache_off", { hours: 1 }, "hours"],
])("a drill of %s with %j is refused and names the field", async (code, body, param) => {
  const response = await drill(code, body);
  expect([response.status, (await json<{ error: { param: string } }>(response)).error.param]).toEqual([400, param]);
});

test("cached_only: cached answers are served, and all others get a 503 with the code and a retry time", async () => {
  await ask();
  await drill("cached_only");
  expect((await ask()).headers.get("cache-status")).toContain("; hit");
  for (const [path, body] of [
    ["/v1/chat", { messages: [{ role: "user", content: "Something new" }] }],
    ["/v1/embeddings", { model: "all-minilm-l6-v2", input: "something new" }],
  ] as const) {
    const refused = await stack.call("POST", path, { body });
    expect([refused.status, refused.headers.get("retry-after")]).toEqual([503, "5"]);
    expect(await json<{ error: object }>(refused)).toMatchObject({
      error: { code: "unavailable", details: [{ path: "degraded", message: "cached_only" }] },
    });
  }
  await end("cached_only");
});

test("cache_off: a cached answer is generated again", async () => {
  await ask();
  await drill("cache_off");
  expect((await ask()).headers.get("cache-status")).toBe('Groundwire; fwd=bypass; detail="the cache is off"');
  await end("cache_off");
  expect((await ask()).headers.get("cache-status")).toContain("; hit");
});

const signIn = async (): Promise<string> => {
  const response = await fetch(`${stack.url}/sign-in`, {
    method: "POST",
    body: new URLSearchParams({ key: stack.adminKey }),
    headers: { origin: stack.url },
    redirect: "manual",
  });
  return response.headers.get("set-cookie")?.split(";")[0] ?? "";
};

test("an admin runs a drill from the system page without scripts; the banner says that it is a drill", async () => {
  const headers = { cookie: await signIn(), origin: stack.url };
  const send = (fields: Record<string, string>) =>
    fetch(`${stack.url}/system/drills`, {
      method: "POST",
      body: new URLSearchParams(fields),
      headers,
      redirect: "manual",
    });
  const started = await send({ code: "cache_off", action: "start", minutes: "5" });
  expect([started.status, started.headers.get("location")]).toEqual([303, "/system?drill=cache_off&done=started"]);
  const shown = await (await fetch(`${stack.url}/system?drill=cache_off&done=started`, { headers })).text();
  for (const text of ["Drill of cache_off started.", "<strong>Drill: </strong>", "End the drill of cache_off"]) {
    expect(shown).toContain(text);
  }
  expect((await send({ code: "cache_off", action: "end" })).status).toBe(303);
  expect(await seen()).toEqual(everywhere([]));
});
