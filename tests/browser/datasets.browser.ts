import { beforeAll, beforeEach, describe, expect, test } from "bun:test";
import type { Page } from "playwright-core";
import { AppError, type ErrorKind } from "../../lib/errors";
import { onScreen, type ScreenOptions } from "./harness";
import { tabTo } from "./keyboard";
import { REFUSED_STATUSES, refuseInEveryWay, reloadRefused, type ScreenCase, testScreens } from "./matrix";
import { openPages } from "./pages";

const pages = await openPages();
/** A second server of the pages, with an empty database. */
const empty = await openPages();
let dataset: string;

beforeAll(async () => {
  dataset = await store("capitals", CAPITALS);
});
beforeEach(() => {
  pages.refusal.error = undefined;
});

const CAPITALS = [
  { key: "fr", input: "What is the capital of France?", references: ["Paris"], tags: ["europe"] },
  { key: "jp", input: "What is the capital of Japan?", references: ["Tokyo"], tags: ["asia"] },
  {
    key: "long",
    input: `Say it ${"again and ".repeat(80)}again: ${"Donaudampfschifffahrtsgesellschaft".repeat(12)} 👩🏽‍🚀 مرحبا بالعالم 東京`,
    contexts: ["x".repeat(3000)],
    metadata: { source: "a test", level: 3 },
  },
];

/** Every 200th row has no question. */
const csv = (rows: number): string =>
  [
    "id,question,answer,note",
    ...Array.from({ length: rows }, (_, n) => `k${n},${n % 200 === 99 ? "" : `What is ${n}?`},${n},easy`),
  ].join("\n");

const signIn = async (role: "viewer" | "member" | "editor" | "admin", on = pages): Promise<string> => {
  const { key } = await on.newKey(role, `Ada’s ${role} key`);
  return (await on.sessions.signIn(key)).cookie;
};

/** Stores samples as the API does and returns the path of the dataset's page. */
const store = async (name: string, samples: unknown[]): Promise<string> => {
  const principal = { keyId: (await pages.newKey("editor")).id };
  const lines = Buffer.from(samples.map((sample) => `${JSON.stringify(sample)}\n`).join(""));
  const upload = await pages.uploads.receive([lines], { fileName: "capitals.jsonl", createdBy: principal.keyId });
  const { job } = await pages.imports.enqueue(
    principal,
    upload,
    {
      target: { mode: "create", name, description: "Capitals of the world", schema: null },
      options: { onError: "refuse", dryRun: false },
    },
    async () => {},
  );
  const { dataset: stored } = await pages.imports.wait(job, new AbortController().signal);
  return `/datasets/${stored?.id}`;
};

const choose = async (page: Page, text: string | Buffer, name = "numbers.csv"): Promise<void> => {
  await page.setInputFiles("[type=file]", { name, mimeType: "text/csv", buffer: Buffer.from(text) });
  await page.getByRole("button", { name: "Read the file" }).click();
};
const preview = async (page: Page): Promise<void> => {
  await choose(page, csv(1000));
  await page.getByRole("button", { name: "Store 995 samples" }).waitFor();
};

const reloadedWith = reloadRefused(() => pages, /^\/datasets/);
const failing = reloadedWith("internal", "An internal error occurred. Include the request id when you report it.");

/** Runs `work` while no jobs worker is active. */
const withoutWorker = async (act: () => Promise<unknown>): Promise<void> => {
  await pages.stopWorker();
  try {
    await act();
  } finally {
    await pages.startWorker();
  }
};

interface Case extends ScreenCase {
  as?: "viewer" | "editor" | "admin";
  on?: "empty";
}

