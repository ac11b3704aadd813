import { beforeAll, expect, test } from "bun:test";
import type { FinishedRequest, LoggedBodies } from "../../gateway/ports/recorder";
import { AppError } from "../../lib/errors";
import { onScreen } from "./harness";
import { type ScreenCase, testScreens } from "./matrix";
import { openPages } from "./pages";

const pages = await openPages();
const cookies: Record<string, string> = {};
let keyId: string;

const work = {
  ...{ operation: "chat" as const, caller: { keyId: "key_1", via: "key" as const }, totalMs: 2140.5 },
  ...{ model: "smollm2-135m-instruct", node: "node-1", stream: true, cache: { status: "miss" as const } },
  ...{ gatewayMs: 0.3, queueMs: 212, ttftMs: 374, promptTokens: 412, completionTokens: 96, retries: 1 },
};
const bodies: LoggedBodies = {
  prompt: JSON.stringify({ messages: [{ role: "user", content: "How long may I return a pair of shoes?" }] }),
  answer: "Within 30 days, with the receipt.",
  isCut: false,
};

const add = (requestId: string, more: Partial<FinishedRequest> = {}): void =>
  pages.requests.log.add({
    requestId,
    method: "POST",
    route: "/v1/chat/completions",
    url: "http://localhost/v1/chat/completions",
    status: 200,
    durationMs: 2140.5,
    keyId,
    via: "key",
    model: undefined,
    work: undefined,
    bodies: undefined,
    ...more,
  });

beforeAll(async () => {
  for (const role of ["viewer", "admin"] as const) {
    const { key, id } = await pages.newKey(role, `Ada’s ${role} key`);
    keyId = id;
    cookies[role] = (await pages.sessions.signIn(key)).cookie;
  }
  const conversation = { route: "/v1/conversations/:id", url: "http://localhost/v1/conversations/conv_1" };
  add("req_answered", { work, bodies });
  add("req_cached", {
    durationMs: 0.9,
    work: { ...work, node: undefined, cache: { status: "hit" }, queueMs: 0, ttftMs: 0.4, gatewayMs: 0.4 },
  });
  add("req_read", { ...conversation, method: "GET", durationMs: 3.2 });
  add("req_limited", { status: 429, errorKind: "rate_limited", durationMs: 0.2 });
  add("req_node_failed", { status: 502, errorKind: "upstream_error", model: work.model, durationMs: 30_450 });
  add("req_left", { status: 499, work: { ...work, completionTokens: 12 }, durationMs: 900 });
  await pages.requests.log.flush();
  const actor = { keyId, role: "admin", requestId: "req_answered" } as const;
  const { id } = await pages.keys.create(actor, { name: "search service", role: "member", requests_per_minute: 120 });
  await pages.keys.update(actor, id, { name: "search", expires_at: "2099-12-31T23:59:59.000Z" });
  await pages.audit.record(actor, "cache.invalidate", "model:smollm2-135m-instruct", { deleted: 12 });
  pages.audit.refused({ address: "203.0.113.7", with: "key", requestId: "req_answered" });
  await pages.keys.revoke(actor, id);
});

interface Case extends ScreenCase {
  as: "viewer" | "admin";
}

const CASES: Case[] = [
  { name: "requests", path: "/requests", as: "viewer", shows: "POST /v1/chat/completions" },
  { name: "requests filtered", path: "/requests?status=failed&code=upstream_error", as: "admin", shows: "502" },
  { name: "requests without a match", path: "/requests?id=req_none", as: "viewer", shows: "Clear the filters" },
  { name: "request", path: "/requests/req_answered", as: "admin", shows: "Within 30 days" },
  { name: "request failed", path: "/requests/req_node_failed", as: "viewer", shows: "Requests with the same error" },
  { name: "request unknown", path: "/requests/req_none", as: "viewer", status: 404, shows: "keeps 30 days" },
  { name: "audit log", path: "/audit", as: "admin", shows: "Revoked a key" },
  { name: "audit log without a match", path: "/audit?object=none", as: "admin", shows: "Clear the filters" },
  { name: "audit log not allowed", path: "/audit", as: "viewer", status: 403, shows: "requires the admin role" },
  {
    name: "requests server error",
    path: "/requests",
    as: "viewer",
    status: 500,
    reach: async (page) => {
      Object.assign(pages.refusal, { path: /^\/requests/, error: new AppError("internal", "An internal error.") });
      await page.reload();
      pages.refusal.error = undefined;
    },
    shows: "Something went wrong",
  },
];

