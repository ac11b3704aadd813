import type { Call } from "../../gateway/call";
import type { NumberedPage, NumberedQuery } from "../../gateway/paging";
import type { RagAnswer, RagEvent, RagQuery } from "../../gateway/rag/contract";
import type { IndexVersion, RagDocument, RagIndex } from "../../gateway/rag/indexes/contract";
import type { Indexes } from "../../gateway/rag/indexes/service";
import type { IndexCalibration } from "../../gateway/rag/quality/contract";
import { createRagTarget } from "../../gateway/rag/query/target";
import { AppError } from "../../lib/errors";
import type { RagPageServices } from "../../views/rag/routes";
import { sampleCalibration, sampleComparison } from "./quality-samples";
import {
  CHUNKS,
  HANDBOOK,
  HASH,
  PAGE_STARTS,
  sampleDocument,
  sampleIndex,
  sampleIngestion,
  sampleVersion,
} from "./rag-samples";

export const EARLIER_HASH = "0b9e".repeat(16);

type ScriptedServices = Pick<
  RagPageServices,
  "indexVersions" | "documents" | "rag" | "retrievalQuality" | "sampleIndex"
> & {
  indexes: RagPageServices["indexes"] & Pick<Indexes, "names">;
};

/** Services for indexes, documents and queries that hold what the test puts into them. */
export class ScriptedRag implements ScriptedServices {
  all: RagIndex[] = [];
  files: RagDocument[] = [];
  builds: IndexVersion[] = [];
  /** Calls that change something, with their input. */
  readonly calls: [name: string, ...input: unknown[]][] = [];
  /** The result of every calibration. */
  calibration: IndexCalibration | Promise<IndexCalibration> = sampleCalibration();
  /** The last query. */
  asked: RagQuery | undefined;
  readonly gone = new Set<string>();
  /** An error that the next change throws. */
  refusal: AppError | undefined;
  #events: (RagEvent | AppError)[] = [];
  #moved = Promise.withResolvers<void>();

  /** One index with one document. */
  reset(index: Partial<RagIndex> = {}): void {
    this.all = [sampleIndex(index)];
    this.files = [sampleDocument()];
    this.builds = [sampleVersion()];
    this.calls.length = 0;
    this.gone.clear();
    this.calibration = sampleCalibration();
    this.asked = undefined;
    this.refusal = undefined;
    this.#events = [];
  }

  say(...events: (RagEvent | AppError)[]): void {
    this.#events.push(...events);
    this.#moved.resolve();
    this.#moved = Promise.withResolvers();
  }
  /** All events of an answer. */
  answer(answer: RagAnswer): void {
    const { chunks, threshold, warning, degraded, index, cache, citations, grounding, answer: text } = answer;
    this.say({ type: "retrieval", chunks, threshold, warning, degraded, index, cache });
    if (answer.status === "answered" && text !== null) {
      for (const word of text.split(/(?<= )/)) this.say({ type: "token", text: word });
      this.say({ type: "citations", answer: text, citations });
      if (grounding) this.say({ type: "grounding", grounding });
    }
    this.say({ type: "done", answer });
  }

