import { beforeAll, beforeEach, describe, expect, test } from "bun:test";
import type { Page } from "playwright-core";
import { ask, chatting, message, signedIn } from "./chatting";
import { onScreen, type ScreenOptions } from "./harness";
import { openPages } from "./pages";

const pages = await openPages();
beforeEach(() => pages.chat.reset());

describe("more chats than the list shows", () => {
  const COUNT = 120;
  let cookie: string;
  let oldest: string;
  beforeAll(async () => {
    const reader = await signedIn(pages);
    ({ cookie } = reader);
    for (let number = 1; number <= COUNT; number++) {
      const { id } = await pages.conversations.create(reader.principal, { title: `Chat number ${number}` });
      if (number === 1) oldest = id;
      // The list is sorted by time in milliseconds.
      await Bun.sleep(2);
    }
  });
  const reading = async (options: ScreenOptions, work: (page: Page) => Promise<void>) =>
    expect(await onScreen(pages.url, { session: cookie, ...options }, work)).toEqual([]);
  const listed = (page: Page) => page.locator("#history li a:not(.older)").allTextContents();

  test.each([true, false])("can be reached page by page, scripts: %p", (javaScript) =>
    reading({ javaScript }, async (page) => {
      await page.goto("/chat");
      expect(await listed(page)).toHaveLength(50);
      await page.getByRole("link", { name: "Show older chats" }).click();
      await page.getByRole("link", { name: "Chat number 70", exact: true }).waitFor();
      await page.getByRole("link", { name: "Show older chats" }).click();
      await page.getByRole("link", { name: "Chat number 1", exact: true }).waitFor();
      expect(await page.getByRole("link", { name: "Show older chats" }).count()).toBe(0);
      expect(await listed(page)).toHaveLength(javaScript ? COUNT : 20);
      if (javaScript) return;
      await page.getByRole("link", { name: "Show the newest" }).click();
      await page.getByRole("link", { name: "Chat number 120", exact: true }).waitFor();
    }),
  );

  test("the open chat is listed and visible, however old it is", () =>
    reading({}, async (page) => {
      await page.goto(`/chat/${oldest}`);
      const current = page.locator('#history [aria-current="page"]');
      expect(await current.textContent()).toBe("Chat number 1");
      const isInView = await current.evaluate((link) => {
        const list = link.closest("ul")?.getBoundingClientRect();
        const { top, bottom } = link.getBoundingClientRect();
        return list !== undefined && top >= list.top && bottom <= list.bottom;
      });
      expect(isInView).toBe(true);
      await page.getByRole("link", { name: "Show older chats" }).click();
      await page.getByRole("link", { name: "Chat number 70", exact: true }).waitFor();
      await page.getByRole("link", { name: "Show older chats" }).click();
      await page.getByRole("link", { name: "Chat number 2", exact: true }).waitFor();
      expect(await current.count()).toBe(1);
    }));

  test.each([true, false])(
    "can be searched by title and text, and the address keeps the search, scripts: %p",
    (javaScript) =>
      reading({ javaScript }, async (page) => {
        pages.chat.say("Rivers run into the sea.");
        pages.chat.finish();
        await page.goto("/chat");
        await message(page).fill(`A question ${javaScript ? "with" : "without"} scripts`);
        await page.getByRole("button", { name: "Send" }).click();
        await page.getByText("184 tokens").waitFor();
        const search = async (text: string) => {
          await page.getByLabel("Search chats").fill(text);
          await page.getByLabel("Search chats").press("Enter");
          await page.getByText(`“${text}”`).waitFor();
        };
        await search("number 77");
        expect(await listed(page)).toEqual(["Chat number 77"]);
        expect(new URL(page.url()).searchParams.get("search")).toBe("number 77");
        await page.reload();
        expect(await listed(page)).toEqual(["Chat number 77"]);
        await search("run into THE sea");
        expect((await listed(page)).every((title) => title.startsWith("A question"))).toBe(true);
        await search("nothing of the kind");
        expect(await listed(page)).toEqual([]);
        await page.getByRole("link", { name: "Show all chats" }).click();
        await page.getByRole("link", { name: "Chat number 120", exact: true }).waitFor();
      }),
  );

  test("a search in a chat that was started on this page keeps that chat open", () =>
    reading({}, async (page) => {
      pages.chat.say("Yes.");
      pages.chat.finish();
      await page.goto("/chat");
      await ask(page, "Just started here");
      await page.getByText("184 tokens").waitFor();
      const { pathname } = new URL(page.url());
      expect(pathname).toMatch(/^\/chat\/chat_/);
      await page.getByLabel("Search chats").fill("just started");
      await page.getByLabel("Search chats").press("Enter");
      await page.getByText("Chats that match “just started”").waitFor();
      await page.locator('#history [aria-current="page"]').getByText("Just started here").waitFor();
      expect(new URL(page.url()).pathname).toBe(pathname);
      await page.reload();
      await page.getByText("184 tokens").waitFor();
    }));

  test("a search stays while its results are opened, and ends when its field is cleared", () =>
    reading({}, async (page) => {
      await page.goto("/chat?search=number+7");
      expect(await listed(page)).toHaveLength(11);
      await page.getByRole("link", { name: "Chat number 70", exact: true }).click();
      await page.locator('#history [aria-current="page"]').getByText("Chat number 70").waitFor();
      expect(await listed(page)).toHaveLength(11);
      expect(await page.getByLabel("Search chats").inputValue()).toBe("number 7");
      await page.getByLabel("Search chats").fill("");
      await page.getByRole("link", { name: "Chat number 120", exact: true }).waitFor();
      expect(await page.getByText("Show all chats").count()).toBe(0);
    }));

  test("showing older chats by keyboard moves the focus to them", () =>
    reading({}, async (page) => {
      await page.goto("/chat");
      await page.getByRole("link", { name: "Show older chats" }).press("Enter");
      await page.locator("#history li:nth-child(51) a:focus").waitFor();
    }));

  test("a search with more results than one page links to the rest", () =>
    reading({ javaScript: false }, async (page) => {
      await page.goto("/chat?search=chat+number");
      expect(await listed(page)).toHaveLength(50);
      await page.getByRole("link", { name: "Show older chats" }).click();
      await page.getByRole("link", { name: "Chat number 70", exact: true }).waitFor();
      expect(new URL(page.url()).searchParams.get("search")).toBe("chat number");
    }));
});

