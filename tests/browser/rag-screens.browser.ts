import { beforeAll } from "bun:test";
import type { Page } from "playwright-core";
import { AppError } from "../../lib/errors";
import { reloadRefused, type ScreenCase, testScreens } from "./matrix";
import { openPages } from "./pages";
import { sampleCalibration } from "./quality-samples";
import { ASK, ask, failedDocument, found, INDEX, ingesting, SCAN, spanPath } from "./rag-asking";
import { refusedAnswer, sampleAnswer, sampleDocument, sampleVersion } from "./rag-samples";
import { EARLIER_HASH } from "./scripted-rag";

const pages = await openPages();
const { rag } = pages;
const cookies: Record<string, string> = {};

beforeAll(async () => {
  for (const role of ["viewer", "member", "editor"] as const) {
    const { key } = await pages.newKey(role, `Ada’s ${role} key`);
    cookies[role] = (await pages.sessions.signIn(key)).cookie;
  }
});

const refused = reloadRefused(() => pages, /^\/rag/);

const QUALITY = `${INDEX}/quality`;
const measure = async (page: Page, questions = "question,document\nHow many days?,handbook.pdf\nWho won?,") => {
  await page.getByLabel("Questions", { exact: true }).fill(questions);
  await page.getByRole("button", { name: "Measure" }).click();
};
const withTwoVersions = (path: string) => () => {
  rag.builds = [sampleVersion({ version: 2, state: "ready" }), sampleVersion()];
  return path;
};

interface Case extends ScreenCase {
  as?: "viewer" | "member" | "editor";
}

