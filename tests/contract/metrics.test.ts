import { afterAll, beforeAll, expect, test } from "bun:test";
import { ERROR_KINDS, type ErrorKind } from "../../lib/errors";
import { type Stack, startStack } from "./stack";

let stack: Stack;

beforeAll(async () => {
  stack = await startStack();
});
afterAll(() => stack.close());

/** Lines of the scraped metrics that start with `prefix`. */
const scrape = async (start: string): Promise<string[]> =>
  (await (await stack.call("GET", "/metrics")).text()).split("\n").filter((line) => line.startsWith(start));

test("a request that is rejected before routing is counted for its route", async () => {
  const limited = await stack.keyOf("member", { requests_per_minute: 1 });
  await stack.call("GET", "/v1/models", { key: limited });
  expect((await stack.call("GET", "/v1/models", { key: limited })).status).toBe(429);
  expect((await stack.call("GET", "/v1/keys/key_1", { key: null })).status).toBe(401);
  const typed = { body: "hello", headers: { "content-type": "text/plain" } };
  expect((await stack.call("POST", "/v1/chat", typed)).status).toBe(415);
  expect((await stack.call("GET", "/v1/nothing")).status).toBe(404);

  const counted = await scrape("groundwire_http_requests_total");
  expect(counted).toContain('groundwire_http_requests_total{method="GET",route="/v1/models",status="429"} 1');
  expect(counted).toContain('groundwire_http_requests_total{method="GET",route="/v1/keys/:id",status="401"} 1');
  expect(counted).toContain('groundwire_http_requests_total{method="POST",route="/v1/chat",status="415"} 1');
  expect(counted).toContain('groundwire_http_requests_total{method="GET",route="unmatched",status="404"} 1');
});

test("every failure has a domain, including a page's rejected form and every error kind", async () => {
  const form = new URLSearchParams({ key: "gw_wrong" });
  const headers = { "sec-fetch-site": "same-origin", origin: stack.url };
  const signIn = await fetch(`${stack.url}/sign-in`, { method: "POST", body: form, headers, redirect: "manual" });
  expect(signIn.status).toBe(422);
  for (const kind of Object.keys(ERROR_KINDS) as ErrorKind[]) {
    const { status } = ERROR_KINDS[kind];
    const sample = { method: "POST", route: "/drawn", status, durationMs: 1 };
    stack.gateway.services.metrics.request({ ...sample, errorKind: kind });
    // A page that shows its form again has no error kind. Only an error of the gateway itself would be unclassified.
    if (status < 500) stack.gateway.services.metrics.request(sample);
  }
  const unclassified = await scrape('groundwire_http_errors_total{domain="unclassified"');
  expect(unclassified.every((line) => line.endsWith(" 0"))).toBe(true);
  expect(unclassified).toHaveLength(1);
});
