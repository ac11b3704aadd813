import { beforeEach, describe, expect, test } from "bun:test";
import type { Page } from "playwright-core";
import { AppError } from "../../lib/errors";
import { until } from "../until";
import { answers, ask, chatting as chattingOn, message, signedIn, textOf } from "./chatting";
import { onScreen, type ScreenOptions } from "./harness";
import { tabTo } from "./keyboard";
import { REFUSED_STATUSES, refuseInEveryWay } from "./matrix";
import { openPages } from "./pages";
import { MARKDOWN } from "./texts";

const pages = await openPages();
beforeEach(() => {
  pages.chat.reset();
  pages.refusal.error = undefined;
});

const session = (role?: "viewer" | "member" | "admin") => signedIn(pages, role);
const chatting = (options: ScreenOptions, work: (page: Page) => Promise<void>) => chattingOn(pages, options, work);

describe("an answer", () => {
  test("arrives in pieces, is marked busy, and is announced at start and end", () =>
    chatting({}, async (page) => {
      await ask(page, "Explain batching");
      await page.locator('.answer[aria-busy="true"]').waitFor();
      const status = page.locator("#chat-status");
      expect(await status.textContent()).toContain("Generating");
      pages.chat.say("One");
      await page.getByText("One", { exact: true }).waitFor();
      pages.chat.say(" two");
      await page.getByText("One two", { exact: true }).waitFor();
      pages.chat.finish();
      await page.getByText("Answer ready, 2 words").waitFor({ state: "attached" });
      expect(await page.locator("[aria-busy]").count()).toBe(0);
      expect(await page.getByText("184 tokens").isVisible()).toBe(true);
    }));

  test("does not change finished blocks while the last one grows", () =>
    chatting({}, async (page) => {
      await ask(page, "Explain batching");
      pages.chat.say("First paragraph.\n\nSecond");
      await page.getByText("Second", { exact: true }).waitFor();
      const first = await page.getByText("First paragraph.").elementHandle();
      pages.chat.say(" paragraph.\n\n- and\n- a list");
      await page.getByText("a list").waitFor();
      pages.chat.finish();
      await page.getByText("184 tokens").waitFor();
      expect(await first?.evaluate((node) => node.isConnected)).toBe(true);
      expect(await answers(page).locator("> *").count()).toBe(3);
    }));

  test("stops immediately with the button and with Escape, and keeps its text", () =>
    chatting({}, async (page) => {
      for (const stop of [
        () => page.getByRole("button", { name: "Stop" }).click(),
        () => message(page).press("Escape"),
      ]) {
        pages.chat.reset();
        await ask(page, "Explain batching");
        pages.chat.say("So far");
        await page.getByText("So far").last().waitFor();
        await stop();
        await page.locator(".answer").last().getByText("Stopped", { exact: true }).waitFor();
      }
      await page.reload();
      expect(await page.getByText("So far").count()).toBe(2);
    }));

  test("continues after a reload without repeating a word", () =>
    chatting({}, async (page) => {
      await ask(page, "Explain batching");
      pages.chat.say("Alpha beta");
      await page.getByText("Alpha beta").waitFor();
      expect(page.url()).toMatch(/\/chat\/chat_/);
      await page.reload();
      await page.getByText("Alpha beta").waitFor();
      pages.chat.say(" gamma");
      pages.chat.finish();
      await page.getByText("184 tokens").waitFor();
      expect(await textOf(answers(page))).toBe("Alpha beta gamma");
    }));

  test("appears in two tabs", async () => {
    await chatting({}, async (page) => {
      await ask(page, "Explain batching");
      pages.chat.say("Shared");
      await page.getByText("Shared").waitFor();
      const other = await page.context().newPage();
      await other.goto(page.url());
      pages.chat.say(" text");
      pages.chat.finish();
      for (const tab of [page, other]) {
        await tab.getByText("184 tokens").waitFor();
        expect(await textOf(answers(tab))).toBe("Shared text");
      }
    });
  });

  test("can be regenerated and replaces the earlier answer", () =>
    chatting({}, async (page) => {
      pages.chat.say("Old");
      pages.chat.finish();
      await ask(page, "Explain batching");
      await page.getByText("184 tokens").waitFor();
      pages.chat.reset();
      pages.chat.say("New");
      pages.chat.finish();
      await page.getByRole("button", { name: "Regenerate answer" }).click();
      await page.getByText("New", { exact: true }).waitFor();
      await page.getByText("184 tokens").waitFor();
      expect(await textOf(answers(page))).toBe("New");
    }));

  test("that fails keeps its text, shows the reason, and can be regenerated", () =>
    chatting({}, async (page) => {
      await ask(page, "Explain batching");
      pages.chat.say("Half an");
      pages.chat.fail(new AppError("upstream_error", "The GPU node stopped answering. Try again."));
      await page.getByText("The GPU node stopped answering.").waitFor();
      expect(await textOf(answers(page))).toBe("Half an");
      pages.chat.reset();
      pages.chat.say("A whole answer");
      pages.chat.finish();
      await page.getByRole("button", { name: "Regenerate answer" }).click();
      await page.getByText("A whole answer").waitFor();
    }));

  test("scrolls along while the user is at the end, and otherwise shows a button that jumps to the end", () =>
    chatting({}, async (page) => {
      await ask(page, "Explain batching");
      pages.chat.say(MARKDOWN.repeat(2));
      await page.getByText("Streams").last().waitFor();
      const fromEnd = () =>
        page.evaluate<number>("document.documentElement.scrollHeight - innerHeight - Math.round(scrollY)");
      await until("the page follows the end", async () => (await fromEnd()) < 2);
      await page.evaluate("scrollTo(0, 0)");
      pages.chat.say("\n\nMore text at the end.");
      await page.getByRole("button", { name: "Jump to latest" }).click();
      await until("the page is back at the end", async () => (await fromEnd()) < 2);
    }));
});

