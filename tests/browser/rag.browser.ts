import { beforeAll, beforeEach, describe, expect, test } from "bun:test";
import type { Page } from "playwright-core";
import { onScreen, type ScreenOptions } from "./harness";
import { REFUSED_STATUSES, refuseInEveryWay } from "./matrix";
import { openPages } from "./pages";
import { ASK, ask, found, INDEX, ingesting, QUESTION } from "./rag-asking";
import { refusedAnswer, sampleAnswer, sampleIndex, sampleIngestion } from "./rag-samples";

const pages = await openPages();
const { rag } = pages;
let editor: string;

beforeAll(async () => {
  const { key } = await pages.newKey("editor", "Ada’s editor key");
  editor = (await pages.sessions.signIn(key)).cookie;
});
beforeEach(() => {
  pages.refusal.error = undefined;
  rag.reset();
});

const asEditor = (work: (page: Page) => Promise<void>, options: ScreenOptions = {}) =>
  onScreen(pages.url, { session: editor, ...options }, work);

describe("files", () => {
  test("are sent together with progress, and the page says what was added", async () => {
    const faults = await asEditor(async (page) => {
      await page.goto(INDEX);
      const files = ["a.md", "b.md"].map((name) => ({ name, mimeType: "text/markdown", buffer: Buffer.from("# A") }));
      await page.getByLabel("Drop files here").setInputFiles(files);
      await page.getByRole("button", { name: "Add files" }).click();
      await page.getByText("2 files added.").waitFor();
    });
    expect(faults).toEqual([]);
    expect(rag.calls).toEqual([["submit", ["a.md", "b.md"]]]);
  });

  test("that are being read show their progress until the end, and filters and focus stay", async () => {
    const faults = await asEditor(async (page) => {
      await page.goto(ingesting(rag));
      const search = page.getByLabel("Title or file name");
      await search.fill("ov");
      await search.focus();
      Object.assign(rag.all[0] as object, { ingestion: sampleIngestion({ state: "running", total: 27, done: 20 }) });
      await page.getByText("20 of 27 documents searchable").waitFor();
      rag.reset({ chunks: 777 });
      await page.getByText("Adding documents").first().waitFor({ state: "detached" });
      await page.locator("#index-facts").getByText("777").waitFor();
      expect(await search.inputValue()).toBe("ov");
      expect(await page.evaluate<string>("document.activeElement.id")).toBe("search");
      expect(await page.locator("[data-poll]").count()).toBe(0);
    });
    expect(faults).toEqual([]);
  });

  test("stop with Cancel", async () => {
    const faults = await asEditor(async (page) => {
      await page.goto(ingesting(rag));
      await page.getByRole("button", { name: "Cancel" }).click();
      await page.getByRole("button", { name: "Cancel" }).waitFor({ state: "detached" });
    });
    expect(faults).toEqual([]);
    expect(rag.calls).toEqual([["cancel", "idx_handbook"]]);
  });

  test("leave the page usable, whatever error their progress returns", async () => {
    const faults = await asEditor(
      async (page) => {
        await page.goto(ingesting(rag));
        await refuseInEveryWay(page, pages, {
          path: /\/progress$/,
          stays: () => page.getByRole("button", { name: "Cancel" }).waitFor(),
        });
      },
      { expectedStatuses: REFUSED_STATUSES },
    );
    expect(faults).toEqual([]);
  });
});

