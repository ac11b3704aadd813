import type { IndexVersion, Ingestion, RagDocument, RagIndex } from "../../gateway/rag/indexes/contract";
import type { RetrievalSettings } from "../../gateway/retrieval-contract";

/** A state in words, and the style of its mark. */
interface StateWords {
  text: string;
  look: "good" | "fair" | "bad" | "";
}

const INDEX: Readonly<Record<RagIndex["status"], StateWords>> = {
  empty: { text: "Empty", look: "" },
  ingesting: { text: "Adding documents", look: "fair" },
  ready: { text: "Ready", look: "good" },
  failed: { text: "Failed", look: "bad" },
};
export const indexState = ({ status }: Pick<RagIndex, "status">): StateWords => INDEX[status];

const DOCUMENT: Readonly<Record<RagDocument["state"], StateWords>> = {
  queued: { text: "Waiting", look: "" },
  reading: { text: "Reading", look: "fair" },
  chunking: { text: "Chunking", look: "fair" },
  embedding: { text: "Embedding", look: "fair" },
  ready: { text: "Searchable", look: "good" },
  failed: { text: "Failed", look: "bad" },
  cancelled: { text: "Cancelled", look: "" },
};
export const DOCUMENT_STATES = (Object.keys(DOCUMENT) as RagDocument["state"][]).map((value) => ({
  value,
  label: DOCUMENT[value].text,
}));
export const documentState = ({ state }: Pick<RagDocument, "state">): StateWords => DOCUMENT[state];

/** Errors caused by the file itself: reading the same file again gives the same error. */
const FILE_ERRORS: ReadonlySet<string> = new Set([
  "invalid_request",
  "payload_too_large",
  "unsupported_media_type",
  "context_length_exceeded",
]);

/** Whether reading a failed document again can help. */
export const canRetry = ({ error }: Pick<RagDocument, "error">): boolean => !FILE_ERRORS.has(error?.code ?? "");

const VERSION: Readonly<Record<IndexVersion["state"], StateWords>> = {
  building: { text: "Building", look: "fair" },
  ready: { text: "Ready", look: "" },
  active: { text: "Active", look: "good" },
  failed: { text: "Failed", look: "bad" },
  retired: { text: "Retired", look: "" },
};
export const versionState = ({ state }: Pick<IndexVersion, "state">): StateWords => VERSION[state];

export const isRunning = (ingestion: Ingestion | null): ingestion is Ingestion =>
  ingestion?.state === "queued" || ingestion?.state === "running";

export const MODES: Readonly<Record<RetrievalSettings["mode"], string>> = {
  hybrid: "Hybrid",
  vector: "By meaning only",
  keyword: "By keyword only",
};

/** "Hybrid, 5 passages, threshold 0.30". */
export const retrievalText = ({ mode, top_k: topK, threshold }: RetrievalSettings): string => {
  return `${MODES[mode]}, ${topK} passages, ${threshold ? `threshold ${threshold.value.toFixed(2)}` : "no threshold"}`;
};

export const score = (value: number | null): string => (value === null ? "–" : value.toFixed(value < 10 ? 2 : 1));

/** "0.912"; "–" if there is no value. */
export const share = (value: number | undefined): string => value?.toFixed(3) ?? "–";

/** "+0.041", "−0.012", "0". */
export const difference = (value: number): string =>
  value === 0 ? "0" : `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(3)}`;

/** "7 %", "2.6 %". */
export const percent = (value: number): string => `${Number((value * 100).toFixed(1))}\u00a0%`;

const KIB = 1024;
/** "812 KiB", "3.4 MiB". */
export const size = (bytes: number): string =>
  bytes < KIB * KIB ? `${Math.ceil(bytes / KIB)} KiB` : `${(bytes / KIB / KIB).toFixed(1)} MiB`;
