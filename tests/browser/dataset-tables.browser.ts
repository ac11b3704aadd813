import { beforeAll, describe, expect, test } from "bun:test";
import type { Page } from "playwright-core";
import { onScreen, type ScreenOptions } from "./harness";
import { openPages } from "./pages";

const pages = await openPages();
let session: string;

beforeAll(async () => {
  session = (await pages.sessions.signIn((await pages.newKey("admin", "Ada’s key")).key)).cookie;
});

const CAPITALS = [
  { key: "fr", input: "What is the capital of France?", references: ["Paris"], tags: ["europe"] },
  { key: "jp", input: "What is the capital of Japan?", references: ["Tokyo"], tags: ["asia"] },
];

/** Stores samples as the API does and returns the path of the dataset's page. */
const store = async (name: string, samples: unknown[]): Promise<string> => {
  const principal = { keyId: (await pages.newKey("editor")).id };
  const lines = Buffer.from(samples.map((sample) => `${JSON.stringify(sample)}\n`).join(""));
  const upload = await pages.uploads.receive([lines], { fileName: "capitals.jsonl", createdBy: principal.keyId });
  const target = { mode: "create", name, description: "", schema: null } as const;
  const options = { onError: "refuse", dryRun: false } as const;
  const { job } = await pages.imports.enqueue(principal, upload, { target, options });
  const { dataset } = await pages.imports.wait(job, new AbortController().signal);
  return `/datasets/${dataset?.id}`;
};

const choose = async (page: Page, text: string, name = "rows.csv"): Promise<void> => {
  await page.setInputFiles("[type=file]", { name, mimeType: "text/csv", buffer: Buffer.from(text) });
  await page.getByRole("button", { name: "Read the file" }).click();
};

/** Runs `work` in a window and expects no faults. */
const using = async (work: (page: Page) => Promise<void>, options: ScreenOptions = {}): Promise<void> => {
  expect(await onScreen(pages.url, { session, ...options }, work)).toEqual([]);
};

test("at 320 px, a sample's key wraps and a file's preview starts with its questions", () =>
  using(async (page) => {
    const path = await store(`narrow ${crypto.randomUUID()}`, [{ input: "One?" }, { input: "Two?" }]);
    await page.setViewportSize({ width: 320, height: 640 });
    const overflow = () => page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth");
    await page.goto(path);
    await page.getByRole("link", { name: "One?" }).click();
    await page.getByText("Content hash").waitFor();
    expect(await overflow()).toBe(0);
    await page.goto(`${path}/upload`);
    await choose(page, "input,references\nThree?,3\n");
    await page.getByRole("row", { name: "Removed unless you keep them 2" }).getByText("One? · Two?").waitFor();
    await page.getByText("Map a column to “Key” to see it as changed").waitFor();
    const preview = page.getByRole("region", { name: "The first samples" });
    expect(await preview.getByRole("columnheader").first().textContent()).toBe("Input");
    expect(await overflow()).toBe(0);
  }));

const REFUSED = { expectedStatuses: [422] };

describe("an upload", () => {
  test.each([
    ["Frage;Antwort\nWas ist 1?;eins\n", "Was ist 1?"],
    ["q,gold\nWhat is 1?,one\n", "What is 1?"],
    ["Thema;Lösung\nWas ist 1?;eins\n", "Was ist 1?"],
  ])("%j shows the mapping form with example values, and is stored with the chosen columns", (file, question) =>
    using(async (page) => {
      const name = `mapped ${crypto.randomUUID()}`;
      const [first = "", second = ""] = file.split("\n", 1)[0]?.split(/[;,]/) ?? [];
      await page.goto("/datasets/new");
      await choose(page, file);
      const columns = page.getByRole("group", { name: "Columns" });
      await columns.getByText(question).waitFor();
      await page.getByLabel(first, { exact: true }).selectOption("input");
      await page.getByLabel(second, { exact: true }).selectOption("references");
      await page.getByRole("button", { name: "Read again with these columns" }).click();
      await page.getByLabel("Dataset name").fill(name);
      await page.getByRole("button", { name: "Store 1 sample" }).click();
      await page.getByRole("heading", { level: 1, name }).waitFor();
      const { data } = await pages.datasets.samples(name, {});
      expect(data).toMatchObject([{ input: question, references: [/eins/.test(file) ? "eins" : "one"] }]);
    }),
  );

  test("is stored when the user presses Enter in the name field", () =>
    using(async (page) => {
      const name = `entered ${crypto.randomUUID()}`;
      await page.goto("/datasets/new");
      await choose(page, "question,answer\nWhat is 1?,one\n");
      await page.getByLabel("Dataset name").fill(name);
      await page.keyboard.press("Enter");
      await page.getByRole("heading", { level: 1, name }).waitFor();
    }));

  test("returns to the upload form if the user stores nothing, and the button says so", () =>
    using(async (page) => {
      await page.goto("/datasets/new");
      await choose(page, "question,answer\nWhat is 1?,one\n,two\n");
      await page.getByRole("button", { name: "Store 1 sample", exact: true }).waitFor();
      await page.getByLabel("Store nothing").check();
      expect(await page.getByRole("button", { name: "Store 1 sample" }).count()).toBe(0);
      await page.getByRole("button", { name: "Store nothing", exact: true }).click();
      await page.getByRole("heading", { level: 1, name: "Upload a dataset" }).waitFor();
    }));

  test("with two columns for the question is rejected, names both columns and keeps the other choices", () =>
    using(async (page) => {
      await page.goto("/datasets/new");
      await choose(page, "a,b,c\nWhat is 1?,What is 2?,one\n");
      await page.getByLabel("a", { exact: true }).selectOption("input");
      await page.getByLabel("b", { exact: true }).selectOption("input");
      await page.getByLabel("c", { exact: true }).selectOption("references");
      await page.getByRole("button", { name: "Read again with these columns" }).click();
      await page.getByRole("link", { name: "not “a” and “b”" }).waitFor();
      expect(await page.getByLabel("c", { exact: true }).inputValue()).toBe("references");
      await page.getByLabel("b", { exact: true }).selectOption("");
      await page.getByRole("button", { name: "Read again with these columns" }).click();
      await page.getByRole("button", { name: "Store 1 sample" }).waitFor();
    }, REFUSED));

  test.each([
    ["cut.json", '{"a":1', "Line 1: "],
    ["words.jsonl", "not json at all\nneither this\n", "Line 1: "],
  ])("%s without a readable row shows the first row's error", (name, file, problem) =>
    using(async (page) => {
      await page.goto("/datasets/new");
      await choose(page, file, name);
      await page.getByRole("link", { name: problem }).waitFor();
      expect(await page.getByRole("group", { name: "Columns" }).count()).toBe(0);
    }, REFUSED),
  );

  test("of a revision previews what it would add, change and remove", async () => {
    const path = await store(`compared ${crypto.randomUUID()}`, CAPITALS.slice(0, 2));
    await using(async (page) => {
      await page.goto(`${path}/upload`);
      await choose(page, "key,input,references\njp,Japan?,Tokyo\nit,Italy?,Rome\nes,Spain?,Madrid\n");
      await page.getByRole("row", { name: "Added 2 Italy? · Spain?" }).waitFor();
      await page.getByRole("row", { name: "Changed 1 Japan?" }).waitFor();
      await page
        .getByRole("row", { name: /^Removed unless you keep them 1 What is the capital of France\?$/ })
        .waitFor();
      const { latest } = await pages.datasets.get(path.split("/").at(-1) ?? "");
      expect(latest.revision).toBe(1);
      await page.getByRole("button", { name: "Store 3 samples" }).click();
      await page.getByRole("cell", { name: "2 added, 1 changed, 1 removed" }).waitFor();
    });
  });
});