describe("a measurement", () => {
  const QUALITY = `${INDEX}/quality`;
  const questions = "question,document\nHow many days?,handbook.pdf\nWho won?,";

  test.each([true, false])("of pasted questions is applied with the keyboard, scripts: %p", async (javaScript) => {
    const faults = await asEditor(
      async (page) => {
        await page.goto(QUALITY);
        await page.getByLabel("Questions", { exact: true }).fill(questions);
        await page.getByRole("button", { name: "Measure" }).focus();
        await page.keyboard.press("Enter");
        await page.getByRole("img", { name: "False answers fall" }).waitFor();
        expect(await page.getByLabel("Questions", { exact: true }).inputValue()).toBe(questions);
        await page.getByRole("button", { name: "Use threshold" }).focus();
        await page.keyboard.press("Enter");
        await page.getByText("Threshold changed.").waitFor();
      },
      { javaScript },
    );
    expect(faults).toEqual([]);
    expect(rag.calls.map(([name]) => name)).toEqual(["calibrate", "update"]);
  });

  test("moves the focus to its result", async () => {
    const faults = await asEditor(async (page) => {
      await page.goto(QUALITY);
      await page.getByLabel("Or a file").setInputFiles({
        name: "questions.csv",
        mimeType: "text/csv",
        buffer: Buffer.from(questions),
      });
      await page.getByRole("button", { name: "Measure" }).click();
      await page.locator("#measured-title:focus").waitFor();
    });
    expect(faults).toEqual([]);
  });

  test("that is rejected keeps the questions", async () => {
    const faults = await asEditor(
      async (page) => {
        await page.goto(QUALITY);
        await page.getByLabel("Questions", { exact: true }).fill(questions);
        await refuseInEveryWay(page, pages, {
          path: /\/quality$/,
          act: () => page.getByRole("button", { name: "Measure" }).click(),
          stays: async () => expect(await page.getByLabel("Questions", { exact: true }).inputValue()).toBe(questions),
        });
      },
      { expectedStatuses: REFUSED_STATUSES },
    );
    expect(faults).toEqual([]);
  });
});

/** Chromium can't cut one connection, so the page reads its stream through one that `cutConnection()` breaks. */
const CUTTABLE_FETCH = `
  const cut = Promise.withResolvers();
  window.cutConnection = () => cut.reject(new TypeError("network error"));
  const { fetch } = window;
  window.fetch = async (...request) => {
    const response = await fetch(...request);
    const reader = response.body.getReader();
    const pull = async (controller) => controller.enqueue((await Promise.race([reader.read(), cut.promise])).value);
    return new Response(new ReadableStream({ pull }), response);
  };`;

