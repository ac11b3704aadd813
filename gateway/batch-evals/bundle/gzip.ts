import { pipeline, Readable } from "node:stream";
import { createGunzip, createGzip } from "node:zlib";

type Pieces = AsyncIterable<Uint8Array>;

/** Compresses pieces as they are read. Closing the result closes `pieces`. */
export const gzipped = (pieces: Pieces): AsyncGenerator<Uint8Array> => through(pieces, createGzip());

/** Decompresses pieces as they are read. Throws zlib's errors for damaged and incomplete data. */
export const gunzipped = (pieces: Pieces): AsyncGenerator<Uint8Array> => through(pieces, createGunzip());

async function* through(pieces: Pieces, zip: ReturnType<typeof createGzip>): AsyncGenerator<Uint8Array> {
  const source = Readable.from(pieces, { highWaterMark: 1 });
  // Its errors reach the loop, because a pipeline destroys both ends.
  pipeline(source, zip, () => {});
  try {
    for await (const piece of zip) yield piece;
  } finally {
    source.destroy();
    zip.destroy();
  }
}
