import { describe, expect, test } from "bun:test";
import { Elysia } from "elysia";
import { AppError, ERROR_KINDS, type ErrorKind } from "../../lib/errors";
import { silentLog } from "../../lib/log";
import { PRINCIPAL } from "../../tests/principal";
import { errorPage } from "../../views/error";
import { ActiveRequests } from "../active-requests";
import { http } from "./plugin";
import { allows } from "./route-facts";

const KINDS = Object.keys(ERROR_KINDS) as ErrorKind[];
/** Statuses after which a client may wait and retry the request. */
const asksToWait = (status: number): boolean => status === 429 || status === 503;

const app = new Elysia();
const fail = (kind: string, retryAfterMs?: number) => {
  throw new AppError(kind as ErrorKind, "It failed.", { retryAfterMs });
};
app
  .use(
    http({
      verifyKey: () => PRINCIPAL,
      verifyWorker: async () => PRINCIPAL,
      verifySession: async () => PRINCIPAL,
      reserve: () => ({ addHeaders: () => {}, release: () => {} }),
      recorder: { request: () => {}, generation: () => {} },
      requestLog: { add: () => {}, replace: () => {} },
      activeRequests: new ActiveRequests(),
      log: silentLog(),
      bodyLimits: { maxBytes: 1000, maxUploadBytes: undefined },
      reduced: () => undefined,
      routes: () => app.routes,
      page: errorPage,
    }),
  )
  .get("/v1/fails/:kind", ({ params }) => fail(params.kind), { detail: allows("any") })
  .get("/v1/fails/:kind/later", ({ params }) => fail(params.kind, 2001), { detail: allows("any") })
  .get("/fails/:kind", ({ params }) => fail(params.kind), { detail: allows("any") });

const answer = (path: string, headers: Record<string, string> = {}) =>
  app.handle(new Request(`http://localhost${path}`, { headers }));

describe.each(KINDS)("%s", (kind) => {
  const { status } = ERROR_KINDS[kind];
  const wanted = (value: string) => (asksToWait(status) ? value : null);

  test("has retry-after if its status is 429 or 503, on the API and on pages", async () => {
    for (const [path, headers] of [
      [`/v1/fails/${kind}`, {}],
      [`/fails/${kind}`, { accept: "text/html" }],
      [`/fails/${kind}`, { accept: "text/html", "hx-request": "true", "hx-request-type": "partial" }],
    ] as const) {
      const response = await answer(path, headers);
      expect([response.headers.get("retry-after"), response.headers.get("retry-after-ms")]).toEqual([
        wanted("1"),
        wanted("1000"),
      ]);
    }
    const later = await answer(`/v1/fails/${kind}/later`);
    expect([later.status, later.headers.get("retry-after"), later.headers.get("retry-after-ms")]).toEqual([
      status,
      wanted("3"),
      wanted("2001"),
    ]);
  });
});

test("no other code answers with 429 or 503", async () => {
  const known: Record<string, string> = {
    "gateway/health/routes.ts": "readiness, with its own retry-after",
    "views/sign-in/routes.tsx": "the form again, with the error's retry-after",
    "gpu-node/server/routes.ts": "the node's readiness, which only gateways read",
  };
  const root = `${import.meta.dir}/../..`;
  const answering = /(?:status\s*[:=]\s*|\?\s*\d{3}\s*:\s*|\bpage\(.*,\s*|\bhtml\(.*,\s*)(?:429|503)\b/;
  const found: string[] = [];
  for await (const path of new Bun.Glob("{gateway,views,gpu-node}/**/*.{ts,tsx}").scan(root)) {
    if (/\.(test|contract)\.tsx?$/.test(path)) continue;
    if (answering.test(await Bun.file(`${root}/${path}`).text())) found.push(path);
  }
  expect(found.toSorted()).toEqual(Object.keys(known).toSorted());
});
