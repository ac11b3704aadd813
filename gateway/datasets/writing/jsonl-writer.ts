import type { NewSample } from "../sample-contract";
import { inPieces } from "./text-pieces";

/** JSON Lines, a sample on each: read again, they are the same samples with the same hashes. */
export const writeJsonl = (samples: AsyncIterable<NewSample> | Iterable<NewSample>): AsyncGenerator<string> =>
  inPieces(toLines(samples));

async function* toLines(samples: AsyncIterable<NewSample> | Iterable<NewSample>): AsyncGenerator<string> {
  for await (const sample of samples) yield `${JSON.stringify(sample)}\n`;
}
