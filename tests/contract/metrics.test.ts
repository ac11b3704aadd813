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

  const counted = await scrape("http_server_request_duration_seconds_count");
  expect(counted).toContain(
    'http_server_request_duration_seconds_count{http_request_method="GET",http_route="/v1/models",url_scheme="http",http_response_status_code="429",error_type="rate_limited"} 1',
  );
  expect(counted).toContain(
    'http_server_request_duration_seconds_count{http_request_method="GET",http_route="/v1/keys/:id",url_scheme="http",http_response_status_code="401",error_type="missing_api_key"} 1',
  );
  expect(counted).toContain(
    'http_server_request_duration_seconds_count{http_request_method="POST",http_route="/v1/chat",url_scheme="http",http_response_status_code="415",error_type="unsupported_media_type"} 1',
  );
  expect(counted).toContain(
    'http_server_request_duration_seconds_count{http_request_method="GET",http_route="unmatched",url_scheme="http",http_response_status_code="404",error_type="not_found"} 1',
  );
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

/** Names and labels of all series of a page in Prometheus' text format. */
const seriesOf = (text: string): string[] =>
  text.split("\n").flatMap((line) => (/^[a-z]/.test(line) ? [line.slice(0, line.lastIndexOf(" "))] : []));

test("X1 nothing that a caller can choose creates series: paths, ids, methods, models, headers and names", async () => {
  const count = async (): Promise<number> => {
    const text = await (await stack.call("GET", "/metrics")).text();
    expect(text).not.toContain("canary");
    return seriesOf(text).length;
  };
  const ask = async (canary: string): Promise<void> => {
    const headers = { "x-request-id": canary, "user-agent": canary, "x-priority": canary, authorization: canary };
    const body = { model: canary, messages: [{ role: "user", content: canary }], user: canary };
    await stack.call("POST", "/v1/chat", { body });
    await stack.call("GET", `/v1/keys/${canary}`);
    await stack.call("GET", `/${canary}?q=${canary}`, { headers, key: null });
    await stack.call(canary.toUpperCase().replaceAll("_", "-"), "/v1/chat", { key: null });
    await stack.call("POST", "/v1/rag/query", { body: { index: canary, question: canary } });
    await stack.call("POST", "/v1/datasets", { body: { name: canary, samples: [{ key: canary, input: canary }] } });
    await stack.call("POST", "/v1/embeddings", { body: { model: canary, input: canary } });
  };
  await ask("canary_first");
  const before = await count();
  for (let n = 0; n < 30; n++) await ask(`canary_${n}`);
  expect(await count()).toBe(before);
});

test("docs/observability.md lists every metric of gateway and node", async () => {
  const page = await Bun.file(new URL("../../docs/observability.md", import.meta.url)).text();
  const { nodes } = stack.config.gateway;
  const texts = [await (await stack.call("GET", "/metrics")).text(), await (await fetch(`${nodes[0]}/metrics`)).text()];
  const names = texts.flatMap((text) => [...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name = ""]) => name));
  expect(names.length).toBeGreaterThan(30);
  expect(names.filter((name) => !page.includes(`\`${name}\``))).toEqual([]);
});
