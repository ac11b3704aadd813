/** A line of a file that isn't blank. `line` counts from 1, including blank lines. */
export type FileLine = { line: number } & ({ text: string } | { problem: "too_long" | "not_utf8" });

const LF = 10;

/** Also removes byte order marks, which concatenated files contain in the middle. */
const decoder = new TextDecoder("utf-8", { fatal: true });

/**
 * Splits a file into lines as it is read. Only one line is in memory, and of a line longer than `maxBytes` only the
 * problem is returned.
 */
export async function* readLines(pieces: AsyncIterable<Uint8Array>, maxBytes: number): AsyncGenerator<FileLine> {
  let line = 0;
  let waiting: Uint8Array[] = [];
  let sizeBytes = 0;
  const add = (bytes: Uint8Array): void => {
    sizeBytes += bytes.length;
    if (sizeBytes <= maxBytes) waiting.push(bytes);
    else waiting = [];
  };
  const take = (): FileLine | undefined => {
    line++;
    const isTooLong = sizeBytes > maxBytes;
    const bytes = Buffer.concat(waiting);
    waiting = [];
    sizeBytes = 0;
    return isTooLong ? { line, problem: "too_long" } : decoded(line, bytes);
  };
  for await (const piece of pieces) {
    let from = 0;
    for (let end = piece.indexOf(LF); end !== -1; end = piece.indexOf(LF, from)) {
      add(piece.subarray(from, end));
      from = end + 1;
      const found = take();
      if (found) yield found;
    }
    add(piece.subarray(from));
  }
  const last = sizeBytes > 0 ? take() : undefined;
  if (last) yield last;
}

const decoded = (line: number, bytes: Uint8Array): FileLine | undefined => {
  try {
    const text = decoder.decode(bytes);
    return text.trim() === "" ? undefined : { line, text };
  } catch {
    return { line, problem: "not_utf8" };
  }
};