const CASES: Case[] = [
  { name: "rag indexes", path: "/rag", shows: "1 index" },
  {
    name: "rag first index",
    path: () => {
      rag.all = [];
      return "/rag";
    },
    shows: "Create an index",
  },
  {
    name: "rag first index of a viewer",
    path: () => {
      rag.all = [];
      return "/rag";
    },
    as: "viewer",
    shows: "You need the editor role",
  },
  {
    name: "rag new index refused",
    path: "/rag/new",
    status: 422,
    reach: async (page) => {
      await page.getByText("Advanced").click();
      await page.getByLabel("Overlap (tokens)").fill("900");
      await page.getByRole("button", { name: "Create index" }).click();
    },
    shows: "There is a problem",
  },
  {
    name: "rag new index forbidden",
    path: "/rag/new",
    as: "viewer",
    status: 403,
    shows: "This requires the editor role",
  },
  {
    name: "rag index",
    path: () => {
      rag.builds = [sampleVersion({ version: 2, state: "ready" }), sampleVersion()];
      return `${INDEX}?added=2`;
    },
    reach: async (page) => {
      await page.getByText("Settings:").click();
      await page.getByText("Build another version").click();
      await page.getByText("Delete this index").click();
    },
    shows: "2 files added",
  },
  { name: "rag index of a viewer", path: INDEX, as: "viewer", shows: "Staff handbook" },
  {
    name: "rag index empty",
    path: () => {
      rag.reset({ status: "empty", documents: 0, chunks: 0 });
      rag.files = [];
      return INDEX;
    },
    shows: "No documents yet",
  },
  { name: "rag index filtered", path: `${INDEX}?search=oven&state=failed`, shows: "No document matches" },
  { name: "rag ingesting", path: () => ingesting(rag), shows: "3 of 27 documents searchable" },
  {
    name: "rag failed files",
    path: () => {
      rag.reset({ failed_documents: 2 });
      rag.files = [
        failedDocument("doc_4", "scan.pdf", SCAN),
        failedDocument("doc_5", "locked.pdf", "It has a password. Remove it."),
      ];
      return INDEX;
    },
    shows: "2 files could not be read",
  },
  {
    name: "rag no file chosen",
    path: INDEX,
    status: 422,
    reach: (page) => page.getByRole("button", { name: "Add files" }).click(),
    shows: "No file was sent. Choose at least one.",
  },
  {
    name: "rag settings refused",
    path: INDEX,
    status: 422,
    reach: async (page) => {
      await page.getByText("Settings:").click();
      await page.getByLabel("Passages to find").fill("many");
      await page.getByRole("button", { name: "Save settings" }).click();
    },
    shows: "There is a problem",
  },
  {
    name: "rag index server error",
    path: INDEX,
    status: 500,
    reach: refused("internal", "An internal error occurred. Include the request id when you report it."),
    shows: "Something went wrong",
  },
  {
    name: "rag index rate-limited",
    path: INDEX,
    status: 429,
    reach: refused("rate_limited", "The key “Ada’s laptop” has sent the 60 requests of this minute.", 12_000),
    shows: "Rate limit reached",
  },
  { name: "rag index not found", path: "/rag/idx_nothing", status: 404, shows: "Go to documents" },
  { name: "rag document", path: () => spanPath("Sick days are never taken from your holidays."), shows: "Chunk 3" },
  {
    name: "rag document of earlier",
    path: () => spanPath("Everyone has 30 days", EARLIER_HASH),
    shows: "This document has changed since",
  },
  {
    name: "rag document failed",
    path: () => {
      rag.files = [failedDocument("doc_handbook", "scan.pdf", SCAN)];
      return `${INDEX}/documents/doc_handbook`;
    },
    shows: "This file could not be read",
  },
  {
    name: "rag document waiting",
    path: () => {
      rag.files = [sampleDocument({ state: "embedding", chunks: 0 })];
      return `${INDEX}/documents/doc_handbook`;
    },
    shows: "There is no text yet",
  },
  { name: "rag quality", path: withTwoVersions(`${QUALITY}?measure=1:2`), shows: "Nothing measured yet" },
  {
    name: "rag quality empty index",
    path: () => {
      rag.reset({ chunks: 0 });
      return QUALITY;
    },
    shows: "This index has no searchable documents yet",
  },
  { name: "rag quality forbidden", path: QUALITY, as: "viewer", status: 403, shows: "This requires the editor role" },
  {
    name: "rag quality measuring",
    path: QUALITY,
    reach: (page) => {
      rag.calibration = new Promise(() => {});
      return measure(page);
    },
    shows: "Searching. This takes",
  },
  {
    name: "rag quality calibrated",
    path: QUALITY,
    reach: async (page) => {
      await measure(page);
      await page.getByText("Show the figures").click();
    },
    shows: "60 answerable questions",
  },
  {
    name: "rag quality without threshold",
    path: QUALITY,
    reach: (page) => {
      rag.calibration = sampleCalibration({ unanswerable: 0, curve: [], suggested: null });
      return measure(page);
    },
    shows: "To get a suggested threshold",
  },
  {
    name: "rag quality compared",
    path: withTwoVersions(`${QUALITY}?measure=1:2`),
    reach: (page) => measure(page),
    shows: "Questions that changed",
  },
  {
    name: "rag quality refused",
    path: QUALITY,
    status: 422,
    reach: (page) => measure(page, "question,document\n,handbook.pdf\nWho won?,"),
    shows: "Line 2: the question is empty",
  },
  {
    name: "rag quality rate-limited",
    path: QUALITY,
    status: 429,
    reach: async (page) => {
      rag.refusal = new AppError("rate_limited", "The key “Ada’s laptop” has sent the 60 requests of this minute.", {
        retryAfterMs: 12_000,
      });
      await measure(page);
    },
    shows: "Rate limit reached",
  },
  {
    name: "rag quality without a node",
    path: QUALITY,
    status: 503,
    reach: async (page) => {
      rag.refusal = new AppError("unavailable", "No GPU node is available. Try again later.");
      await measure(page);
    },
    shows: "Not available right now",
  },
  { name: "rag ask", path: ASK, as: "member", shows: "The passages that an answer is based on appear here." },
  {
    name: "rag ask with other settings",
    path: ASK,
    reach: (page) => page.getByText("Filter and other settings").click(),
    shows: "Apply to the index",
  },
  {
    name: "rag ask empty index",
    path: () => {
      rag.reset({ chunks: 0 });
      return ASK;
    },
    shows: "This index has no searchable documents yet",
  },
  { name: "rag ask forbidden", path: ASK, as: "viewer", status: 403, shows: "This requires the member role" },
  {
    name: "rag ask refused",
    path: ASK,
    status: 422,
    reach: async (page) => {
      await page.getByText("Filter and other settings").click();
      await page.getByLabel("Only documents with this metadata").fill("north quay");
      await ask(page, " ");
    },
    shows: "There is a problem",
  },
  { name: "rag ask searching", path: ASK, reach: (page) => ask(page), shows: "Searching the documents" },
  {
    name: "rag ask waiting for the model",
    path: ASK,
    reach: async (page) => {
      await ask(page);
      found(rag, "");
    },
    shows: "Found 5 passages. Waiting for the model",
  },
  {
    name: "rag ask writing",
    path: ASK,
    reach: async (page) => {
      await ask(page);
      found(rag, "Everyone has **30 days** of paid");
      await page.locator("#answer-text").getByText("of paid").waitFor();
    },
    shows: "Writing the answer",
  },
  {
    name: "rag ask answered",
    path: ASK,
    reach: async (page) => {
      rag.answer(sampleAnswer());
      await ask(page);
      await page.getByText("Diagnostics").click();
      await page.getByText("Save as a sample").click();
    },
    shows: "Answer ready, 2 citations.",
  },
  {
    name: "rag ask no relevant passage",
    path: ASK,
    reach: async (page) => {
      rag.answer(refusedAnswer());
      await ask(page);
    },
    shows: "What to try",
  },
  {
    name: "rag ask failed",
    path: ASK,
    reach: async (page) => {
      await ask(page);
      found(rag, "Everyone has **30 days** of paid");
      rag.say(new AppError("upstream_error", "The GPU node stopped answering. Try again."));
    },
    shows: "The GPU node stopped answering",
  },
];

testScreens(CASES, async ({ as = "editor" }) => {
  rag.reset();
  return { url: pages.url, session: cookies[as] };
});
