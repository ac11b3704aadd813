import type { Static } from "@sinclair/typebox";
import type { Call } from "../../gateway/call";
import type { NumberedPage, NumberedQuery } from "../../gateway/paging";
import type { Principal } from "../../gateway/principal";
import type * as contract from "../../gateway/rag/contract";
import type { UploadBody } from "../../gateway/uploads/multipart";

export type RagIndex = Static<typeof contract.RagIndex>;
export type RagDocument = Static<typeof contract.RagDocument>;
export type RagVersion = Static<typeof contract.IndexVersion>;
export type RagIngestion = Static<typeof contract.Ingestion>;
export type RagChunk = Static<typeof contract.ChunkPage>["data"][number];
export type RagQuery = Static<typeof contract.RagQuery>;
export type RagAnswer = Static<typeof contract.RagAnswer>;
export type RagEvent = Static<typeof contract.RagEvent>;
export type RetrievedChunk = RagAnswer["chunks"][number];
export type Retrieval = RagIndex["retrieval"];
/** A citation without `found_by` is the model's. */
export type RagCitation = RagAnswer["citations"][number] & { found_by?: "model" | "groundwire" };

/** The text that offsets of chunks and citations refer to. */
export interface DocumentText {
  text: string;
  /** UTF-16 offset of each page in the text; empty without pages. */
  pages: number[];
  hash: string;
}

/** What an index gets if its form is left as it is. */
export interface IndexDefaults {
  /** Embedding models that the user may use, the default first. */
  models: readonly string[];
  chunking: RagVersion["chunking"];
}

export type IndexSort = "name" | "documents" | "updated";
export type DocumentSort = "title" | "chunks" | "updated";
export interface DocumentFilter {
  search?: string;
  state?: RagDocument["state"];
}

/** What the pages need of the services for indexes, documents and queries. All methods throw `AppError`. */
export interface RagServices {
  indexes: {
    defaults(principal: Principal): IndexDefaults;
    listNumbered(principal: Principal, query: NumberedQuery<IndexSort>): Promise<NumberedPage<RagIndex>>;
    get(principal: Principal, id: string): Promise<RagIndex>;
    create(principal: Principal, request: Static<typeof contract.CreateIndex>): Promise<RagIndex>;
    update(principal: Principal, id: string, request: Static<typeof contract.UpdateIndex>): Promise<RagIndex>;
    remove(principal: Principal, id: string): Promise<void>;
    /** The index of Groundwire's own docs; creates it if it is missing. */
    sample(principal: Principal): Promise<RagIndex>;
  };
  documents: {
    listNumbered(
      principal: Principal,
      indexId: string,
      query: NumberedQuery<DocumentSort> & DocumentFilter,
    ): Promise<NumberedPage<RagDocument>>;
    /** The first `limit` documents of the index's last ingestion: those in progress first, then failed, then queued. */
    listIngested(principal: Principal, indexId: string, limit: number): Promise<RagDocument[]>;
    get(principal: Principal, indexId: string, id: string): Promise<RagDocument>;
    /** Stores the files of a form with several `files`. */
    receive(
      principal: Principal,
      indexId: string,
      body: UploadBody,
    ): Promise<Pick<Static<typeof contract.AddedDocuments>, "documents">>;
    retry(principal: Principal, indexId: string, ids: readonly string[]): Promise<unknown>;
    remove(principal: Principal, indexId: string, id: string): Promise<void>;
    cancel(principal: Principal, indexId: string): Promise<unknown>;
    text(principal: Principal, indexId: string, id: string, hash?: string): Promise<DocumentText>;
    chunks(
      principal: Principal,
      indexId: string,
      id: string,
      query: { limit: number; after?: string },
    ): Promise<Static<typeof contract.ChunkPage>>;
  };
  versions: {
    list(principal: Principal, indexId: string, query: { limit: number }): Promise<{ data: RagVersion[] }>;
    build(principal: Principal, indexId: string, request: Static<typeof contract.BuildVersion>): Promise<RagVersion>;
    activate(principal: Principal, indexId: string, version: number): Promise<RagIndex>;
  };
  queries: {
    stream(call: Call, request: RagQuery): AsyncIterable<RagEvent>;
  };
}