describe("typed text", () => {
  test("is sent with Enter, gets a line break with Shift+Enter, and survives a reload", () =>
    chatting({}, async (page) => {
      await message(page).fill("one");
      await message(page).press("Shift+Enter");
      await message(page).pressSequentially("two");
      await page.reload();
      expect(await message(page).inputValue()).toBe("one\ntwo");
      await message(page).press("Enter");
      await page.locator(".question").waitFor();
      expect(await textOf(page.locator(".question .said"))).toBe("one\ntwo");
      expect(await message(page).inputValue()).toBe("");
      await page.reload();
      expect(await message(page).inputValue()).toBe("");
    }));

  test("is deleted from the browser on sign-out", () =>
    chatting({}, async (page) => {
      await message(page).fill("a secret");
      await page.getByRole("button", { name: "Sign out" }).click();
      await page.getByLabel("Your key").waitFor();
      expect(await page.evaluate<number>("sessionStorage.length")).toBe(0);
    }));
});

describe("a rejected request", () => {
  test.each<[string, RegExp, (page: Page) => Promise<void>]>([
    ["sending", /^\/chat$/, (page) => message(page).press("Enter")],
    ["asking again", /regenerate$/, (page) => page.getByRole("button", { name: "Regenerate answer" }).click()],
  ])("for %s shows the reason for every error kind, and keeps the page and what was typed", (_, path, act) =>
    chatting({ expectedStatuses: REFUSED_STATUSES }, async (page) => {
      pages.chat.say("An answer");
      pages.chat.finish();
      await ask(page, "A question");
      await page.getByText("184 tokens").waitFor();
      pages.chat.reset();
      await message(page).fill("typed");
      await refuseInEveryWay(page, pages, {
        path,
        act: () => act(page),
        async stays() {
          expect(await page.locator(".question").count()).toBe(1);
          expect(await textOf(answers(page))).toBe("An answer");
          expect(await message(page).inputValue()).toBe("typed");
        },
      });
    }),
  );

  test("with an expired session leads to sign-in and back, and keeps the draft", async () => {
    const { cookie, key } = await session();
    const faults = await onScreen(pages.url, { session: cookie, expectedStatuses: [401] }, async (page) => {
      await page.goto("/chat");
      await message(page).fill("Not lost");
      await pages.sessions.signOut(cookie);
      await message(page).press("Enter");
      await page.getByLabel("Your key").fill(key);
      await page.getByRole("button", { name: "Sign in" }).click();
      await message(page).waitFor();
      expect(await message(page).inputValue()).toBe("Not lost");
    });
    expect(faults).toEqual([]);
  });

  test("without a network shows an error and keeps the draft", () =>
    chatting({ expectedFault: /net::ERR_FAILED/ }, async (page) => {
      await page.route("**/chat", (route) => route.abort());
      await ask(page, "Not lost");
      await page.getByRole("alert").getByText("Groundwire can’t be reached.").waitFor();
      expect(await message(page).inputValue()).toBe("Not lost");
    }));
});