  #change(...call: [name: string, ...input: unknown[]]): void {
    if (this.refusal) throw this.refusal;
    this.calls.push(call);
  }
  #find(id: string): RagIndex {
    const index = this.all.find((one) => one.id === id);
    if (index) return index;
    throw new AppError("not_found", `Index "${id}" not found for this key. GET /v1/rag/indexes lists the indexes.`);
  }
  #document(id: string): RagDocument {
    const document = this.files.find((one) => one.id === id);
    if (document) return document;
    throw new AppError("not_found", `Document "${id}" not found in this index.`);
  }

  /** The functions of indexes that conversations use. All documents exist, except those in `gone`. */
  readonly opened: Pick<Indexes, "open" | "visibleDocuments"> = {
    open: async (_, id) => {
      const { name, revision, retrieval } = this.#find(id);
      const model = { embeddingModel: "all-minilm-l6-v2", embeddingModelRevision: "bd5dc15885e3" };
      return { id, name, revision, retrieval, version: 1, ...model, lacksVectors: false };
    },
    visibleDocuments: async (_, { indexIds, ids }) =>
      indexIds.flatMap((indexId) => ids.filter((id) => !this.gone.has(id)).map((id) => ({ indexId, id }))),
  };

  readonly indexes: ScriptedServices["indexes"] = {
    names: async () => this.all.map(({ id, name }) => ({ id, name })),
    defaults: () => ({
      models: ["all-minilm-l6-v2", "bge-small-en-v1.5"],
      chunking: { chunk_tokens: 256, overlap_tokens: 32 },
    }),
    listNumbered: async (_, query) => pageOf(this.all, query),
    get: async (_, id) => this.#find(id),
    create: async (_, request) => {
      this.#change("create", request);
      this.reset({ name: request.name, status: "empty", documents: 0, chunks: 0, ingestion: null });
      this.files = [];
      return this.#find("idx_handbook");
    },
    update: async (_, id, { name, description, retrieval }) => {
      this.#change("update", { name, description, retrieval });
      const index = this.#find(id);
      Object.assign(index, { retrieval: { ...index.retrieval, ...retrieval } });
      if (name) index.name = name;
      return index;
    },
    remove: async (_, id) => {
      this.#change("remove", id);
      this.all = this.all.filter((index) => index.id !== id);
    },
  };

  readonly sampleIndex: ScriptedServices["sampleIndex"] = {
    open: async () => {
      this.reset({ name: "Groundwire docs" });
      this.#change("sample");
      return this.#find("idx_handbook");
    },
  };

  readonly documents: ScriptedServices["documents"] = {
    listNumbered: async (_, __, query) =>
      pageOf(
        this.files.filter(
          ({ title, state }) =>
            (!query.state || state === query.state) && title.toLowerCase().includes((query.search ?? "").toLowerCase()),
        ),
        query,
      ),
    listIngested: async () => this.files.filter(({ state }) => state !== "ready"),
    get: async (_, __, id) => this.#document(id),
    submit: async (_, __, { files }, once) => {
      this.#change(
        "submit",
        files.map(({ content }) => content.source),
      );
      const documents = files.map(({ content: { source } }) => ({
        id: `doc_${source}`,
        source,
        outcome: "added" as const,
      }));
      return once(async () => ({ ingestion: null, documents }));
    },
    retry: async (_, __, ids) => this.#change("retry", ids),
    remove: async (_, __, id) => this.#change("removeDocument", id),
    cancel: async (_, id) => {
      this.#change("cancel", id);
      Object.assign(this.#find(id), { status: "ready", ingestion: null });
      this.files = this.files.filter(({ state }) => state === "ready");
      return sampleIngestion({ state: "cancelled" });
    },
    text: async (_, __, ___, hash = HASH) =>
      hash === HASH
        ? { text: HANDBOOK, pages: PAGE_STARTS, hash }
        : { text: HANDBOOK.replace("30 days", "28 days"), pages: PAGE_STARTS, hash },
    chunks: async (_, __, ___, { after }) => ({
      data: CHUNKS.filter(({ position }) => position > Number(after ?? -1)).slice(0, 4),
      has_more: after === undefined,
      next_cursor: after === undefined ? "3" : null,
    }),
  };

  readonly indexVersions: ScriptedServices["indexVersions"] = {
    list: async () => ({ data: this.builds, has_more: false, next_cursor: null }),
    build: async (_, __, request) => {
      this.#change("build", request);
      return sampleVersion();
    },
    activate: async (_, id, version) => {
      this.#change("activate", version);
      return this.#find(id);
    },
  };

  readonly retrievalQuality: ScriptedServices["retrievalQuality"] = {
    calibrate: async (_, __, request) => {
      this.#change("calibrate", request);
      return this.calibration;
    },
    compare: async (_, __, request) => {
      this.#change("compare", request);
      return sampleComparison();
    },
  };

  readonly rag: ScriptedServices["rag"] = {
    events: (call, request) => this.#stream(call, request),
  };

  /** Evaluations of an index, with the scripted answer. */
  readonly target = createRagTarget({
    indexes: this.opened,
    rag: {
      query: async (call, request) => {
        for await (const event of this.#stream(call, request)) if (event.type === "done") return event.answer;
        throw new Error("The script has no end.");
      },
    },
  });

  async *#stream({ signal }: Call, request: RagQuery): AsyncGenerator<RagEvent> {
    this.asked = request;
    const left = new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
    for (let said = 0; ; ) {
      const event = this.#events[said];
      if (signal.aborted) throw new AppError("client_closed", "The caller left.");
      if (event === undefined) {
        await Promise.race([this.#moved.promise, left]);
        continue;
      }
      said += 1;
      if (event instanceof AppError) throw event;
      yield event;
      if (event.type === "done") return;
    }
  }
}

const pageOf = <T>(all: T[], { page, pageLength }: NumberedQuery<string>): NumberedPage<T> => ({
  data: all.slice((page - 1) * pageLength, page * pageLength),
  page,
  pageLength,
  total: all.length,
});
