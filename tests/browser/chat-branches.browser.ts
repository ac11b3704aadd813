import { beforeEach, describe, expect, test } from "bun:test";
import type { Page } from "playwright-core";
import { AppError } from "../../lib/errors";
import { until } from "../until";
import { answers, ask, chatting as chattingOn, message, textOf } from "./chatting";
import type { ScreenOptions } from "./harness";
import { tabTo } from "./keyboard";
import { openPages } from "./pages";

const pages = await openPages();
beforeEach(() => pages.chat.reset());

const chatting = (options: ScreenOptions, work: (page: Page) => Promise<void>) => chattingOn(pages, options, work);

/** Scripts the whole next answer. */
const script = (text: string, facts: typeof pages.chat.facts = {}) => {
  pages.chat.reset();
  pages.chat.facts = facts;
  pages.chat.say(text);
  pages.chat.finish();
};
const usage = (prompt_tokens: number, completion_tokens: number) => ({
  usage: { prompt_tokens, completion_tokens, total_tokens: prompt_tokens + completion_tokens },
});
const send = async (page: Page, text: string, isScripted = true) => {
  await message(page).fill(text);
  if (isScripted) await message(page).press("Enter");
  else await page.getByRole("button", { name: "Send" }).click();
};
const exchange = async (page: Page, question: string, answer: string, facts: typeof pages.chat.facts = {}) => {
  script(answer, facts);
  await ask(page, question);
  await page.locator(".answer").last().getByText(answer, { exact: true }).waitFor();
  await page.locator(".answer").last().getByText("tokens", { exact: false }).first().waitFor();
};
const said = (page: Page) => page.locator(".question .said").allTextContents();
const answered = async (page: Page) => (await answers(page).allTextContents()).map((text) => text.trim());

describe("answering again", () => {
  test("keeps both answers, and the selected version after a reload", () =>
    chatting({}, async (page) => {
      await exchange(page, "Explain batching", "Old");
      script("New");
      await page.getByRole("button", { name: "Regenerate answer" }).click();
      await page.getByText("New", { exact: true }).waitFor();
      await page.getByText("2 / 2").waitFor();
      await page.getByRole("button", { name: "Previous version" }).click();
      await page.getByText("Old", { exact: true }).waitFor();
      await page.reload();
      await page.getByText("1 / 2").waitFor();
      expect(await answered(page)).toEqual(["Old"]);
    }));

  test("lets the keyboard switch versions, and the focus stays on the switcher", () =>
    chatting({}, async (page) => {
      await exchange(page, "Explain batching", "Old");
      script("New");
      await page.getByRole("button", { name: "Regenerate answer" }).click();
      await page.getByText("2 / 2").waitFor();
      await page.evaluate("document.activeElement.blur()");
      await tabTo(page, /^Next version$/);
      await page.keyboard.press("Enter");
      await page.getByText("1 / 2").waitFor();
      await page.keyboard.press("Enter");
      await page.getByText("2 / 2").waitFor();
      expect(await answered(page)).toEqual(["New"]);
    }));
});

test("the focus moves to the message field when the focused button is removed", () =>
  chatting({}, async (page) => {
    const button = (name: string) => page.getByRole("button", { name, exact: true });
    const isInField = () => page.locator("#question:focus").waitFor();
    await exchange(page, "Explain batching", "Old");
    script("New");
    await button("Regenerate answer").press("Enter");
    await isInField();
    await page.getByText("New", { exact: true }).waitFor();

    await page.getByRole("link", { name: "Edit question" }).press("Enter");
    pages.chat.reset();
    await button("Ask again").press("Enter");
    await isInField();
    pages.chat.say("Begun");
    await page.getByText("Begun", { exact: true }).waitFor();

    await button("Stop").press("Enter");
    await page.getByText("Stopped", { exact: true }).waitFor();
    await isInField();

    await page.getByRole("link", { name: "Give feedback" }).press("Enter");
    await page.getByLabel("Good").check();
    await button("Save feedback").press("Enter");
    await page.getByText("Rated good").waitFor();
    await isInField();
  }));

