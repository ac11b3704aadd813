import { beforeEach, expect, test } from "bun:test";
import type { Locator, Page } from "playwright-core";
import type { ExportedConversation } from "../../gateway/conversations/contract";
import { createTransfer } from "../../gateway/conversations/transfer";
import { answers, ask, chatting as chattingOn, message, signedIn, textOf } from "./chatting";
import { onScreen, type ScreenOptions } from "./harness";
import { tabTo } from "./keyboard";
import { openPages } from "./pages";

const pages = await openPages();
beforeEach(() => pages.chat.reset());

const chatting = (options: ScreenOptions, work: (page: Page) => Promise<void>) => chattingOn(pages, options, work);

const CALL = { index: 0, id: "call_1", type: "function" as const };
/** Streams a call in pieces. */
const called = () => {
  pages.chat.add({ tool_calls: [{ ...CALL, function: { name: "get_weather", arguments: "" } }] });
  pages.chat.add({ tool_calls: [{ index: 0, function: { arguments: '{"city":"Ro' } }] });
  pages.chat.add({ tool_calls: [{ index: 0, function: { arguments: 'me","days":2}' } }] });
};
const step = (page: Page, text: RegExp) =>
  page.locator(".answer-step", { has: page.locator("summary", { hasText: text }) });
const summary = (fold: Locator) => fold.locator("summary");

test("reasoning grows in its own fold, which stays open or closed, and is not part of the answer", () =>
  chatting({}, async (page) => {
    await ask(page, "Explain batching");
    pages.chat.add({ reasoning: "The user wants\n\n- a **short**" });
    const fold = step(page, /Thinking/);
    await fold.waitFor();
    expect(await fold.getAttribute("open")).toBeNull();
    expect(await page.locator(".waiting").count()).toBe(0);
    await summary(fold).click();
    await page.getByText("short", { exact: true }).waitFor();
    pages.chat.add({ reasoning: " answer." });
    pages.chat.say("Batching shares work.");
    const thought = step(page, /Thought for|Reasoning/);
    await thought.getByText("short answer.").waitFor();
    pages.chat.finish();
    await page.getByText("184 tokens").waitFor();
    expect(await thought.getByRole("listitem").textContent()).toBe("a short answer.");
    expect(await thought.getAttribute("open")).not.toBeNull();
    expect(await textOf(answers(page).last())).toBe("Batching shares work.");
    expect(await page.getByRole("button", { name: "Copy answer" }).getAttribute("data-copy")).toBe(
      "Batching shares work.",
    );
    await page.reload();
    await page.getByText("184 tokens").waitFor();
    expect(await thought.getAttribute("open")).toBeNull();
    expect(await thought.getByText("short answer.").isVisible()).toBe(false);
    expect(await page.getByText("Batching shares work.").isVisible()).toBe(true);
  }));

test("a call shows its name while it is streamed, and then its arguments as indented JSON", () =>
  chatting({}, async (page) => {
    await ask(page, "What is the weather in Rome?");
    called();
    await step(page, /Calling get_weather/).waitFor();
    expect(await page.locator(".waiting").count()).toBe(0);
    pages.chat.facts = { finish_reason: "tool_calls" };
    pages.chat.finish();
    await page.getByText("The model calls get_weather").waitFor({ state: "attached" });
    for (const _ of ["streamed", "reloaded"]) {
      const fold = step(page, /Calls get_weather, no result/);
      await summary(fold).click();
      expect(await textOf(fold.getByRole("region", { name: "Arguments of call 1, get_weather" }))).toBe(
        '{\n  "city": "Rome",\n  "days": 2\n}',
      );
      expect(await page.getByRole("button", { name: "Copy answer" }).count()).toBe(0);
      await page.reload();
      await page.getByText("184 tokens").waitFor();
    }
  }));

/** Imports a conversation with reasoning, a call with its result, and an answer. Returns its path. */
const imported = async (key: string, result = '{"celsius":21}'): Promise<string> => {
  const call = { name: "get_weather", arguments: '{"city":"Rome"}' };
  const messages: ExportedConversation["messages"] = [
    { role: "user", content: "What is the weather in Rome?" },
    {
      ...{ role: "assistant", content: "", reasoning: "I need the weather." },
      tool_calls: [{ id: "call_1", type: "function", function: call }],
    },
    { role: "tool", content: result, tool_call_id: "call_1" },
    { role: "assistant", content: "It is 21 °C." },
  ];
  const conversation = { id: "chat_steps", title: "Weather", model: "smollm2-135m-instruct", messages };
  const principal = await pages.keys.verify(`Bearer ${key}`);
  const transfer = createTransfer({ db: pages.db, indexes: pages.rag.opened });
  await transfer.importAll(principal, { version: 1, conversations: [conversation] });
  const [chat] = (await pages.conversations.list(principal)).data;
  return `/chat/${chat?.id}`;
};

test("a call and its result are in one fold, which the keyboard can open", async () => {
  const { cookie, key } = await signedIn(pages);
  const path = await imported(key);
  const faults = await onScreen(pages.url, { session: cookie }, async (page) => {
    await page.goto(path);
    await page.getByText("It is 21 °C.").waitFor();
    expect(await page.locator(".turn").count()).toBe(3);
    await page.evaluate("document.activeElement.blur()");
    await tabTo(page, /^Reasoning$/);
    await page.keyboard.press("Enter");
    await page.getByText("I need the weather.").waitFor();
    await tabTo(page, /^Called get_weather/);
    await page.keyboard.press("Enter");
    expect(await textOf(page.getByRole("region", { name: "Result of call 1, get_weather" }))).toBe(
      '{\n  "celsius": 21\n}',
    );
    pages.chat.say("Also 21 °C.");
    pages.chat.finish();
    await ask(page, "And tomorrow?");
    await page.getByText("Also 21 °C.").waitFor();
    expect(pages.chat.read.map(({ role }) => role)).toEqual(["user", "assistant", "tool", "assistant", "user"]);
  });
  expect(faults).toEqual([]);
});

test.each([
  ["a narrow screen", {}],
  ["a narrow dark screen without scripts", { theme: "dark" as const, javaScript: false }],
])("steps can be read on %s, with a result of very long words", async (_, options) => {
  const { cookie, key } = await signedIn(pages);
  const path = await imported(key, "W".repeat(3000));
  const faults = await onScreen(pages.url, { session: cookie, ...options }, async (page) => {
    await page.setViewportSize({ width: 360, height: 800 });
    await page.goto(path);
    await summary(step(page, /Called get_weather/)).click();
    await summary(step(page, /Reasoning/)).click();
    await page.getByText("I need the weather.").waitFor();
    expect(await page.getByText("WWWW").isVisible()).toBe(true);
    expect(await message(page).count()).toBe(1);
    expect(await page.evaluate<number>("document.documentElement.scrollWidth")).toBe(360);
  });
  expect(faults).toEqual([]);
});
