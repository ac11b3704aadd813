/** A file that a service hands to its caller. */
interface FileContent {
  name: string;
  mediaType: string;
  /** Pieces are read only as fast as the client reads; the generator is closed if the client disconnects. */
  content: string | AsyncGenerator<string>;
}

/** A response that browsers save as `name`. The name must not contain characters that need escaping. */
export const download = ({ name, mediaType, content }: FileContent): Response =>
  new Response(typeof content === "string" ? content : toStream(content), {
    headers: {
      "content-type": `${mediaType}; charset=utf-8`,
      "content-disposition": `attachment; filename="${name}"`,
      "cache-control": "no-store",
    },
  });

const toStream = (texts: AsyncGenerator<string>): ReadableStream<Uint8Array> => {
  const encoder = new TextEncoder();
  return new ReadableStream({
    async pull(controller) {
      const { value, done } = await texts.next();
      if (done) controller.close();
      else controller.enqueue(encoder.encode(value));
    },
    cancel: async () => void (await texts.return(undefined)),
  });
};
