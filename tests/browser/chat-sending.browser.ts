import { beforeEach, describe, expect, test } from "bun:test";
import type { Page } from "playwright-core";
import { AppError } from "../../lib/errors";
import { until } from "../until";
import { answers, ask, chatting as chattingOn, message } from "./chatting";
import type { ScreenOptions } from "./harness";
import { openPages } from "./pages";

const pages = await openPages();
let askedBefore = 0;
beforeEach(() => {
  pages.chat.reset();
  askedBefore = pages.chat.asked;
});

const chatting = (options: ScreenOptions, work: (page: Page) => Promise<void>) => chattingOn(pages, options, work);
const asked = () => pages.chat.asked - askedBefore;
const said = (page: Page) => page.locator(".question .said").allTextContents();
const queued = (page: Page) => page.getByRole("list", { name: "Queue" }).getByRole("listitem");
const busy = (page: Page) => page.locator('.answer[aria-busy="true"]');
const settled = async (page: Page, count: number) => {
  await until(`${count} questions are shown`, async () => (await said(page)).length === count);
  await until("all are answered", async () => (await busy(page).count()) === 0);
};
const finish = (text = "Done.") => {
  pages.chat.say(text);
  pages.chat.finish();
};
/** Delays the next questions until the returned function is called. */
const slowNetwork = async (page: Page) => {
  const { promise, resolve } = Promise.withResolvers<void>();
  await page.route("**/chat", async (route) => {
    if (route.request().method() === "POST") await promise;
    await route.continue();
  });
  return resolve;
};
/** A second tab with a copy of this tab's storage, as "Duplicate tab" creates it. */
const duplicate = async (page: Page): Promise<Page> => {
  const [copy] = await Promise.all([page.context().waitForEvent("page"), page.evaluate("void open(location.href)")]);
  await message(copy).waitFor();
  return copy;
};

describe("a queued message", () => {
  test.each(["a link", "its address"])(
    "is sent once if the previous answer ended while the user was away, who returns by %s",
    (way) =>
      chatting({}, async (page) => {
        await ask(page, "Explain batching");
        await busy(page).waitFor();
        await ask(page, "And then?");
        await queued(page).getByText("And then?").waitFor();
        const chat = page.url();
        await page.goto("/chat");
        finish();
        await until(
          "the answer has ended",
          async () => !(await (await page.request.get(chat)).text()).includes("aria-busy"),
        );
        if (way === "a link") await page.getByRole("link", { name: "Explain batching" }).click();
        else await page.goto(chat);
        await settled(page, 2);
        expect(await said(page)).toEqual(["Explain batching", "And then?"]);
        expect([page.url(), await queued(page).count(), asked()]).toEqual([chat, 0, 2]);
      }),
  );

  test("typed while the first question of a new chat is being sent belongs to that chat", () =>
    chatting({}, async (page) => {
      const release = await slowNetwork(page);
      await ask(page, "First question");
      await ask(page, "Second");
      await queued(page).getByText("Second").waitFor();
      await message(page).fill("half a thought");
      release();
      await busy(page).waitFor();
      expect(await message(page).inputValue()).toBe("half a thought");
      await page.reload();
      expect(await queued(page).locator("p").allTextContents()).toEqual(["Second"]);
      expect(await message(page).inputValue()).toBe("half a thought");
      finish();
      await settled(page, 2);
      await page.getByRole("link", { name: "New chat" }).click();
      await page.getByText("What would you like to know?").waitFor();
      expect([await queued(page).count(), await message(page).inputValue(), asked()]).toEqual([0, "", 2]);
    }));

  test("is answered once if it is in two copies of a tab", () =>
    chatting({ expectedStatuses: [409] }, async (page) => {
      await ask(page, "Explain batching");
      await busy(page).waitFor();
      await ask(page, "And then?");
      const copy = await duplicate(page);
      await queued(copy).getByText("And then?").waitFor();
      finish();
      for (const tab of [page, copy]) await until("it was sent", async () => (await said(tab)).length === 2);
      await ask(copy, "The end");
      // A page that is loaded before would not show it.
      await settled(copy, 3);
      for (const tab of [page, copy]) {
        await tab.reload();
        await until("all were sent", async () => (await queued(tab).count()) === 0);
        await settled(tab, 3);
        expect(await said(tab)).toEqual(["Explain batching", "And then?", "The end"]);
      }
      expect(asked()).toBe(3);
    }));
});

describe("a message that is submitted twice is sent once", () => {
  test("by Enter, on a slow network, and the field is cleared immediately", () =>
    chatting({}, async (page) => {
      const release = await slowNetwork(page);
      await ask(page, "enter twice");
      expect(await message(page).inputValue()).toBe("");
      await message(page).press("Enter");
      release();
      finish();
      await settled(page, 1);
      expect([await queued(page).count(), asked()]).toEqual([0, 1]);
    }));

  test("by Continue, and only the last answer has that button", () =>
    chatting({}, async (page) => {
      pages.chat.facts = { finish_reason: "length" };
      finish("Half of it");
      await ask(page, "Tell me");
      const onward = page.getByRole("button", { name: "Continue" });
      await onward.dblclick();
      await settled(page, 2);
      // The earlier answer's button is hidden.
      expect([await onward.count(), asked()]).toEqual([1, 2]);
    }));
});

