import { beforeAll, describe, expect, test } from "bun:test";
import type { Page } from "playwright-core";
import { NO_DIRECTIVES } from "../../gateway/call";
import { AppError } from "../../lib/errors";
import { textOf } from "./chatting";
import { onScreen, type ScreenOptions } from "./harness";
import { type ScreenCase, testScreens } from "./matrix";
import { openPages } from "./pages";

const pages = await openPages();
const sessions: Record<"member" | "admin", string> = { member: "", admin: "" };
beforeAll(async () => {
  for (const role of ["member", "admin"] as const) {
    const { key } = await pages.newKey(role, `Ada’s ${role} key`);
    sessions[role] = (await pages.sessions.signIn(key)).cookie;
  }
});

const createKey = async (page: Page, name?: string): Promise<void> => {
  if (name !== undefined) await page.getByLabel("Name").fill(name);
  await page.getByRole("button", { name: "Create key" }).click();
};
const runTest = (page: Page) => page.getByRole("button", { name: "Test connection" }).click();

const answerWith = (text: string): void => {
  pages.chat.reset();
  pages.chat.say(text);
  pages.chat.finish();
};
const failWith = (error: AppError): void => {
  pages.chat.reset();
  pages.chat.fail(error);
};
const NO_NODE = new AppError("unavailable", "No GPU node is ready for smollm2-135m-instruct.");

/** Looks at the page while no node reports a model. */
const withoutModels = async (look: () => Promise<void>): Promise<void> => {
  const { view } = pages.engine;
  pages.engine.view = [];
  await look();
  pages.engine.view = view;
};

const CASES: (ScreenCase & { as?: "member" | "admin" })[] = [
  { name: "connect", path: "/connect", shows: "Ask an admin for one" },
  { name: "connect aider", path: "/connect?client=aider", shows: "aider --model" },
  { name: "connect mcp", path: "/connect?client=mcp", shows: "For everyone who works on a project" },
  {
    name: "connect admin",
    path: "/connect?client=vercel-ai-sdk",
    as: "admin",
    shows: "Create a key for Vercel AI SDK",
  },
  {
    name: "connect key refused",
    path: "/connect",
    as: "admin",
    status: 422,
    reach: (page) => createKey(page, ""),
    shows: "Enter a name of 1 to 100 characters",
  },
  { name: "connect key", path: "/connect", as: "admin", reach: (page) => createKey(page), shows: "Copy it now" },
  {
    name: "connect tested",
    path: "/connect",
    reach: (page) => {
      answerWith("Hello! How can I help?");
      return runTest(page);
    },
    shows: "It works",
  },
  {
    name: "connect failed",
    path: "/connect",
    status: 503,
    reach: (page) => {
      failWith(NO_NODE);
      return runTest(page);
    },
    shows: "so the address is right",
  },
  { name: "connect without models", path: "/connect", shows: "No chat model is available", during: withoutModels },
];
testScreens(CASES, async ({ as = "member" }) => ({ url: pages.url, session: sessions[as] }));

const as = async (role: "member" | "admin", options: ScreenOptions, work: (page: Page) => Promise<void>) =>
  expect(await onScreen(pages.url, { session: sessions[role], ...options }, work)).toEqual([]);

