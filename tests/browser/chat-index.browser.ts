import { beforeEach, describe, expect, test } from "bun:test";
import type { Page } from "playwright-core";
import { AppError } from "../../lib/errors";
import { ask, chatting as chattingOn, message, signedIn, textOf } from "./chatting";
import type { ScreenOptions } from "./harness";
import { tabTo } from "./keyboard";
import { type ScreenCase, testScreens } from "./matrix";
import { openPages } from "./pages";
import { found, QUESTION, spanPath } from "./rag-asking";
import { refusedAnswer, sampleAnswer } from "./rag-samples";

const pages = await openPages();
const { rag } = pages;
beforeEach(() => {
  pages.chat.reset();
  rag.reset();
});

const chatting = (options: ScreenOptions, work: (page: Page) => Promise<void>) => chattingOn(pages, options, work);
const choose = (page: Page, name: string) => page.getByLabel("Answer from").selectOption(name);
const steps = (page: Page) => page.getByLabel("Progress of the answer");
const currentStep = (page: Page) => textOf(steps(page).locator("[aria-current]"));
const passages = (page: Page) => page.getByText(/passages from Staff handbook/i).last();
const status = (page: Page) => page.locator("#chat-status");

/** Asks the handbook in a new chat. */
const askHandbook = async (page: Page) => {
  await choose(page, "Staff handbook");
  await ask(page, QUESTION);
};

test("a chat answers from an index, step by step, with citations that open their passages", () =>
  chatting({}, async (page) => {
    await askHandbook(page);
    await page.getByText("Searching Staff handbook").waitFor();
    expect(await currentStep(page)).toStartWith("Search");
    found(rag, "");
    await page.getByText("Waiting for smollm2-135m-instruct").waitFor();
    expect(await currentStep(page)).toStartWith("Write");
    expect(await status(page).textContent()).toBe("Found 5 passages. Waiting for the model…");
    await passages(page).waitFor();
    rag.say({ type: "token", text: "Everyone has **30 days** [9]" });
    await page.locator(".answer strong").getByText("30 days").waitFor();
    const { citations, answer } = sampleAnswer();
    rag.say({ type: "citations", answer: answer ?? "", citations });
    await page.getByRole("link", { name: "Source 1: Staff handbook, page 1" }).first().waitFor();
    expect(await currentStep(page)).toStartWith("Check sources");
    rag.say({ type: "done", answer: sampleAnswer() });
    await page.getByText("The passages support 3 of 4 sentences").waitFor();
    expect(await steps(page).count()).toBe(0);
    expect(await status(page).textContent()).toStartWith("Answer ready");
    expect(rag.asked).toMatchObject({ index: "idx_handbook", question: QUESTION, history: [] });

    await page.getByRole("link", { name: "Source 1: Staff handbook, page 1" }).first().click();
    const cited = page.locator(".passage", { hasText: "cited" });
    await cited.waitFor();
    const place = cited.getByRole("link", { name: "Staff handbook" });
    expect(await place.getAttribute("href")).toContain(
      spanPath("Everyone has 30 days of paid leave a year.").split("&hash")[0] ?? "",
    );
    expect(await page.getByText("Found, but not used").isVisible()).toBe(true);
  }));

test("a reload during an answer resumes it, and later reloads show the same citations and passages", () =>
  chatting({}, async (page) => {
    await askHandbook(page);
    found(rag, "Everyone has");
    await page.locator(".answer .prose").getByText("Everyone has").waitFor();
    await page.reload();
    await page.locator(".answer .prose").getByText("Everyone has").waitFor();
    expect(await currentStep(page)).toStartWith("Write");
    expect(await page.getByLabel("Answer from").inputValue()).toBe("idx_handbook");
    rag.say({ type: "done", answer: sampleAnswer() });
    await page.getByText("The passages support 3 of 4 sentences").waitFor();
    const before = await page.locator(".answer").innerHTML();
    await page.reload();
    await page.getByText("The passages support 3 of 4 sentences").waitFor();
    expect(await page.locator(".answer .prose").innerHTML()).toBe(
      await page.evaluate<string>(
        `new DOMParser().parseFromString(${JSON.stringify(before)}, "text/html").querySelector(".prose").innerHTML`,
      ),
    );
    await passages(page).click();
    expect(await page.locator(".passage").count()).toBe(5);
  }));