test("while a question is being sent, the chat can't be changed otherwise; afterwards it can", () =>
  chatting({ expectedStatuses: [503] }, async (page) => {
    const again = page.getByRole("button", { name: "Regenerate answer" });
    const edit = page.getByRole("link", { name: "Edit question" }).first();
    finish();
    await ask(page, "One");
    await settled(page, 1);
    await again.waitFor();
    const send = await slowNetwork(page);
    await ask(page, "Two");
    await again.waitFor({ state: "hidden" });
    await edit.waitFor({ state: "hidden" });
    send();
    await settled(page, 2);
    await again.waitFor();
    Object.assign(pages.refusal, { path: /^\/chat$/, error: new AppError("unavailable", "The node is down.") });
    await ask(page, "Three");
    await page.getByRole("alert").getByText("The node is down.").waitFor();
    pages.refusal.error = undefined;
    await again.waitFor();
    await edit.waitFor();
  }));

describe("a chat in two tabs", () => {
  /** A second tab on the chat, opened while one answer is complete. */
  const twoTabs = async (page: Page) => {
    finish();
    await ask(page, "q one");
    await settled(page, 1);
    const other = await page.context().newPage();
    await other.goto(page.url());
    return other;
  };

  test("a question asked while the other tab's answer is in progress shows that answer and waits for it", () =>
    chatting({}, async (page) => {
      const other = await twoTabs(page);
      pages.chat.reset();
      await ask(page, "q two");
      await busy(page).waitFor();
      await ask(other, "q three");
      await busy(other).waitFor();
      expect(await other.getByRole("alert").textContent()).toBe("");
      await queued(other).getByText("q three").waitFor();
      await message(other).press("Escape");
      await until("the next was asked", async () => (await said(other)).length === 3);
      expect(await said(other)).toEqual(["q one", "q two", "q three"]);
    }));

  test("a question asked on a stale tab adds the turns that the tab is missing", () =>
    chatting({}, async (page) => {
      const other = await twoTabs(page);
      await ask(other, "q two");
      await settled(other, 2);
      await ask(page, "q three");
      await settled(page, 3);
      expect(await said(page)).toEqual(["q one", "q two", "q three"]);
      expect(await answers(page).count()).toBe(3);
    }));
});

describe("a form inside a turn", () => {
  const exchanged = async (page: Page, ...questions: string[]) => {
    finish();
    for (const [index, question] of questions.entries()) {
      await ask(page, question);
      await settled(page, index + 1);
    }
  };
  const edit = (page: Page) => page.getByRole("link", { name: "Edit question" }).first().press("Enter");
  const editor = (page: Page) => page.getByLabel("Edit your question");

  test("keeps typed text when other turns change, after Escape and after a reload, and Cancel discards it", () =>
    chatting({}, async (page) => {
      await exchanged(page, "One");
      await edit(page);
      await editor(page).fill("A long new text");
      await page.getByRole("button", { name: "Regenerate answer" }).click();
      await page.getByText("2 / 2").waitFor();
      for (const close of [() => editor(page).press("Escape"), () => page.reload()]) {
        await edit(page);
        expect(await editor(page).inputValue()).toBe("A long new text");
        await close();
        await editor(page).waitFor({ state: "detached" });
      }
      await edit(page);
      await page.getByRole("link", { name: "Cancel" }).click();
      await edit(page);
      expect(await editor(page).inputValue()).toBe("One");
      await page.keyboard.type(" more");
      expect(await editor(page).inputValue()).toBe("One more");
    }));

  test("keeps a comment on an answer until it is saved", () =>
    chatting({}, async (page) => {
      await exchanged(page, "One");
      const rate = () => page.getByRole("link", { name: /feedback/ }).click();
      await rate();
      await page.getByLabel("Comment").fill("Too short");
      await page.getByRole("button", { name: "Regenerate answer" }).click();
      await page.getByText("2 / 2").waitFor();
      await page.getByRole("button", { name: "Previous version" }).click();
      await page.getByText("1 / 2").waitFor();
      await rate();
      expect(await page.getByLabel("Comment").inputValue()).toBe("Too short");
      await page.getByLabel("Good").check();
      await page.getByRole("button", { name: "Save feedback" }).click();
      await page.getByText("Saved. Thank you.").waitFor();
      expect(await page.evaluate<string>("JSON.stringify(sessionStorage)")).not.toContain("Too short");
    }));

  test("scrolls into view when it opens, and closes without scrolling", () =>
    chatting({}, async (page) => {
      await exchanged(page, "One", "Two", "Three");
      await page.evaluate("scrollTo(0, document.documentElement.scrollHeight)");
      const place = () =>
        page.evaluate<string>(
          "new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(() => drawn([scrollY, document.activeElement.title].join()))))",
        );
      await edit(page);
      await page.locator(".question textarea:focus").waitFor();
      await place();
      const box = await editor(page).boundingBox();
      expect(box?.y).toBeGreaterThan(0);
      const marked = await page.evaluateHandle("document.body");
      await page.getByRole("link", { name: "Cancel" }).click();
      expect(await place()).toEndWith("Edit question");
      expect(await marked.evaluate((body) => (body as unknown as { isConnected: boolean }).isConnected)).toBe(true);
    }));
});