describe.each([true, false])("with scripts: %j", (javaScript) => {
  test("the settings of the chosen program contain this gateway's address and models", () =>
    as("member", { javaScript }, async (page) => {
      await page.goto("/connect");
      await page.getByLabel("Program").selectOption("LlamaIndex");
      await page.getByRole("button", { name: "Show settings" }).click();
      await page.getByRole("heading", { level: 2, name: "LlamaIndex" }).waitFor();
      const settings = (await page.locator("pre").allTextContents()).join("\n");
      for (const value of [`"api_base": "${pages.url}/v1"`, 'model="smollm2-135m-instruct"', "context_window=4096"])
        expect(settings).toContain(value);
      expect(settings).toContain("export GROUNDWIRE_API_KEY=gw_…");
      expect(await page.getByRole("button", { name: "Create key" }).count()).toBe(0);
      expect(await page.getByRole("button", { name: "Copy example 1" }).count()).toBe(javaScript ? 1 : 0);
    }));

  test("an admin creates a key, which works, is filled in and is shown once", () =>
    as("admin", { javaScript, expectedStatuses: [409] }, async (page) => {
      const name = `Continue of Ada ${javaScript}`;
      await page.goto("/connect?client=continue");
      expect(await page.getByLabel("Name").inputValue()).toBe("Continue");
      await createKey(page, name);
      const secret = (await textOf(page.locator("#secret"))) ?? "";
      const { role, keyName } = await pages.keys.verify(`Bearer ${secret}`);
      expect([role, keyName]).toEqual(["member", name]);
      const settings = (await page.locator("pre").allTextContents()).join("\n");
      expect(settings).toContain(`export GROUNDWIRE_API_KEY=${secret}`);
      await page.getByText(`GROUNDWIRE_API_KEY=${secret}`, { exact: true }).waitFor();
      // Without scripts, these would load another page, which can't show the key again.
      expect(await page.getByRole("button", { name: "Test connection" }).isVisible()).toBe(javaScript);

      await page.reload();
      await page.getByRole("heading", { level: 1, name: "This key already exists" }).waitFor();
      expect(await page.content()).not.toContain(secret);
      const created = (await pages.keys.list({ limit: 100 })).data.filter((key) => key.name === name);
      expect(created).toHaveLength(1);
      const audit = await pages.audit.list({ object_id: created[0]?.id });
      expect(audit.data.map(({ action }) => action)).toEqual(["key.create"]);
    }));

  test("a test call shows the model, the time and the answer, and the reason if it fails", () =>
    as("member", { javaScript, expectedStatuses: [503] }, async (page) => {
      await page.goto("/connect?client=aider");
      answerWith("Hello!");
      await runTest(page);
      await page.getByText("smollm2-135m-instruct answered in 5.2 s; the first token came after 118 ms.").waitFor();
      await page.getByText("“Hello!”", { exact: true }).waitFor();
      await page.getByRole("heading", { level: 2, name: "aider" }).waitFor();
      failWith(NO_NODE);
      await runTest(page);
      await page.getByText(NO_NODE.message).waitFor();
      expect(await page.getByText("It works").count()).toBe(0);
    }));
});

test("a test call doesn't use the cache", () =>
  as("member", {}, async (page) => {
    await page.goto("/connect");
    answerWith("Hello!");
    await runTest(page);
    await page.getByText("It works").waitFor();
    expect(pages.chat.call?.directives).toEqual({ ...NO_DIRECTIVES, noCache: true, noStore: true });
  }));

test("everything is reachable by keyboard, from the choice to the result", () =>
  as("member", {}, async (page) => {
    await page.goto("/connect");
    answerWith("Hello!");
    await page.getByLabel("Program").focus();
    await page.keyboard.type("aider");
    await page.keyboard.press("Enter");
    await page.getByRole("button", { name: "Show settings" }).press("Enter");
    await page.getByRole("heading", { level: 2, name: "aider" }).waitFor();
    await page.getByRole("button", { name: "Test connection" }).press("Space");
    await page.getByText("It works").waitFor();
  }));

test("unknown choices in the address are replaced, and narrow windows don’t scroll sideways", () =>
  as("member", {}, async (page) => {
    await page.goto("/connect?client=<script>alert(1)</script>&model=%22><b>");
    await page.getByRole("heading", { level: 2, name: "curl" }).waitFor();
    for (const width of [320, 390]) {
      await page.setViewportSize({ width, height: 800 });
      const overflow = "document.documentElement.scrollWidth - document.documentElement.clientWidth";
      expect([width, await page.evaluate<number>(overflow)]).toEqual([width, 0]);
    }
  }));