describe("a question", () => {
  test("can be edited into another version, and the earlier version keeps its later messages", () =>
    chatting({}, async (page) => {
      await exchange(page, "One", "First");
      await exchange(page, "Two", "Second");
      await page.getByRole("link", { name: "Edit question" }).first().click();
      const editor = page.getByLabel("Edit your question");
      expect(await editor.inputValue()).toBe("One");
      await editor.fill("Uno");
      script("Primo");
      await page.getByRole("button", { name: "Ask again" }).click();
      await page.getByText("Primo", { exact: true }).waitFor();
      expect([await said(page), pages.chat.read]).toEqual([["Uno"], [{ role: "user", content: "Uno" }]]);
      await page.getByText("2 / 2").waitFor();
      await page.locator(".question").getByRole("button", { name: "Previous version" }).click();
      await page.getByText("Second", { exact: true }).waitFor();
      expect([await said(page), await answered(page)]).toEqual([
        ["One", "Two"],
        ["First", "Second"],
      ]);
    }));

  test("can be edited with the keyboard: Enter asks, Shift+Enter adds a line, Escape cancels", () =>
    chatting({}, async (page) => {
      await exchange(page, "One", "First");
      const edit = () => page.getByRole("link", { name: "Edit question" }).press("Enter");
      const editor = page.getByLabel("Edit your question");
      await edit();
      await editor.fill("Dropped");
      await editor.press("Escape");
      await editor.waitFor({ state: "detached" });
      expect(await said(page)).toEqual(["One"]);
      await edit();
      await editor.fill("Uno");
      await editor.press("Shift+Enter");
      await editor.pressSequentially("Due");
      script("Primo");
      await editor.press("Enter");
      await page.getByText("Primo", { exact: true }).waitFor();
      expect(pages.chat.read).toEqual([{ role: "user", content: "Uno\nDue" }]);
    }));

  test("is deleted with its answer after confirmation, and later messages are kept", () =>
    chatting({}, async (page) => {
      await exchange(page, "One", "First");
      await exchange(page, "Two", "Second");
      const first = page.locator(".question").first();
      await first.getByTitle("Delete question").click();
      await first.getByText("This can’t be undone").waitFor();
      await first.getByRole("button", { name: "Delete question and answer" }).click();
      await until("the first turn is gone", async () => (await said(page)).length === 1);
      expect([await said(page), await answered(page)]).toEqual([["Two"], ["Second"]]);
    }));

  test("longer than the context is rejected with advice, and its text is kept", () =>
    chatting({ expectedStatuses: [400] }, async (page) => {
      const long = "word ".repeat(4000).trim();
      await send(page, long);
      await page.getByRole("alert").getByText("exceeds the context window").waitFor();
      expect(await message(page).inputValue()).toBe(long);
      expect(await page.locator(".question").count()).toBe(0);
      await exchange(page, "Shorter", "Better");
    }));
});

describe("the context", () => {
  test("has a meter, a warning when it is nearly full, and a divider before the first message that the model sees", () =>
    chatting({}, async (page) => {
      await exchange(page, "One", "First", usage(1000, 500));
      await page.getByText("Context: 1,500 of 4,096 tokens").waitFor();
      expect(await page.getByText("Nearly full").count()).toBe(0);
      await exchange(page, "Two", "Second", usage(3000, 500));
      await page.getByText("Nearly full: the oldest messages will be left out").waitFor();
      // The estimate exceeds the window, so the tokens are counted and the oldest turns are left out.
      script("Third", usage(1700, 50));
      pages.chat.tokensPerMessage = 1600;
      await ask(page, "Three");
      await page.getByText("The model no longer sees the messages above").waitFor();
      expect(pages.chat.read).toEqual([{ role: "user", content: "Three" }]);
      for (const _ of ["as it came", "reloaded"]) {
        const order = await page
          .locator("#turns > :not([hidden])")
          .evaluateAll((all) => all.map(({ className }) => className));
        const turn = ["turn question", "turn answer"];
        expect(order).toEqual([...turn, ...turn, "context-divider", ...turn]);
        await page.getByText("Context: 1,750 of 4,096 tokens").waitFor();
        await page.reload();
      }
    }));

  test("that is full is shown as the reason why an answer stopped, instead of the length limit", () =>
    chatting({}, async (page) => {
      await exchange(page, "One", "Cut", { finish_reason: "length", ...usage(3596, 500) });
      await page.getByText("Stopped: the context is full").waitFor();
      expect(await page.getByRole("button", { name: "Continue" }).count()).toBe(0);
      await exchange(page, "Two", "Cut too", { finish_reason: "length", ...usage(100, 1024) });
      await page.getByText("Stopped at the length limit").waitFor();
      script("and the rest");
      await page.getByRole("button", { name: "Continue" }).click();
      await page.getByText("and the rest").waitFor();
    }));
});

