interface FileContent {
  name: string;
  mediaType: string;
  /** Pieces are read only as fast as the client reads; the generator is closed if the client disconnects. */
  content: string | AsyncGenerator<string>;
}

/** A response that browsers save as `name`. The name must not contain characters that need escaping. */
export const download = ({ name, mediaType, content }: FileContent): Response =>
  new Response(content, {
    headers: {
      "content-type": `${mediaType}; charset=utf-8`,
      "content-disposition": `attachment; filename="${name}"`,
      "cache-control": "no-store",
    },
  });