describe("any text", () => {
  const ATTACKS = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "![x](https://evil.example/pixel.png)",
    "![x][1]\n\n[1]: https://evil.example/pixel.png",
    "[click](javascript:alert(1))",
    "<svg onload=alert(1)><animate onbegin=alert(1) attributeName=x>",
    "<math><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;img src=1 onerror=alert(1)&gt;'>",
    "<div hx-get='/system/status' hx-trigger='load'>x</div>",
    "<hx-partial hx-target='body'>gone</hx-partial>",
    "</div></article><form action='https://evil.example'><button>go</button></form>",
    "<style>@import 'https://evil.example/a.css'</style><link rel=stylesheet href='https://evil.example/a.css'>",
    "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
    "<body onload=alert(1)><head><title>evil</title></head>",
  ].join("\n\n");

  test("as question, answer or title runs no script, loads nothing and triggers no htmx request", () =>
    chatting({}, async (page) => {
      const sent: string[] = [];
      page.on("request", (request) => sent.push(new URL(request.url()).pathname));
      page.on("dialog", () => sent.push("dialog"));
      await ask(page, ATTACKS);
      for (const piece of ATTACKS.split(/(?<=<)/)) pages.chat.say(piece);
      pages.chat.finish();
      await page.getByText("184 tokens").waitFor();
      await page.reload();
      await page.getByText("184 tokens").waitFor();
      expect(sent.filter((path) => !/^\/(assets|chat)\//.test(path) && path !== "/chat")).toEqual([]);
      expect(await page.locator("img, iframe, .prose form, .prose [hx-get], .prose style").count()).toBe(0);
      expect(await page.title()).not.toBe("evil");
    }));

  test("fits on a narrow screen, with very long words, right-to-left text, emoji or wide code", () =>
    chatting({ width: 390 }, async (page) => {
      const texts = [
        "W".repeat(5000),
        "\u0645\u0631\u062d\u0628\u0627 ".repeat(40),
        "\u{1F469}\u200d\u{1F680}".repeat(200),
      ];
      pages.chat.say([...texts, `\`\`\`\n${"x".repeat(2000)}\n\`\`\``, `\`${"y".repeat(500)}\``].join("\n\n"));
      pages.chat.finish();
      await ask(page, texts.join("\n"));
      await page.getByText("184 tokens").waitFor();
      expect(await page.evaluate<number>("document.documentElement.scrollWidth")).toBe(390);
    }));
});

describe("without scripts", () => {
  test("forms handle signing in, asking, reading and managing chats", async () => {
    const { key } = await pages.newKey("member");
    pages.chat.say(MARKDOWN);
    pages.chat.finish();
    const faults = await onScreen(pages.url, { javaScript: false }, async (page) => {
      await page.goto("/chat");
      await page.getByLabel("Your key").fill(key);
      await page.getByRole("button", { name: "Sign in" }).click();
      await message(page).fill("Explain batching");
      await page.getByRole("button", { name: "Send" }).click();
      await page.getByText("184 tokens").waitFor();
      expect(await page.getByRole("heading", { name: "How it works" }).isVisible()).toBe(true);
      await page.getByTitle("Chat settings").click();
      await page.getByLabel("Chat name").fill("Batching");
      await page.getByRole("button", { name: "Rename chat" }).click();
      await page.getByRole("link", { name: "Batching" }).waitFor();
      await page.getByTitle("Chat settings").click();
      await page.getByText("Delete chat…").click();
      await page.getByRole("button", { name: "Delete chat permanently" }).click();
      expect(await page.getByRole("link", { name: "Batching" }).count()).toBe(0);
      await page.getByRole("button", { name: /Theme/ }).click();
      expect(await page.locator("html").getAttribute("data-theme")).toBe("light");
      await page.getByRole("button", { name: "Sign out" }).click();
      await page.getByLabel("Your key").waitFor();
    });
    expect(faults).toEqual([]);
  });

  test("forms create, rotate and revoke a key", async () => {
    const { cookie } = await session("admin");
    const options = { session: cookie, javaScript: false, expectedStatuses: [422] };
    const faults = await onScreen(pages.url, options, async (page) => {
      await page.goto("/keys");
      await page.getByRole("link", { name: "Create key" }).click();
      await page.getByRole("button", { name: "Create key" }).click();
      await page.getByText("There is a problem").waitFor();
      await page.getByLabel("Name").fill("search service");
      await page.getByRole("button", { name: "Create key" }).click();
      expect(await textOf(page.locator("#secret"))).toMatch(/^gw_/);
      await page.getByRole("button", { name: "I stored it" }).click();
      await page.getByRole("link", { name: "search service" }).click();
      await page.getByRole("button", { name: "Rotate key" }).click();
      expect(await textOf(page.locator("#secret"))).toMatch(/^gw_/);
      await page.getByRole("button", { name: "I stored it" }).click();
      await page.getByRole("link", { name: "search service" }).first().click();
      await page.getByLabel(/to confirm/).fill("something else");
      await page.getByRole("button", { name: "Revoke key" }).click();
      await page.getByText("There is a problem").waitFor();
      await page.getByLabel(/to confirm/).fill("search service");
      await page.getByRole("button", { name: "Revoke key" }).click();
      await page.getByText("Key revoked.").waitFor();
    });
    expect(faults).toEqual([]);
  });
});

describe("with only the keyboard", () => {
  test("a user can sign in, ask, open the details, ask again and reach every screen", async () => {
    const { key } = await pages.newKey("admin");
    pages.chat.say("Yes.");
    pages.chat.finish();
    const faults = await onScreen(pages.url, {}, async (page) => {
      const { keyboard } = page;
      await page.goto("/chat");
      // The browser moves the focus there when it first paints the page, which may be after the page has loaded.
      await page.locator("input:focus").waitFor();
      await keyboard.type(key);
      await keyboard.press("Enter");
      await page.locator("textarea:focus").waitFor();
      await keyboard.type("Does it work?");
      await keyboard.press("Enter");
      await page.getByText("184 tokens").waitFor();
      await page.evaluate("document.activeElement.blur()");
      await tabTo(page, /184 tokens/);
      await keyboard.press("Enter");
      await page.getByText("34 in, 184 out").waitFor();
      await page.evaluate("document.activeElement.blur()");
      await tabTo(page, /Skip to content/);
      for (const screen of ["Keys", "System"]) {
        await tabTo(page, new RegExp(`^${screen}$`));
        await keyboard.press("Enter");
        await page.getByRole("heading", { level: 1, name: screen }).waitFor();
      }
    });
    expect(faults).toEqual([]);
  });
});