describe("datasets", () => {
  test("can be paged and sorted, show their number, and keep the state in the address", async () => {
    const [oldest = "", ...newer] = Array.from({ length: 51 }, (_, n) => `paged ${String(n).padStart(2, "0")}`);
    await store(oldest, CAPITALS.slice(0, 1));
    await Promise.all(newer.map((name, n) => store(name, CAPITALS.slice(0, 1 + (n % 2)))));
    await using(async (page) => {
      await page.goto("/datasets?q=paged");
      await page.getByText("1 to 50 of 51 datasets").waitFor();
      await page.getByRole("link", { name: "Next page" }).click();
      await page.getByText("51 to 51 of 51 datasets").waitFor();
      await page.getByRole("link", { name: "paged 00" }).waitFor();
      await page.getByRole("link", { name: "Previous page" }).click();
      await page.getByRole("link", { name: "Name" }).click();
      await page.getByRole("columnheader", { name: "Name" }).and(page.locator("[aria-sort=ascending]")).waitFor();
      expect(await page.getByRole("rowgroup").last().getByRole("link").first().textContent()).toBe("paged 00");
      await page.getByRole("link", { name: "Samples" }).click();
      await page.getByRole("link", { name: "Samples" }).click();
      await page.getByRole("columnheader", { name: "Samples" }).and(page.locator("[aria-sort=descending]")).waitFor();
      expect(new URL(page.url()).search).toBe("?q=paged&sort=-samples");
    });
  });
});

describe("samples", () => {
  test("can be filtered by words and tag and paged, and keep the state in the address", async () => {
    const many = Array.from({ length: 51 }, (_, n) => ({
      key: `k${n}`,
      input: `Question ${n}?`,
      tags: [n < 50 ? "low" : "high"],
    }));
    const path = await store(`many ${crypto.randomUUID()}`, many);
    await using(async (page) => {
      await page.goto(path);
      expect(await page.getByRole("row").count()).toBe(1 + 50 + 2);
      await page.getByRole("link", { name: "Next page" }).click();
      await page.getByRole("link", { name: "Question 50?" }).waitFor();
      await page.getByText("51 to 51 of 51 samples").waitFor();
      await page.getByRole("link", { name: "Previous page" }).click();
      await page.getByText("1 to 50 of 51 samples").waitFor();
      await page.getByLabel("Search input and references").fill("question 4");
      await page.getByLabel("Tag").selectOption("low");
      await page.getByRole("button", { name: "Filter" }).click();
      await page.getByRole("link", { name: "Question 49?" }).waitFor();
      expect(new URL(page.url()).search).toBe("?q=question+4&tag=low");
      await page.getByText("11 samples", { exact: true }).waitFor();
      expect(await page.getByRole("row").count()).toBe(1 + 11 + 2);
      await page.reload();
      expect(await page.getByLabel("Search input and references").inputValue()).toBe("question 4");
    });
  });

  test("with any text run no script and load nothing", async () => {
    const attack = `<img src=x onerror=alert(1)><script>alert(2)</script><b hx-get="/keys" hx-trigger="load">x</b>`;
    const path = await store(`attack ${attack}`.slice(0, 100), [
      { key: `k"'<i>`, input: attack, references: [attack], tags: ["<b>"] },
    ]);
    await using(async (page) => {
      await page.goto(path);
      await page.getByRole("link", { name: "<img src=x" }).click();
      await page.getByRole("heading", { level: 1, name: `k"'<i>` }).waitFor();
      await page.goto("/datasets");
      await page.getByRole("link", { name: /^attack/ }).waitFor();
    });
  });
});
