import { beforeEach, expect, test } from "bun:test";
import { Type } from "@sinclair/typebox";
import { Elysia } from "elysia";
import { httpWith } from "../../tests/http-plugin";
import { allows, direct, onMismatch } from "./route-facts";

const seen: unknown[] = [];
beforeEach(() => void seen.splice(0));

const Body = Type.Object({ text: Type.String() }, { additionalProperties: false });
/** Removes `extra`, so that the body matches the schema. */
const adapt = onMismatch((body) => {
  seen.push(structuredClone(body));
  delete (body as { extra?: unknown }).extra;
});

const app = new Elysia({ normalize: false });
app
  .use(httpWith({ routes: () => app.routes }))
  .post("/v1/hooked", ({ body }) => body, { body: Body, detail: { ...allows("any"), ...adapt, summary: "Hooked" } })
  .post("/v1/direct", ({ body }) => Response.json(body), {
    body: Body,
    detail: { ...allows("any"), ...adapt, ...direct, summary: "Direct" },
  });

const send = async (path: string, body: object) => {
  const headers = { "content-type": "application/json" };
  const request = new Request(`http://localhost${path}`, { method: "POST", body: JSON.stringify(body), headers });
  const response = await app.handle(request);
  return { status: response.status, body: await response.json() };
};

test.each(["/v1/hooked", "/v1/direct"])("%s calls its hook only for a body that doesn't match", async (path) => {
  expect(await send(path, { text: "a" })).toEqual({ status: 200, body: { text: "a" } });
  expect(seen).toEqual([]);
  expect(await send(path, { text: "a", extra: 1 })).toEqual({ status: 200, body: { text: "a" } });
  expect(seen).toEqual([{ text: "a", extra: 1 }]);
  expect((await send(path, { text: 1 })).status).toBe(400);
  expect(seen).toHaveLength(2);
});
