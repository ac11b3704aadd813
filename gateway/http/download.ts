export interface FileContent {
  name: string;
  mediaType: string;
  /** A generator is read only as fast as the client reads, and closed if the client disconnects. */
  content: string | AsyncGenerator<string | Uint8Array>;
}

/** Types of files that are not text. */
const BINARY: ReadonlySet<string> = new Set(["application/gzip", "application/vnd.apache.parquet"]);

/** A response that browsers save as `name`, which must not contain characters that need escaping. */
export const download = ({ name, mediaType, content }: FileContent): Response =>
  new Response(content, {
    headers: {
      "content-type": BINARY.has(mediaType) ? mediaType : `${mediaType}; charset=utf-8`,
      "content-disposition": `attachment; filename="${name}"`,
      "cache-control": "no-store",
    },
  });