const CASES: Case[] = [
  { name: "datasets", path: "/datasets", shows: "capitals" },
  { name: "datasets first use", path: "/datasets", on: "empty", shows: "Use the sample dataset" },
  {
    name: "datasets first use of a viewer",
    path: "/datasets",
    on: "empty",
    as: "viewer",
    shows: "You need the editor role",
  },
  { name: "datasets filtered empty", path: "/datasets?q=nothing", shows: "No dataset matches “nothing”" },
  { name: "datasets server error", path: "/datasets", status: 500, reach: failing, shows: "Something went wrong" },
  {
    name: "datasets rate-limited",
    path: "/datasets",
    status: 429,
    reach: reloadedWith("rate_limited", "The key has sent the 60 requests of this minute.", 12_000),
    shows: "Rate limit reached",
  },
  {
    name: "datasets without a worker",
    path: "/datasets",
    reach: async (page) => {
      await pages.health.degradations.refresh();
      await page.reload();
    },
    during: withoutWorker,
    shows: "No jobs worker is running",
  },
  { name: "dataset upload", path: "/datasets/new", shows: "Example file" },
  {
    name: "dataset upload without a file",
    path: "/datasets/new",
    status: 422,
    reach: (page) => page.getByRole("button", { name: "Read the file" }).click(),
    shows: "There is a problem",
  },
  {
    name: "dataset upload of no dataset",
    path: "/datasets/new",
    status: 422,
    reach: (page) => choose(page, "PK\u0003\u0004 zip", "numbers.xlsx"),
    shows: "There is a problem",
  },
  {
    name: "dataset upload forbidden",
    path: "/datasets/new",
    as: "viewer",
    status: 403,
    shows: "This requires the editor role",
  },
  {
    name: "dataset being read",
    path: "/datasets/new",
    reach: (page) => choose(page, csv(1000)),
    during: withoutWorker,
    shows: "Waiting for a worker to read the file",
  },
  {
    name: "dataset upload of a PNG",
    path: "/datasets/new",
    status: 422,
    reach: (page) => choose(page, Buffer.from("\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "latin1"), "chart.png"),
    shows: "The file is a PNG image. Upload a file with the questions",
  },
  {
    name: "dataset upload of an empty file",
    path: "/datasets/new",
    status: 422,
    reach: (page) => choose(page, "", "capitals.csv"),
    shows: "capitals.csv is empty. Choose a file with rows",
  },
  {
    name: "dataset without a column for the question",
    path: "/datasets/new",
    reach: (page) => choose(page, "Thema;Text;Lösung\n1;Was ist 1?;eins\n2;Was ist 2?;zwei\n", "fragen.csv"),
    shows: "Choose the column that contains the question",
  },
  {
    name: "dataset preview with notes",
    path: "/datasets/new",
    reach: (page) => choose(page, ",question,answer,,\n0,a,b,,\n1,c,d,,,\n2,e,f\n", "pandas.csv"),
    shows: "columns 1, 4, 5 have no names",
  },
  {
    name: "dataset changes",
    path: () => `${dataset}/upload`,
    reach: (page) =>
      choose(
        page,
        "key,input,references,tags\nfr,What is the capital of France?,Paris,europe\njp,What is it?,,\nit,Italy?,Rome,\n",
      ),
    shows: "Changes to revision 1",
  },
  {
    name: "dataset without changes",
    path: () => `${dataset}/upload`,
    reach: async (page) => {
      const rows = CAPITALS.map((sample) => JSON.stringify(sample)).join("\n");
      await choose(page, rows, "capitals.jsonl");
    },
    shows: "This file matches the latest revision",
  },
  { name: "dataset preview", path: "/datasets/new", reach: preview, shows: "5 rows can’t be used" },
  {
    name: "dataset preview refused",
    path: "/datasets/new",
    status: 422,
    reach: async (page) => {
      await preview(page);
      await page.getByLabel("Dataset name").fill("capitals");
      await page.getByRole("button", { name: "Store 995 samples" }).click();
    },
    shows: "A dataset named",
  },
  {
    name: "dataset stored",
    path: "/datasets/new",
    reach: async (page) => {
      await preview(page);
      await page.getByLabel("Dataset name").fill(`numbers ${crypto.randomUUID()}`);
      await page.getByRole("button", { name: "Store 995 samples" }).click();
    },
    shows: "5 rows that can’t be used were left out",
  },
  { name: "dataset", path: () => dataset, shows: "3 samples in revision 1" },
  { name: "dataset of a viewer", path: () => dataset, as: "viewer", shows: "3 samples in revision 1" },
  {
    name: "dataset filtered empty",
    path: () => `${dataset}?q=nothing&tag=asia`,
    shows: "No sample matches “nothing” and tag asia",
  },
  { name: "dataset of no revision", path: () => `${dataset}?revision=abc`, status: 400, shows: "revision" },
  { name: "dataset gone", path: "/datasets/ds_nothing", status: 404, shows: "Not found" },
  {
    name: "dataset deletion refused",
    path: () => dataset,
    status: 422,
    reach: async (page) => {
      await page.getByText("Delete this dataset").click();
      await page.getByRole("button", { name: "Delete dataset" }).click();
    },
    shows: "There is a problem",
  },
  { name: "dataset sample", path: () => `${dataset}/samples/long`, shows: "Content hash" },
];

testScreens(CASES, async ({ as = "admin", on }) => {
  const server = on === "empty" ? empty : pages;
  return { url: server.url, session: await signIn(as, server) };
});

/** Runs `work` in a signed-in window and expects no faults. */
const using = async (options: ScreenOptions, work: (page: Page) => Promise<void>): Promise<void> => {
  const session = await signIn("admin");
  expect(await onScreen(pages.url, { session, ...options }, work)).toEqual([]);
};

describe("an upload", () => {
  test("is read again with other columns and stored with them", () =>
    using({}, async (page) => {
      const name = `chosen ${crypto.randomUUID()}`;
      await page.goto("/datasets/new");
      await choose(page, "a,b,c\nWhat is 1?,1,easy\nWhat is 2?,2,hard\n".replace("a,b,c", "input,b,c"));
      await page.getByLabel("b", { exact: true }).selectOption("references");
      await page.getByLabel("c", { exact: true }).selectOption("");
      await page.getByRole("button", { name: "Read again with these columns" }).click();
      await page.getByRole("cell", { name: "1", exact: true }).first().waitFor();
      expect(await page.getByLabel("b", { exact: true }).inputValue()).toBe("references");
      expect(await page.getByLabel("c", { exact: true }).inputValue()).toBe("");
      await page.getByLabel("Dataset name").fill(name);
      await page.getByRole("button", { name: "Store 2 samples" }).click();
      await page.getByRole("heading", { level: 1, name }).waitFor();
      const { data } = await pages.datasets.samples(name, {});
      expect(data.map(({ references, metadata }) => [references, metadata])).toEqual([
        [["1"], {}],
        [["2"], {}],
      ]);
    }));

  test("is read again before it is stored with changed columns", () =>
    using({}, async (page) => {
      const name = `unseen ${crypto.randomUUID()}`;
      await page.goto("/datasets/new");
      await choose(page, "input,b\nWhat is 1?,same\nWhat is 2?,same\n");
      await page.getByLabel("Dataset name").fill(name);
      await page.getByLabel("b", { exact: true }).selectOption("key");
      await page.getByRole("button", { name: "Store 2 samples" }).click();
      await page.getByText("You changed the columns, so the file was read again.").waitFor();
      await page.getByRole("heading", { name: "1 row can’t be used" }).waitFor();
      expect(await page.getByLabel("Dataset name").inputValue()).toBe(name);
      expect((await pages.datasets.list({ search: name })).data).toEqual([]);
      await page.getByRole("button", { name: "Store 1 sample" }).click();
      await page.getByText("1 row that can’t be used was left out").waitFor();
      await page.getByText("Upload of revision 1: 2 rows read, 1 usable, 1 can’t be used").waitFor();
      await page.getByRole("cell", { name: "is already used on line 2" }).waitFor();
    }));

  test("of the sample dataset adds it only once", async () => {
    const session = await signIn("admin", empty);
    const faults = await onScreen(empty.url, { session }, async (page) => {
      for (let time = 0; time < 2; time++) {
        await page.goto("/datasets");
        if (time === 0) await page.getByRole("button", { name: "Use the sample dataset" }).click();
        else await page.getByRole("link", { name: "sample", exact: true }).click();
        await page.getByText("21 samples in revision 1").waitFor();
      }
    });
    expect(faults).toEqual([]);
  });

  test("continues when its user leaves, and can be found again", () =>
    using({}, async (page) => {
      await page.goto("/datasets/new");
      await preview(page);
      const address = page.url();
      await page.goto("/datasets");
      await page.goto(address);
      await page.getByRole("button", { name: "Store 995 samples" }).waitFor();
    }));

  test("that is waiting can be stopped, and nothing is stored", () =>
    using({}, async (page) => {
      await withoutWorker(async () => {
        await page.goto("/datasets/new");
        await choose(page, csv(1000));
        await page.getByText("Waiting for a worker").waitFor();
        await page.getByRole("button", { name: "Stop" }).click();
        await page.getByText("Stopped. Nothing was stored.").waitFor();
      });
    }));

  test("of another key is not found", async () => {
    const principal = { keyId: (await pages.newKey("editor")).id };
    const upload = await pages.uploads.receive([Buffer.from("input\nOne?\n")], {
      fileName: "x.csv",
      createdBy: principal.keyId,
    });
    const target = { mode: "create", name: "x", description: "", schema: null } as const;
    const { job } = await pages.imports.enqueue(
      principal,
      upload,
      { target, options: { onError: "skip", dryRun: true } },
      async () => {},
    );
    await using({ expectedStatuses: [404] }, async (page) => {
      await page.goto(`/datasets/imports/${job}`);
      await page.getByText("Not found").waitFor();
    });
  });

  test("of a revision keeps samples that are not in the file, if chosen", async () => {
    const path = await store(`revised ${crypto.randomUUID()}`, CAPITALS.slice(0, 2));
    await using({}, async (page) => {
      await page.goto(path);
      await page.getByRole("link", { name: "Add revision" }).click();
      await choose(page, "key,input,references\njp,What is the capital of Japan?,Tokyo or 東京\n");
      await page.getByLabel("Keep them").check();
      await page.getByRole("button", { name: "Store 1 sample" }).click();
      await page.getByText("2 samples in revision 2").waitFor();
      await page.getByRole("cell", { name: "1 changed" }).waitFor();
      await page.getByRole("link", { name: "1", exact: true }).click();
      await page.getByText("2 samples in revision 1 (not the latest)").waitFor();
    });
  });
});

describe("U8: a rejected request of these pages", () => {
  test("that polls a running upload shows every error kind and keeps the page", () =>
    using({ expectedStatuses: REFUSED_STATUSES }, (page) =>
      withoutWorker(async () => {
        await page.goto("/datasets/new");
        await choose(page, csv(1000));
        const waiting = page.getByText("Waiting for a worker");
        await waiting.waitFor();
        await refuseInEveryWay(page, pages, {
          path: /^\/datasets\/imports/,
          stays: async () => expect(await waiting.isVisible()).toBe(true),
        });
      }),
    ));

  test.each<[ErrorKind, number]>([
    ["insufficient_role", 403],
    ["payload_too_large", 413],
    ["rate_limited", 429],
    ["internal", 500],
    ["storage_full", 507],
  ])("that uploads a file and gets %s shows the error and links back", (kind, status) =>
    using({ expectedStatuses: [status] }, async (page) => {
      await page.goto("/datasets/new");
      pages.refusal.path = /^\/datasets\/upload/;
      pages.refusal.error = new AppError(kind, "A reason for people.");
      await choose(page, csv(10));
      await page.getByText("A reason for people.").waitFor();
    }),
  );

  test("that uploads a file with an expired session leads to sign-in", () =>
    using({ expectedStatuses: [401] }, async (page) => {
      await page.goto("/datasets/new");
      await page.context().clearCookies();
      await choose(page, csv(10));
      await page.getByLabel("Your key").waitFor();
    }));

  test("that uploads a file and is rejected by a proxy shows the error and keeps the file", () =>
    using({ expectedStatuses: [502] }, async (page) => {
      await page.goto("/datasets/new");
      await page.route("**/datasets/upload", (route) =>
        route.fulfill({ status: 502, contentType: "text/html", body: "<h1>Bad gateway</h1>" }),
      );
      await choose(page, csv(10));
      await page.getByText("the server returned 502. The file is still selected").waitFor();
      expect(await page.getByRole("button", { name: "Read the file" }).isEnabled()).toBe(true);
    }));

  test("that uploads a file without a network shows the error and keeps the file", () =>
    using({ expectedFault: /ERR_FAILED|ERR_INTERNET/ }, async (page) => {
      await page.goto("/datasets/new");
      await page.route("**/datasets/upload", (route) => route.abort());
      await choose(page, csv(10));
      await page.getByText("can’t be reached").waitFor();
      expect(await page.getByRole("button", { name: "Read the file" }).isEnabled()).toBe(true);
      await page.unroute("**/datasets/upload");
      await page.getByRole("button", { name: "Read the file" }).click();
      await page.getByRole("button", { name: "Store 10 samples" }).waitFor();
    }));
});

test("U6: without scripts, forms upload, preview, filter, revise and delete a dataset", () =>
  using({ javaScript: false }, async (page) => {
    const name = `plain ${crypto.randomUUID()}`;
    await page.goto("/datasets/new");
    await choose(page, csv(1000));
    await page.getByRole("button", { name: "Store 995 samples" }).waitFor();
    await page.getByText("101", { exact: true }).waitFor();
    await page.getByLabel("Dataset name").fill(name);
    await page.getByRole("button", { name: "Store 995 samples" }).click();
    await page.getByText("995 samples in revision 1").waitFor();
    await page.getByLabel("Search input and references").fill("What is 42?");
    await page.getByRole("button", { name: "Filter" }).click();
    await page.getByRole("link", { name: "What is 42?" }).click();
    await page.getByRole("heading", { level: 1, name: "k42" }).waitFor();
    await page.getByRole("link", { name, exact: true }).click();
    await page.getByText("Delete this dataset").click();
    await page.getByLabel(/to confirm/).fill(name);
    await page.getByRole("button", { name: "Delete dataset" }).click();
    await page.getByText("Dataset deleted.").waitFor();
  }));

test("U2: a dataset can be uploaded, stored, opened and deleted with only the keyboard", () =>
  using({}, async (page) => {
    const name = `typed ${crypto.randomUUID()}`;
    await page.goto("/datasets");
    await tabTo(page, /Upload dataset/);
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { level: 1, name: "Upload a dataset" }).waitFor();
    // The file dialog belongs to the browser.
    await page.setInputFiles("[type=file]", { name: "x.csv", mimeType: "text/csv", buffer: Buffer.from(csv(1000)) });
    await tabTo(page, /^Read the file$/);
    await page.keyboard.press("Enter");
    await page.getByRole("button", { name: "Store 995 samples" }).waitFor();
    await tabTo(page, /Dataset name/);
    await page.keyboard.press("ControlOrMeta+a");
    await page.keyboard.type(name);
    await tabTo(page, /Store the 995 usable rows/);
    await tabTo(page, /^Store 995 samples$/);
    await page.keyboard.press("Enter");
    await page.getByText("995 samples in revision 1").waitFor();
    await tabTo(page, /^What is 3\?$/);
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { level: 1, name: "k3" }).waitFor();
    await page.goBack();
    await tabTo(page, /^Delete this dataset$/);
    await page.keyboard.press("Enter");
    await tabTo(page, /to confirm/);
    await page.keyboard.type(name);
    await page.keyboard.press("Enter");
    await page.getByText("Dataset deleted.").waitFor();
  }));