describe("Enter while an answer is in progress", () => {
  /** An answer that is being written. */
  const busy = async (page: Page) => {
    await ask(page, "Explain batching");
    await page.locator('.answer[aria-busy="true"]').waitFor();
  };
  const queued = (page: Page) => page.getByRole("list", { name: "Queue" }).getByRole("listitem");

  test("queues the message and sends it after the answer; text typed meanwhile is kept", () =>
    chatting({}, async (page) => {
      const before = pages.chat.asked;
      await busy(page);
      await ask(page, "And then?");
      await queued(page).getByText("And then?").waitFor();
      expect([await message(page).inputValue(), pages.chat.asked - before]).toEqual(["", 1]);
      await message(page).fill("half a thought");
      pages.chat.say("Done.");
      pages.chat.finish();
      await until("both were asked", async () => (await said(page)).length === 2);
      expect(await said(page)).toEqual(["Explain batching", "And then?"]);
      expect(await queued(page).count()).toBe(0);
      expect(await message(page).inputValue()).toBe("half a thought");
      expect(pages.chat.asked - before).toBe(2);
    }));

  test("queues several messages in order, which can be edited and removed and survive a reload", () =>
    chatting({}, async (page) => {
      await busy(page);
      for (const text of ["one", "two", "three"]) await ask(page, text);
      expect(await queued(page).locator("p").allTextContents()).toEqual(["one", "two", "three"]);
      await queued(page).nth(1).getByRole("button", { name: "Remove queued message" }).click();
      await page.reload();
      await page.locator('.answer[aria-busy="true"]').waitFor();
      expect(await queued(page).locator("p").allTextContents()).toEqual(["one", "three"]);
      await queued(page).first().getByRole("button", { name: "Edit queued message" }).click();
      expect(await message(page).inputValue()).toBe("one");
      await message(page).fill("first");
      await message(page).press("Enter");
      pages.chat.say("Done.");
      pages.chat.finish();
      await until("all were asked", async () => (await said(page)).length === 3);
      expect(await said(page)).toEqual(["Explain batching", "three", "first"]);
    }));

  test("sends the message after a stopped answer, and keeps it queued after a failed one", () =>
    chatting({}, async (page) => {
      await busy(page);
      await ask(page, "Next");
      await message(page).press("Escape");
      await until("the next was asked", async () => (await said(page)).length === 2);
      await page.locator('.answer[aria-busy="true"]').waitFor();
      await ask(page, "Last");
      pages.chat.fail(new AppError("upstream_error", "The GPU node stopped answering."));
      await page.getByText("The GPU node stopped answering.").waitFor();
      expect(await queued(page).count()).toBe(1);
      script("All is well");
      await queued(page).getByRole("button", { name: "Send now" }).click();
      await page.getByText("All is well").waitFor();
      expect(await said(page)).toEqual(["Explain batching", "Next", "Last"]);
    }));
});

