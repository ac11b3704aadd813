import { beforeAll, describe, expect, test } from "bun:test";
import { Elysia } from "elysia";
import pino from "pino";
import { AppError, ERROR_KINDS, type ErrorEnvelope, type ErrorKind } from "../../lib/errors";
import { loggedError } from "../../lib/logged-error";
import { httpWith } from "../../tests/http-plugin";
import { errorPage } from "../../views/error";
import { allows } from "./route-facts";

const LEAK = "insert into messages values ('secret') at /srv/groundwire/db/client.ts:42";
const PUBLIC = "What was wrong, and what to do.";
const KINDS = Object.keys(ERROR_KINDS) as ErrorKind[];

/** Values that code throws without meaning to. Each has `LEAK` in its text, a field or its cause. */
const UNKNOWN: Record<string, () => unknown> = {
  "an error": () => new Error(LEAK),
  "a type error": () => new TypeError(LEAK),
  "an error with a cause": () => new Error("outer", { cause: new Error(LEAK) }),
  "a driver's error": () => Object.assign(new Error(LEAK), { code: "SQLITE_ERROR", query: LEAK, params: [LEAK] }),
  "a text": () => LEAK,
  "an object": () => ({ message: LEAK, stack: LEAK, status: 418 }),
};

const lines: Record<string, unknown>[] = [];
let send: (path: string, headers?: Record<string, string>) => Promise<Response>;

beforeAll(() => {
  const app = new Elysia({ normalize: false });
  const log = pino(
    { base: null, serializers: { err: (thrown) => loggedError(thrown) } },
    { write: (line) => lines.push(JSON.parse(line)) },
  );
  const fail = ({ params: { what } }: { params: { what: string } }): never => {
    const kind = KINDS.find((each) => each === what);
    if (kind) throw new AppError(kind, PUBLIC, { cause: new Error(LEAK) });
    throw UNKNOWN[decodeURIComponent(what)]?.();
  };
  app
    .use(httpWith({ log, page: errorPage, routes: () => app.routes }))
    .get("/v1/fail/:what", fail, { detail: { ...allows("any"), summary: "Fails" } })
    .get("/fail/:what", fail, { detail: allows("viewer") });
  send = (path, headers = {}) => app.handle(new Request(`http://localhost${path}`, { headers }));
});

/** Who gets the error, and how. */
const READERS: [who: string, path: string, headers: Record<string, string>][] = [
  ["a program", "/v1/fail", { authorization: "Bearer any" }],
  ["a page", "/fail", { accept: "text/html" }],
  ["a part of a page", "/fail", { accept: "text/html", "hx-request": "true" }],
];

describe.each(READERS)("X2: %s", (_, path, headers) => {
  test.each(KINDS)("gets the reason of %s, and never its cause", async (kind) => {
    const response = await send(`${path}/${kind}`, headers);
    const text = await response.text();
    expect(text).not.toMatch(/secret|insert into|client\.ts|\bat \//);
    expect([...response.headers].join()).not.toContain("secret");
    // Some errors send a browser to another page.
    if (path === "/fail" && (response.status === 303 || response.headers.has("hx-redirect"))) return;
    expect([response.status, text.includes(PUBLIC)]).toEqual([ERROR_KINDS[kind].status, true]);
  });

  test.each(Object.keys(UNKNOWN))("gets a fixed text and the id of the log line for %s", async (what) => {
    const response = await send(`${path}/${encodeURIComponent(what)}`, headers);
    const text = await response.text();
    expect([response.status, text.includes("An internal error occurred.")]).toEqual([500, true]);
    expect(text).not.toMatch(/secret|insert into|client\.ts|\bat \//);
    const id = response.headers.get("x-request-id") ?? "";
    expect(text).toContain(id);
    expect(lines.filter(({ requestId, msg }) => requestId === id && msg === "internal error")).toHaveLength(1);
  });
});

test.each(KINDS)("G64 the fault of %s in the body is the one that the metrics count", async (kind) => {
  const response = await send(`/v1/fail/${kind}`, { authorization: "Bearer any" });
  expect(((await response.json()) as ErrorEnvelope).error.fault).toBe(ERROR_KINDS[kind].fault);
});

test("an API error has the fields of the envelope and no others", async () => {
  const { error } = (await (await send("/v1/fail/internal", { authorization: "Bearer any" })).json()) as ErrorEnvelope;
  expect(Object.keys(error).sort()).toEqual([
    "code",
    "details",
    "fault",
    "message",
    "param",
    "request_id",
    "retryable",
    "source",
    "type",
  ]);
});