describe("a draft", () => {
  test("is not shown to another key in the same tab", async () => {
    const [ada, bob] = [await signedIn(pages), await signedIn(pages)];
    const faults = await onScreen(pages.url, { session: ada.cookie }, async (page) => {
      await page.goto("/chat");
      await message(page).fill("Ada’s secret");
      await page.reload();
      expect(await message(page).inputValue()).toBe("Ada’s secret");
      await page.context().clearCookies();
      await page.goto("/chat");
      await page.getByLabel("Your key").fill(bob.key);
      await page.getByRole("button", { name: "Sign in" }).click();
      await message(page).waitFor();
      expect(await message(page).inputValue()).toBe("");
      const kept = await page.evaluate<string>("JSON.stringify(sessionStorage)");
      expect(kept).not.toContain("secret");
    });
    expect(faults).toEqual([]);
  });

  test("belongs to its chat, and stays when an earlier chat is opened", () =>
    chatting(pages, {}, async (page) => {
      pages.chat.say("Yes.");
      pages.chat.finish();
      await ask(page, "One");
      await page.getByText("184 tokens").waitFor();
      await message(page).fill("more about one");
      await page.getByRole("link", { name: "New chat" }).click();
      await page.getByText("What would you like to know?").waitFor();
      expect(await message(page).inputValue()).toBe("");
      await page.getByRole("link", { name: "One", exact: true }).click();
      await page.getByText("184 tokens").waitFor();
      expect(await message(page).inputValue()).toBe("more about one");
    }));

  test("is not overwritten by a suggestion", () =>
    chatting(pages, {}, async (page) => {
      await message(page).fill("My own words");
      await page.getByRole("button", { name: /Explain/ }).click();
      expect(await message(page).inputValue()).toMatch(/^My own words\nExplain how/);
      await page.reload();
      expect(await message(page).inputValue()).toStartWith("My own words");
    }));
});

test("a chat is deleted only after confirmation", () =>
  chatting(pages, {}, async (page) => {
    pages.chat.say("Yes.");
    pages.chat.finish();
    await ask(page, "One");
    await page.getByText("184 tokens").waitFor();
    await page.getByTitle("Chat settings").click();
    const remove = page.getByRole("button", { name: "Delete chat permanently" });
    expect(await remove.isVisible()).toBe(false);
    await page.getByText("Delete chat…").click();
    await page.getByText("and all its messages?").waitFor();
    await remove.click();
    await page.getByText("What would you like to know?").waitFor();
    expect(await page.getByRole("link", { name: "One", exact: true }).count()).toBe(0);
  }));