describe("an answer", () => {
  test("shows searching, passages, text, citations and grounding one after another", async () => {
    const faults = await asEditor(async (page) => {
      await page.goto(ASK);
      await ask(page);
      const status = page.locator("#ask-status");
      await status.getByText("Searching the documents").waitFor();
      found(rag, "");
      await status.getByText("Found 5 passages").waitFor();
      await page.getByText("Given to the model").waitFor();
      const { answer, citations, grounding } = sampleAnswer();
      rag.say({ type: "token", text: "Everyone has" });
      await page.locator("#answer-text").getByText("Everyone has").waitFor();
      rag.say({ type: "citations", answer: answer ?? "", citations });
      await status.getByText("Checking each sentence").waitFor();
      await page.getByRole("link", { name: "Source 1: Staff handbook, page 1" }).first().waitFor();
      if (grounding) rag.say({ type: "grounding", grounding });
      rag.say({ type: "done", answer: sampleAnswer() });
      await status.getByText("Answer ready, 2 citations.").waitFor();
      await page.getByText("The passages support 3 of 4 sentences").waitFor();
      expect(await page.evaluate<string>("document.activeElement.textContent")).toBe(QUESTION);
    });
    expect(faults).toEqual([]);
  });

  test.each([true, false])("leads from its citation to the highlighted span, scripts: %p", async (javaScript) => {
    rag.answer(sampleAnswer());
    const work = async (page: Page) => {
      await page.goto(ASK);
      await ask(page);
      await page.getByRole("link", { name: "Source 1: Staff handbook, page 1" }).first().click();
      expect(page.url()).toEndWith("#passage-chunk_1");
      await page.locator("#passage-chunk_1").getByRole("link", { name: "Staff handbook" }).click();
      const mark = page.locator("mark#cited");
      await mark.waitFor();
      expect(await mark.textContent()).toBe("Everyone has 30 days of paid leave a year.");
      const box = await mark.boundingBox();
      expect(box && box.y > 0 && box.y < 800).toBe(true);
    };
    expect(await asEditor(work, { javaScript })).toEqual([]);
  });

  test("stops in the middle of its stream, keeps its text and returns the focus", async () => {
    const faults = await asEditor(async (page) => {
      await page.goto(ASK);
      await ask(page);
      found(rag, "Everyone has 30 days");
      await page.locator("#answer-text").getByText("Everyone has").waitFor();
      await page.getByRole("button", { name: "Stop" }).focus();
      await page.keyboard.press("Enter");
      const stopped = page.locator("#answer-end").getByText("Stopped");
      await stopped.waitFor();
      expect(await page.locator("#answer-text").textContent()).toContain("Everyone has 30 days");
      await page.locator(":focus", { hasText: /^Stopped$/ }).waitFor();
      await page.locator("button:enabled", { hasText: /^Ask$/ }).waitFor();
    });
    expect(faults).toEqual([]);
  });

  test("whose connection is lost keeps its text and says so", async () => {
    const faults = await asEditor(
      async (page) => {
        await page.goto(ASK);
        await page.evaluate(CUTTABLE_FETCH);
        await page.getByLabel("Question", { exact: true }).fill(QUESTION);
        await page.keyboard.press("Enter");
        found(rag, "Everyone has 30 days");
        await page.locator("#answer-text").getByText("Everyone has").waitFor();
        await page.evaluate("cutConnection()");
        await page.getByText("The text so far is kept.").waitFor();
        expect(await page.locator("#answer-text").textContent()).toContain("Everyone has 30 days");
      },
      { expectedFault: /htmx:sse:error/ },
    );
    expect(faults).toEqual([]);
  });

  test("highlights its citation and the passage together", async () => {
    rag.answer(sampleAnswer());
    const faults = await asEditor(async (page) => {
      await page.goto(ASK);
      await ask(page);
      await page.getByRole("link", { name: "Passage 2, found by Groundwire" }).focus();
      await page.locator("#passage-chunk_2.lit").waitFor();
      await page.locator("#passage-chunk_1").hover();
      await page.locator("#passage-chunk_1.lit").waitFor();
      expect(await page.locator(".citation.lit").count()).toBe(2);
    });
    expect(faults).toEqual([]);
  });

  test("takes a follow-up with the earlier turns and the same settings", async () => {
    rag.answer(sampleAnswer());
    const faults = await asEditor(async (page) => {
      await page.goto(ASK);
      await page.getByText("Filter and other settings").click();
      await page.getByLabel("Passages to find").fill("8");
      await ask(page);
      await page.getByLabel("Follow-up question").fill("And for trainees?");
      await page.keyboard.press("Enter");
      await page.getByText("Earlier in this conversation").waitFor();
      await page.getByText("Answer ready").waitFor();
      expect(await page.getByLabel("Follow-up question").inputValue()).toBe("");
    });
    expect(faults).toEqual([]);
    expect(rag.asked).toMatchObject({ question: "And for trainees?", retrieval: { top_k: 8 } });
    expect(rag.asked?.history?.[0]).toEqual({ role: "user", content: QUESTION });
  });

  test("that fell below the threshold can be requested without it", async () => {
    rag.answer(refusedAnswer());
    const faults = await asEditor(async (page) => {
      await page.goto(ASK);
      await ask(page);
      const anyway = page.getByRole("button", { name: "Answer from the closest passages" });
      await anyway.waitFor();
      rag.reset();
      rag.answer(sampleAnswer());
      await anyway.click();
      await page.getByText("Answer ready").waitFor();
    });
    expect(faults).toEqual([]);
    expect(rag.asked).toEqual({ index: "idx_handbook", question: QUESTION, retrieval: { threshold: null } });
  });

  test("is rated, and settings that were tried are applied, on the same page", async () => {
    rag.answer(sampleAnswer());
    const faults = await asEditor(async (page) => {
      await page.goto(ASK);
      await page.getByText("Filter and other settings").click();
      await page.getByLabel("Passages to find").fill("8");
      await ask(page);
      await page.getByRole("button", { name: "Good answer" }).click();
      await page.getByText("You rated this answer good.").waitFor();
      await page.getByRole("button", { name: "Apply to the index" }).click();
      await page.getByText("Applied. The index now uses these settings.").waitFor();
      await page.getByText("Answer ready").waitFor();
    });
    expect(faults).toEqual([]);
    expect(rag.all[0]).toMatchObject({ retrieval: { ...sampleIndex().retrieval, top_k: 8 } });
  });

  test("that is rejected says so, whatever the error, and keeps the question", async () => {
    const faults = await asEditor(
      async (page) => {
        await page.goto(ASK);
        await refuseInEveryWay(page, pages, {
          path: /\/ask$/,
          act: () => ask(page),
          stays: async () => expect(await page.getByLabel("Question", { exact: true }).inputValue()).toBe(QUESTION),
        });
      },
      { expectedStatuses: REFUSED_STATUSES },
    );
    expect(faults).toEqual([]);
  });
});