test("passages that the reader opened stay open when the answer is complete", () =>
  chatting({}, async (page) => {
    await askHandbook(page);
    found(rag, "Everyone has");
    await passages(page).click();
    await page.locator(".passage").first().waitFor();
    rag.say({ type: "done", answer: sampleAnswer() });
    await page.getByText("The passages support 3 of 4 sentences").waitFor();
    expect(await page.locator(".passage").first().isVisible()).toBe(true);
  }));

test("without a relevant passage, the chat says how close the best one is", () =>
  chatting({}, async (page) => {
    await askHandbook(page);
    rag.answer(refusedAnswer());
    await page.getByText("The documents don’t answer this question.").waitFor();
    await page.getByText("The highest score by meaning is 0.21, below the threshold of 0.30").waitFor();
    expect(await status(page).textContent()).toBe("No relevant passage was found");
    await passages(page).click();
    await page.getByText("Closest passages, below the threshold").waitFor();
  }));

test("the choice is stored immediately, and applies to regenerated answers and to the next chat page", () =>
  chatting({}, async (page) => {
    rag.answer(sampleAnswer());
    await askHandbook(page);
    await page.getByText("The passages support 3 of 4 sentences").waitFor();
    const stored = page.waitForResponse((response) => response.url().endsWith("/chat/index"));
    await choose(page, "no documents");
    expect((await stored).status()).toBe(204);
    pages.chat.say("From the model alone");
    pages.chat.finish();
    await page.getByRole("button", { name: "Regenerate answer" }).click();
    await page.getByText("From the model alone").waitFor();
    expect(await passages(page).count()).toBe(0);
    await page.getByRole("button", { name: "Previous version" }).click();
    await page.getByText("The passages support 3 of 4 sentences").waitFor();
    await page.reload();
    expect(await page.getByLabel("Answer from").inputValue()).toBe("");
  }));

test("a deleted document is named, and its citations no longer link", () =>
  chatting({}, async (page) => {
    rag.answer(sampleAnswer());
    await askHandbook(page);
    await page.getByText("The passages support 3 of 4 sentences").waitFor();
    rag.gone.add("doc_handbook");
    await page.reload();
    expect(await page.locator("a.citation").count()).toBe(0);
    await page.getByText("[1] (no longer available)").first().waitFor();
    expect(await passages(page).textContent()).toContain("no longer available");
    await passages(page).click();
    await page.getByText("Staff handbook: the passages are no longer available, because").waitFor();
  }));

test("a search that fails shows its reason below the question", () =>
  chatting({}, async (page) => {
    await askHandbook(page);
    rag.say(new AppError("unavailable", "The index is loading. Try again in a moment."));
    await page.getByText("The index is loading. Try again in a moment.").waitFor();
    expect(await steps(page).count()).toBe(0);
  }));

test("a question to an index that was deleted is returned to the field with the reason", () =>
  chatting({ expectedStatuses: [404] }, async (page) => {
    rag.answer(sampleAnswer());
    await askHandbook(page);
    await page.getByText("The passages support 3 of 4 sentences").waitFor();
    rag.all = [];
    await page.reload();
    expect(await page.getByLabel("Answer from").locator("option:checked").textContent()).toContain(
      "no longer available",
    );
    await ask(page, "And illness?");
    await page
      .getByRole("alert")
      .getByText(/is no longer available\. Choose another one/)
      .waitFor();
    expect(await message(page).inputValue()).toBe("And illness?");
  }));

