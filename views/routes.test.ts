import { afterAll, beforeAll, expect, test } from "bun:test";
import type { Role } from "../gateway/principal";
import { AppError } from "../lib/errors";
import { type Pages, startPages } from "../tests/browser/pages";

let pages: Pages;
beforeAll(async () => {
  pages = await startPages();
});
afterAll(() => pages.stop());

const get = async (path: string, role: Role) => {
  const { key } = await pages.newKey(role);
  const { cookie } = await pages.sessions.signIn(key);
  return fetch(`${pages.url}${path}`, { headers: { cookie: `groundwire=${cookie}` }, redirect: "manual" });
};

test.each([
  ["viewer", "/dashboard"],
  ["member", "/dashboard"],
  ["admin", "/dashboard"],
] as const)("the home page for the role %s is %s, and it opens", async (role, path) => {
  expect((await get("/", role)).headers.get("location")).toBe(path);
  expect((await get(path, role)).status).toBe(200);
});

test("the home page of a metrics key explains the key, and signing in opens that page", async () => {
  const { key } = await pages.newKey("metrics");
  const signedIn = await fetch(`${pages.url}/sign-in`, {
    method: "POST",
    headers: { origin: pages.url },
    body: new URLSearchParams({ key, return: "/chat" }),
    redirect: "manual",
  });
  expect([signedIn.status, signedIn.headers.get("location")]).toEqual([303, "/"]);
  const home = await get("/", "metrics");
  expect(home.status).toBe(200);
  expect(await home.text()).toContain(`${pages.url}/metrics`);
  expect((await get("/sign-in?return=/system", "metrics")).headers.get("location")).toBe("/");
});

test.each([
  ["/keys/key_1/rotate", "/keys/key_1"],
  ["/chat/chat_1/rename", "/chat/chat_1"],
  ["/evals/run_1/recompute", "/evals/run_1"],
  ["/evals/run_1/results/res_1/labels", "/evals/run_1/results/res_1"],
  ["/datasets/ds_1/delete", "/datasets/ds_1"],
  ["/sign-out", "/"],
])("opening a form's address, %s, redirects to the form's page", async (path, location) => {
  const response = await get(path, "admin");
  expect([response.status, response.headers.get("location")]).toEqual([303, location]);
});

test("without a session, the home page redirects to sign-in", async () => {
  const response = await fetch(`${pages.url}/`, { redirect: "manual" });
  expect(response.headers.get("location")).toBe("/sign-in");
});

test.each(["rate_limited", "unavailable"] as const)("a page that fails with %s says when to retry", async (kind) => {
  pages.refusal.path = /^\/chat$/;
  pages.refusal.error = new AppError(kind, "Not now.");
  const { headers } = await get("/chat", "member");
  pages.refusal.error = undefined;
  expect([headers.get("retry-after"), headers.get("retry-after-ms")]).toEqual(["1", "1000"]);
});

test("every page shows current degradations, and only those", async () => {
  const paths = ["/sign-in?token=a", "/chat", "/keys", "/system", "/nothing"];
  const texts = () => Promise.all(paths.map(async (path) => (await get(path, "admin")).text()));
  for (const text of await texts()) expect(text).not.toContain("Reduced service");
  const healthy = pages.engine.view;
  pages.engine.view = healthy.map((node) => ({ ...node, state: "down" }));
  await pages.health.degradations.refresh();
  for (const text of await texts()) expect(text).toContain("No GPU node is available");
  pages.engine.view = healthy;
  await pages.health.degradations.refresh();
});

test("a page number past the end shows the last page of keys, with the notice about the last action", async () => {
  for (let n = 0; n < 51; n++) await pages.newKey("viewer");
  const response = await get("/keys?page=99&sort=name&done=revoked", "admin");
  expect(response.status).toBe(200);
  const html = await response.text();
  expect(html).toMatch(/Page (\d+) of \1</);
  expect(html).toContain("Key revoked.");
  expect(html).toContain('rel="prev" href="/keys?sort=name"');
});