testScreens(CASES, async ({ as }) => ({ url: pages.url, session: cookies[as] }));

test.each([true, false])("the log is filtered, paged and read (scripts: %j)", async (javaScript) =>
  expect(
    await onScreen(pages.url, { session: cookies.admin, javaScript }, async (page) => {
      for (let n = 0; n < 60; n++) add(`req_many_${javaScript}_${n}`, { route: `/v1/${javaScript}`, durationMs: 1 });
      await page.goto("/requests");
      await page.getByRole("link", { name: "Older requests" }).click();
      await page.getByRole("link", { name: "Newest requests" }).click();
      await page.getByLabel("Status").selectOption("failed");
      await page.getByLabel("Fault").selectOption("node");
      await page.getByRole("button", { name: "Filter" }).click();
      expect(await page.locator("tbody tr").count()).toBe(1);
      await page.getByRole("link", { name: "POST /v1/chat/completions" }).click();
      await page.getByRole("heading", { name: "upstream_error" }).waitFor();
      // Requests of the same minute have to be told apart.
      const arrived = await page.locator("time").first().textContent();
      expect(arrived).toMatch(javaScript ? /^\d+ \w+ \d{4}, \d\d:\d\d:\d\d$/ : /^[\d-]+ \d\d:\d\d:\d\d UTC$/);
      await page.getByRole("link", { name: "Requests with the same error" }).click();
      await page.getByText("Code upstream_error").waitFor();
    }),
  ).toEqual([]),
);

test("the audit log is filtered, and the download has the same entries", async () =>
  expect(
    await onScreen(pages.url, { session: cookies.admin, javaScript: false }, async (page) => {
      await page.goto("/audit");
      await page.getByLabel("What").selectOption("cache");
      await page.getByRole("button", { name: "Filter" }).click();
      expect(await page.locator("tbody tr").count()).toBe(1);
      await page.getByText("deleted: 12").waitFor();
      const downloading = page.waitForEvent("download");
      await page.getByRole("link", { name: "Download CSV" }).click();
      const path = await (await downloading).path();
      const rows = (await Bun.file(path).text()).trimEnd().split("\r\n");
      expect([rows.length, rows[1]?.includes("model:smollm2-135m-instruct")]).toEqual([2, true]);
      await page.getByRole("link", { name: "Open" }).click();
      await page.getByRole("heading", { name: "POST /v1/chat/completions" }).waitFor();
    }),
  ).toEqual([]));

test("an error page's request id leads to the request, which says whose fault it was", async () =>
  expect(
    await onScreen(pages.url, { session: cookies.viewer, expectedStatuses: [404] }, async (page) => {
      await page.goto("/evals/run_none");
      await page.locator(".error-page .request-id a").click();
      await page.getByRole("heading", { name: "not_found" }).waitFor();
      await page.getByText("The request was invalid").waitFor();
    }),
  ).toEqual([]));

test("bodies are shown to admins and to their key, and are withheld from others", async () => {
  const texts = await Promise.all(
    (["admin", "viewer"] as const).map(async (role) => {
      const response = await fetch(`${pages.url}/requests/req_answered`, {
        headers: { cookie: `groundwire=${cookies[role]}` },
      });
      return response.text();
    }),
  );
  expect(texts.map((text) => text.includes("Within 30 days"))).toEqual([true, false]);
  expect(texts[1]).toContain("Only this key and admins can read the prompt and the answer.");
});