test("works with the keyboard alone", () =>
  chatting({}, async (page) => {
    rag.answer(sampleAnswer());
    await tabTo(page, /Answer from/);
    await page.keyboard.press("ArrowDown");
    expect(await page.getByLabel("Answer from").inputValue()).toBe("idx_handbook");
    await message(page).focus();
    await page.keyboard.type(QUESTION);
    await page.keyboard.press("Enter");
    await page.getByText("The passages support 3 of 4 sentences").waitFor();
    await page.locator(".answer .citation").first().focus();
    await page.keyboard.press("Enter");
    await page.locator(".passage", { hasText: "cited" }).waitFor();
  }));

test("fits a phone of 360 px, with long names and passages open", () =>
  chatting({ width: 390 }, async (page) => {
    rag.reset({ name: "Handbook_of_the_bakery_".repeat(4) });
    await page.reload();
    await page.setViewportSize({ width: 360, height: 740 });
    rag.answer(sampleAnswer());
    await page.getByLabel("Answer from").selectOption({ index: 1 });
    await ask(page, QUESTION);
    await page.getByText("The passages support 3 of 4 sentences").waitFor();
    await page.getByText(/passages from/).click();
    expect(await page.evaluate<number>("document.documentElement.scrollWidth")).toBe(360);
    expect(await page.getByRole("button", { name: "Send" }).isVisible()).toBe(true);
  }));

describe("without scripts", () => {
  test("a question to an index that was deleted is returned to the field with the reason", () =>
    chatting({ javaScript: false, expectedStatuses: [422] }, async (page) => {
      rag.answer(sampleAnswer());
      await choose(page, "Staff handbook");
      await message(page).fill(QUESTION);
      await page.getByRole("button", { name: "Send" }).click();
      await page.getByText("The passages support 3 of 4 sentences").waitFor();
      rag.all = [];
      await message(page).fill("And illness?");
      await page.getByRole("button", { name: "Send" }).click();
      await page.getByText("is no longer available. Choose another one").waitFor();
      expect(await message(page).inputValue()).toBe("And illness?");
    }));

  test("the whole page has the answer with its citations", () =>
    chatting({ javaScript: false }, async (page) => {
      rag.answer(sampleAnswer());
      await choose(page, "Staff handbook");
      await message(page).fill(QUESTION);
      await page.getByRole("button", { name: "Send" }).click();
      await page.getByText("The passages support 3 of 4 sentences").waitFor();
      expect(await page.getByRole("link", { name: "Source 1: Staff handbook, page 1" }).count()).toBe(2);
      expect(await page.getByLabel("Answer from").inputValue()).toBe("idx_handbook");
    }));
});

/** Asks, and lets the answer continue. */
const asking = (goOn: (page: Page) => unknown) => async (page: Page) => {
  await askHandbook(page);
  await goOn(page);
};

const CASES: ScreenCase[] = [
  { name: "chat index searching", path: "/chat", reach: asking(() => {}), shows: "Searching Staff handbook" },
  {
    name: "chat index writing",
    path: "/chat",
    reach: asking((page) => {
      found(rag, "Everyone has **30 days** of paid");
      return passages(page).click();
    }),
    shows: "Given to the model",
  },
  {
    name: "chat index answered",
    path: "/chat",
    reach: asking(() => rag.answer(sampleAnswer())),
    shows: "The passages support 3 of 4 sentences",
  },
  {
    name: "chat index passages",
    path: "/chat",
    reach: asking((page) => {
      rag.answer(sampleAnswer());
      return page.getByRole("link", { name: "Source 1" }).first().click();
    }),
    shows: "Found, but not used",
  },
  {
    name: "chat index nothing relevant",
    path: "/chat",
    reach: asking(() => rag.answer(refusedAnswer())),
    shows: "No relevant passage was found",
  },
  {
    name: "chat index document gone",
    path: "/chat",
    reach: asking(async (page) => {
      rag.answer(sampleAnswer());
      await page.getByText("The passages support 3 of 4 sentences").waitFor();
      rag.gone.add("doc_handbook");
      await page.reload();
      await passages(page).click();
    }),
    shows: "no longer available, because",
  },
];

testScreens(CASES, async () => {
  rag.reset();
  return { url: pages.url, session: (await signedIn(pages)).cookie };
});