describe("feedback on an answer", () => {
  const asEditor = (options: ScreenOptions, work: (page: Page) => Promise<void>): Promise<void> =>
    chatting(pages, { role: "editor", ...options }, async (page) => {
      pages.chat.say("At seven.");
      pages.chat.finish();
      await ask(page, "When does the bakery open?");
      if (options.javaScript === false) await page.getByRole("button", { name: "Send" }).click();
      await page.getByText("184 tokens").waitFor();
      await work(page);
    });

  test("opens below the answer, reports missing fields, and adds a sample to a dataset", () =>
    asEditor({ expectedStatuses: [422] }, async (page) => {
      const { pathname } = new URL(page.url());
      await page.getByRole("link", { name: "Give feedback" }).click();
      await page.getByRole("button", { name: "Save feedback" }).click();
      await page.getByText("Choose").first().waitFor();
      await page.getByLabel("Bad").check();
      await page.getByLabel("Correct answer").fill("At 6:30.");
      await page.getByLabel("Add to a dataset").fill("From chat");
      await page.getByRole("button", { name: "Save feedback" }).click();
      await page.getByText("Saved and added to a dataset").waitFor();
      expect(new URL(page.url()).pathname).toBe(pathname);
      await page.getByRole("link", { name: "open the dataset" }).click();
      await page.getByRole("heading", { level: 1, name: "From chat" }).waitFor();
      await page.getByText("When does the bakery open?").first().waitFor();
      await page.getByText("At 6:30.").first().waitFor();
    }));

  test("focuses its first field, shows errors, and closes", () =>
    asEditor({ expectedStatuses: [422] }, async (page) => {
      await page.setViewportSize({ width: 320, height: 640 });
      await page.getByRole("link", { name: "Give feedback" }).click();
      const isInView = async (text: string) => {
        const [box, dock] = [await page.getByText(text).boundingBox(), await page.locator(".dock").boundingBox()];
        return box !== null && dock !== null && box.y >= 0 && box.y + box.height <= dock.y;
      };
      const focused = page.locator("[name=rating]:focus");
      await page.getByText("How good is this answer?").waitFor();
      await focused.waitFor();
      expect(await isInView("How good is this answer?")).toBe(true);
      await page.getByRole("button", { name: "Save feedback" }).click();
      await page.getByText("Choose good or bad").waitFor();
      await focused.waitFor();
      expect(await isInView("Choose good or bad")).toBe(true);
      await page.getByRole("link", { name: "Cancel" }).click();
      await page.getByText("184 tokens").waitFor();
      expect(await page.getByRole("button", { name: "Save feedback" }).count()).toBe(0);
    }));

  test("works without scripts, on a separate page", () =>
    asEditor({ javaScript: false }, async (page) => {
      await page.getByRole("link", { name: "Give feedback" }).click();
      await page.getByLabel("Good").check();
      await page.getByRole("button", { name: "Save feedback" }).click();
      await page.getByText("Saved. Thank you.").waitFor();
      await page.getByRole("link", { name: "Back to the chat" }).click();
      await page.getByText("At seven.").waitFor();
    }));

  test("is shown after a reload, can be changed, and is stored once", () =>
    asEditor({}, async (page) => {
      await page.getByRole("link", { name: "Give feedback" }).click();
      await page.getByLabel("Bad").check();
      await page.getByLabel("Comment").fill("Wrong time");
      await page.getByRole("button", { name: "Save feedback" }).click();
      await page.getByText("Rated bad").waitFor();
      await page.reload();
      await page.getByText("Rated bad").waitFor();
      await page.getByRole("link", { name: "Change feedback" }).click();
      expect(await page.getByLabel("Bad").isChecked()).toBe(true);
      expect(await page.getByLabel("Comment").inputValue()).toBe("Wrong time");
      await page.getByLabel("Good").check();
      await page.getByRole("button", { name: "Save feedback" }).click();
      await page.getByText("Rated good").waitFor();
      const { data } = await pages.feedback.list({ limit: 100 });
      const mine = data.filter(({ comment }) => comment === "Wrong time");
      expect(mine.map(({ rating }) => rating)).toEqual(["up"]);
    }));
});
