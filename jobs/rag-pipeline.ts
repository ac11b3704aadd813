/* What ingestion needs of extraction and chunking: see `gateway/rag/ingest`. */

interface DocumentFile {
  name: string;
  bytes: Uint8Array;
  /** As the sender named it; left out: found out from name and bytes. */
  mediaType?: string;
}

export interface ExtractedText {
  title: string | null;
  text: string;
  /** UTF-16 offset of each page in `text`. */
  pages: number[];
  mediaType: string;
}

export interface ChunkPiece {
  start: number;
  end: number;
  text: string;
  heading: string | null;
  page: number | null;
  tokens: number;
  searchText: string;
}

interface ChunkOptions {
  chunkTokens: number;
  overlapTokens: number;
  title: string | null;
  countTokens(texts: string[]): Promise<number[]>;
}

export interface Pipeline {
  /** Throws AppError invalid_request for a file that can't be used. */
  extract(file: DocumentFile, signal: AbortSignal): Promise<ExtractedText>;
  chunk(document: ExtractedText, options: ChunkOptions): Promise<ChunkPiece[]>;
}