test("stopping shows no error, even before the first word", () =>
  chatting({}, async (page) => {
    await ask(page, "Explain batching");
    await page.locator('.answer[aria-busy="true"]').waitFor();
    await page.getByRole("button", { name: "Stop" }).click();
    await page.locator(".answer").getByText("Stopped", { exact: true }).waitFor();
    expect(await page.locator(".problem, .field-problem").count()).toBe(0);
    expect(await textOf(page.getByRole("alert"))).toBe("");
    expect(await page.locator("#chat-status").textContent()).toContain("Stopped");
  }));

test("a blank chat name shows an error at its field", () =>
  chatting({ expectedStatuses: [422] }, async (page) => {
    await exchange(page, "One", "First");
    await page.getByTitle("Chat settings").click();
    await page.getByLabel("Chat name").fill("   ");
    await page.getByRole("button", { name: "Rename chat" }).click();
    await page.getByText("Enter a name").waitFor();
    await page.getByLabel("Chat name").fill("Numbers");
    await page.getByRole("button", { name: "Rename chat" }).click();
    await page.getByRole("link", { name: "Numbers" }).waitFor();
  }));

test("a message with too many characters is rejected with the limit, and its text is kept", () =>
  chatting({ expectedStatuses: [400] }, async (page) => {
    const long = "x".repeat(100_001);
    await ask(page, long);
    await page.getByRole("alert").getByText("has 100,001 characters; the limit is 100,000").waitFor();
    expect((await message(page).inputValue()).length).toBe(long.length);
  }));

test("a failed answer says that its text is kept only if it has some", () =>
  chatting({}, async (page) => {
    pages.chat.fail(new AppError("upstream_error", "The GPU node stopped answering."));
    await ask(page, "One");
    await page.getByText("The GPU node stopped answering.").waitFor();
    expect(await page.getByText("is kept").count()).toBe(0);
    pages.chat.reset();
    pages.chat.say("Half an");
    pages.chat.fail(new AppError("upstream_error", "The GPU node stopped answering."));
    await page.getByRole("button", { name: "Regenerate answer" }).click();
    await page.getByText("The text so far is kept.").waitFor();
  }));

test("without scripts, features that need them are hidden, and the page of an answer in progress refreshes itself", async () => {
  await chatting({ javaScript: false }, async (page) => {
    expect(await page.getByRole("button", { name: /Explain/ }).count()).toBe(0);
    expect(await page.getByText("for a new line").isVisible()).toBe(false);
  });
  await chatting({}, async (page) => {
    const refreshes = async () => (await (await page.request.get(page.url())).text()).includes('http-equiv="refresh"');
    await ask(page, "One");
    await page.locator('.answer[aria-busy="true"]').waitFor();
    expect(await refreshes()).toBe(true);
    script("First");
    await page.getByText("184 tokens").waitFor();
    expect(await refreshes()).toBe(false);
  });
});

test("without scripts, forms handle versions, editing, deleting and a question that is too long", () =>
  chatting({ javaScript: false, expectedStatuses: [422] }, async (page) => {
    script("Old");
    await send(page, "One", false);
    script("New");
    await page.getByRole("button", { name: "Regenerate answer" }).click();
    await page.getByText("2 / 2").waitFor();
    await page.getByRole("button", { name: "Previous version" }).click();
    await page.getByText("1 / 2").waitFor();
    expect(await answered(page)).toEqual(["Old"]);

    await page.getByRole("link", { name: "Edit question" }).click();
    await page.getByLabel("Edit your question").fill("Uno");
    script("Primo");
    await page.getByRole("button", { name: "Ask again" }).click();
    await page.getByText("Primo").waitFor();
    expect(await said(page)).toEqual(["Uno"]);

    const long = "word ".repeat(4000).trim();
    await send(page, long, false);
    await page.getByText("exceeds the context window").waitFor();
    expect(await message(page).inputValue()).toBe(long);

    await page.getByTitle("Delete question").click();
    await page.getByRole("button", { name: "Delete question and answer" }).click();
    // The newest remaining branch is shown.
    await page.getByText("New", { exact: true }).waitFor();
    expect(await said(page)).toEqual(["One"]);
  }));
