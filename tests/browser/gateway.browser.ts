import { afterAll, beforeAll, expect, test } from "bun:test";
import type { Page } from "playwright-core";
import { ADMIN_KEY, Stack } from "../harness";
import { until } from "../until";
import { closeWindows, onScreen } from "./harness";

/** Gateway, node and worker as in production. The node's synthetic engine generates a word every 50 ms. */
let stack: Stack;
beforeAll(async () => {
  const env = { GROUNDWIRE_SYNTHETIC_TOKEN_MS: "50", GROUNDWIRE_SYNTHETIC_TOKENS: "120" };
  stack = await Stack.start({ engine: "synthetic", workers: 1, env });
});
afterAll(async () => {
  await closeWindows();
  await stack.stop();
});

const signIn = async (page: Page): Promise<void> => {
  await page.goto("/chat");
  await page.getByLabel("Your key").fill(ADMIN_KEY);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByLabel("Message").waitFor();
};

const ask = async (page: Page, text: string): Promise<void> => {
  await page.getByLabel("Message").fill(text);
  await page.getByRole("button", { name: "Send" }).click();
};

const answer = (page: Page) => page.locator(".answer .prose").last();
const isBusy = (page: Page) => page.locator('.answer[aria-busy="true"]');

/** Resolves with the lengths of the growing answer, after it has grown `times` times. */
const growth = async (page: Page, times: number): Promise<number[]> => {
  const lengths = [0];
  await until("the answer has grown", async () => {
    const { length } = (await answer(page).textContent()) ?? "";
    if (length !== lengths.at(-1)) lengths.push(length);
    return lengths.length > times;
  });
  return lengths;
};

const runningOnNode = async () => (await stack.nodeState()).slots.running;

test("after signing in, sending and stopping, the node's slot is free and a reload shows the text", async () => {
  const faults = await onScreen(stack.url, {}, async (page, screen) => {
    await signIn(page);
    await ask(page, "Tell me a story");
    await isBusy(page).waitFor();
    await page.locator(".answer .waiting").waitFor({ state: "detached" });
    const lengths = await growth(page, 5);
    expect(lengths).toEqual([...lengths].sort((a, b) => a - b));
    expect(await runningOnNode()).toBe(1);

    await page.getByRole("button", { name: "Stop" }).click();
    await page.getByText("Stopped", { exact: true }).waitFor();
    await until("the slot is free", async () => (await runningOnNode()) === 0, 2000);

    await page
      .locator(".turn-line")
      .getByText(/^about \d+ tokens · /)
      .waitFor();
    // A new chat has its menu and name without a reload.
    expect(await page.getByRole("heading", { level: 1 }).textContent()).toBe("Tell me a story");
    expect(await page.locator(".chat-menu").count()).toBe(1);

    const text = await answer(page).textContent();
    await page.reload();
    expect((await answer(page).textContent())?.trim()).toBe(text?.trim());
    await screen.inspect();
  });
  expect(faults).toEqual([]);
});

test("an answer is completed after its tab is closed", async () => {
  const faults = await onScreen(stack.url, {}, async (page) => {
    await signIn(page);
    await ask(page, "Tell me another story");
    await page.waitForURL(/chat_/);
    const address = page.url();
    await page.goto("about:blank");
    await until("the node runs nothing", async () => (await runningOnNode()) === 0);
    await page.goto(address);
    await page.getByText("120 tokens").waitFor();
    expect(await isBusy(page).count()).toBe(0);
  });
  expect(faults).toEqual([]);
});

test("if the node dies during an answer, the page keeps the text, shows the cause and offers a retry", async () => {
  const faults = await onScreen(stack.url, {}, async (page) => {
    await signIn(page);
    await ask(page, "Tell me a third story");
    await page.locator(".answer .waiting").waitFor({ state: "detached" });
    await growth(page, 2);
    stack.node.signal("SIGKILL");
    const failed = page.locator(".answer .problem");
    await failed.waitFor();
    expect(((await answer(page).textContent()) ?? "").length).toBeGreaterThan(0);
    await page.goto("/system");
    await page.getByText("No answers can be generated right now").waitFor();
    await stack.restartNode();
    await page.getByText("Everything works").waitFor();
    await page.goBack();
    await page.getByRole("button", { name: "Regenerate answer" }).click();
    await isBusy(page).waitFor();
    await growth(page, 2);
    expect(await failed.count()).toBe(0);
  });
  expect(faults).toEqual([]);
});

test("every page and file has the security headers", async () => {
  const page = await fetch(`${stack.url}/sign-in`);
  expect(page.headers.get("content-security-policy")).toStartWith("default-src 'none'; script-src 'self'");
  expect(page.headers.get("cache-control")).toBe("no-store");
  const html = await page.text();
  const files = [...html.matchAll(/(?:src|href)="(\/assets\/[^"#]+)/g)].map(([, path]) => path);
  expect(files.length).toBeGreaterThanOrEqual(4);
  let bytes = html.length;
  for (const path of new Set(files)) {
    const file = await fetch(`${stack.url}${path}`, { headers: { "accept-encoding": "gzip" }, decompress: false });
    bytes += (await file.arrayBuffer()).byteLength;
    expect(file.headers.get("cache-control")).toContain("immutable");
    expect(file.headers.get("x-content-type-options")).toBe("nosniff");
  }
  // A first load stays under 100 KB on the wire.
  expect(bytes).toBeLessThan(100_000);
});

test.each([
  [{ "sec-fetch-site": "cross-site" }],
  [{ "sec-fetch-site": "same-site" }],
  [{ origin: "https://evil.example" }],
  [{ origin: "null" }],
  [{}],
])("a form from another site is rejected: %j", async (headers) => {
  const body = new URLSearchParams({ theme: "dark" });
  const response = await fetch(`${stack.url}/theme`, { method: "POST", body, headers, redirect: "manual" });
  expect(response.status).toBe(403);
});
