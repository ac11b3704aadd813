/** A text that browsers save under `name`, which holds no character that would need to be escaped. */
export const download = (body: string | ReadableStream, mediaType: string, name: string): Response =>
  new Response(body, {
    headers: {
      "content-type": `${mediaType}; charset=utf-8`,
      "content-disposition": `attachment; filename="${name}"`,
      "cache-control": "no-store",
    },
  });
