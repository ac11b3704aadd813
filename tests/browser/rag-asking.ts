import type { Page } from "playwright-core";
import { failure, HANDBOOK, sampleAnswer, sampleDocument, sampleIngestion } from "./rag-samples";
import type { ScriptedRag } from "./scripted-rag";

export const INDEX = "/rag/idx_handbook";
export const ASK = `${INDEX}/ask`;
export const QUESTION = "How many days of leave are there, and what happens to the rest?";

export const spanPath = (words: string, hash = ""): string => {
  const start = HANDBOOK.indexOf(words);
  return `${INDEX}/documents/doc_handbook?start=${start}&end=${start + words.length}&hash=${hash}#cited`;
};

export const SCAN = "scan.pdf has no text layer: its pages are pictures. Run it through OCR, then add it again.";
export const failedDocument = (id: string, source: string, message: string) =>
  sampleDocument({ id, title: source, source, state: "failed", chunks: 0, error: failure(message) });

export const ingesting = (rag: ScriptedRag): string => {
  const ingestion = sampleIngestion({ state: "running", total: 27, done: 3, failed: 1, eta_seconds: 21 });
  rag.reset({ status: "ingesting", failed_documents: 1, ingestion });
  rag.files = [
    sampleDocument({ id: "doc_1", title: "Oven manual", source: "oven-manual-2026.pdf", state: "embedding" }),
    sampleDocument({ id: "doc_2", title: "Leave rules", source: "leave-rules.docx", state: "chunking" }),
    sampleDocument({ id: "doc_3", title: "Shifts", source: `${"shifts-".repeat(12)}.csv`, state: "reading" }),
    failedDocument("doc_4", "scan.pdf", SCAN),
    sampleDocument({ id: "doc_5", title: "Notes", source: "notes.md", state: "queued" }),
    sampleDocument(),
  ];
  return INDEX;
};

export const ask = async (page: Page, question = QUESTION): Promise<void> => {
  await page.getByLabel("Question", { exact: true }).fill(question);
  await page.getByRole("button", { name: "Ask", exact: true }).click();
};

/** The passages have been found, and the model has written this. */
export const found = (rag: ScriptedRag, written: string): void => {
  const { chunks, threshold, warning, degraded, index, cache } = sampleAnswer();
  rag.say({ type: "retrieval", chunks, threshold, warning, degraded, index, cache });
  if (written) rag.say({ type: "token", text: written });
};
