import { beforeAll, expect, test } from "bun:test";
import type { Page } from "playwright-core";
import { onScreen, type Screen, THEMES } from "./harness";
import { openPages } from "./pages";

const pages = await openPages();
let session: string;
beforeAll(async () => {
  const { key } = await pages.newKey("member");
  session = (await pages.sessions.signIn(key)).cookie;
});

/** Starts a chat whose answer arrives in pieces, and runs `work` once the page shows `last`. */
const answering = async (pieces: string[], last: string, work: (page: Page, screen: Screen) => Promise<void>) => {
  pages.chat.reset();
  const faults = await onScreen(pages.url, { session }, async (page, screen) => {
    await page.goto("/chat");
    await page.getByLabel("Message").fill("Write something");
    await page.getByLabel("Message").press("Enter");
    for (const piece of pieces) pages.chat.say(piece);
    await page.locator(".answer .prose").filter({ hasText: last }).waitFor();
    await work(page, screen);
  });
  expect(faults).toEqual([]);
};

const finished = async (page: Page) => {
  pages.chat.finish();
  await page.getByText("184 tokens").waitFor();
};

const ANSWER = `# Plan

## Steps

### Done so far

- [x] Read \`List<String>\` and <MyComponent prop="x"/>
- [ ] Write **历经10年发展，**年 ~3~5 pages ~~or not~~

Energy is \\(E = m_0 * c^2 * x\\), so

$$
a_1
+ b_1
$$

مرحبا بالعالم **(hello)**

| a | b |
|---|---|
| one<br>two | <br> |

See [the paper](https://example.com/paper).`;

test("each line of a poem or an address is a line, even while it is being written", () =>
  answering(["The sea is grey,  \nthe sky ", "is far.\n10 Downing Street\nLondon"], "London", async (page) => {
    // biome-ignore lint/performance/useDomNodeTextContent: the lines are those of the layout.
    const lines = () => page.locator(".answer .prose p").innerText();
    const wanted = "The sea is grey,\nthe sky is far.\n10 Downing Street\nLondon";
    expect(await lines()).toBe(wanted);
    await finished(page);
    expect(await lines()).toBe(wanted);
  }));

test("an answer that uses all of Markdown is rendered correctly, light and dark, at every width", () =>
  answering([ANSWER], "See the paper", async (page, screen) => {
    await finished(page);
    const prose = page.locator(".answer .prose");
    for (const [level, name] of [
      [3, "Plan"],
      [4, "Steps"],
      [5, "Done so far"],
    ] as const) {
      expect(await prose.getByRole("heading", { level, name }).count()).toBe(1);
    }
    expect(await prose.getByRole("checkbox", { name: "Done" }).isChecked()).toBe(true);
    expect(await prose.getByRole("checkbox", { name: "To do" }).isChecked()).toBe(false);
    expect(await prose.locator("del").allTextContents()).toEqual(["or not"]);
    expect(await prose.locator("em").count()).toBe(0);
    const link = prose.getByRole("link", { name: "the paper" });
    expect(await link.getAttribute("target")).toBe("_blank");
    expect(await link.getAttribute("rel")).toBe("noopener noreferrer nofollow");
    const direction =
      "getComputedStyle([...document.querySelectorAll('.prose p')].find((p) => p.textContent.includes('hello'))).direction";
    expect(await page.evaluate<string>(direction)).toBe("rtl");
    for (const theme of THEMES) {
      await screen.relight(theme);
      for (const width of [1280, 390] as const) {
        await screen.resize(width);
        await screen.inspect({ colorsOnly: theme !== THEMES[0] });
        await page.evaluate("scrollTo(0, 0)");
        await screen.shoot("chat-markdown");
      }
    }
    await page.setViewportSize({ width: 320, height: 640 });
    expect(await page.evaluate<number>("document.documentElement.scrollWidth")).toBe(320);
  }));

test("new text of a long block appears in place before the block is rendered again", () =>
  answering(["A sentence of the answer. ".repeat(40)], "of the answer.", async (page) => {
    const paragraph = page.locator(".answer .prose p").first();
    const before = await paragraph.elementHandle();
    pages.chat.say("**New**");
    await page.locator(".answer .prose p", { hasText: "**New**" }).waitFor();
    expect(await page.locator(".answer .prose p").count()).toBe(1);
    pages.chat.say(" words come and come, and at last they are many enough.");
    await page.locator(".answer .prose strong", { hasText: "New" }).waitFor();
    expect(await before?.evaluate((node) => node.isConnected)).toBe(true);
    await finished(page);
    expect(await page.locator(".answer .prose strong").allTextContents()).toEqual(["New"]);
    expect(await page.locator("[id$=-tail]").count()).toBe(0);
  }));

test("code keeps its lines while it is being written", () =>
  answering([`\`\`\`ts\n${"const a = 1;\n".repeat(40)}`], "const a = 1;", async (page) => {
    pages.chat.say("const b = 2;\n");
    const code = page.locator(".answer pre code");
    await code.filter({ hasText: "const b = 2;" }).waitFor();
    expect((await code.textContent())?.trim()).toBe(`${"const a = 1;\n".repeat(40)}const b = 2;`);
    await finished(page);
  }));

test("long cells wrap so that every column of a table starts in view, and deep lists stay in the window", () => {
  const sentence = "This first cell holds one whole sentence, which would push the other columns out of the window.";
  const table = `| What | When | Where |\n|---|---|---|\n| ${sentence} | Monday | Zurich |`;
  const list = Array.from({ length: 40 }, (_, depth) => `${"  ".repeat(depth)}- level ${depth}`).join("\n");
  return answering([`${table}\n\n${list}\n\nThe end.`], "The end.", async (page) => {
    await finished(page);
    for (const width of [1280, 390]) {
      await page.setViewportSize({ width, height: 800 });
      const edge = await page.locator(".scroll").evaluate((box) => box.getBoundingClientRect().right);
      const last = await page.getByRole("columnheader", { name: "Where" }).boundingBox();
      expect(last?.x).toBeLessThan(edge);
      expect(await page.evaluate<number>("document.documentElement.scrollWidth")).toBe(width);
    }
  });
});
