import { open, rm, stat } from "node:fs/promises";
import type { FileSource } from "./catalogue";
import type { OnBytes } from "./verify";

type HuggingFaceFile = Extract<FileSource, { type: "hugging-face" }>;

const DEFAULT_ENDPOINT = "https://huggingface.co";
/** A connection that brings nothing for so long is given up; the part that came stays for the next try. */
const STALL_MS = 60_000;

/**
 * Downloads the file to `target`. Bytes that are there already are not fetched again (HTTP Range), so an interrupted
 * download goes on where it stopped. Throws Error.
 */
export const fetchFromHuggingFace = async (
  source: HuggingFaceFile,
  target: string,
  onBytes: OnBytes,
  env: NodeJS.ProcessEnv = process.env,
): Promise<void> => {
  const endpoint = (env.HF_ENDPOINT || DEFAULT_ENDPOINT).replace(/\/+$/, "");
  const url = `${endpoint}/${source.repository}/resolve/main/${encodeURI(source.file)}`;
  const present = await stat(target).then(
    ({ size }) => size,
    () => 0,
  );
  const stall = new AbortController();
  let timer = setTimeout(() => stall.abort(), STALL_MS);
  try {
    const response = await fetch(url, { headers: requestHeaders(present, env.HF_TOKEN), signal: stall.signal });
    if (response.status === 416) {
      // What lies here is as long as the file or longer, and it is not the file: it was checked before.
      await rm(target);
      throw new Error("the part from an earlier try didn't fit and was removed; try again");
    }
    if (!response.ok || !response.body) throw new Error(`${url} answered ${response.status}${hint(response.status)}`);
    const isResumed = response.status === 206;
    let bytes = isResumed ? present : 0;
    const file = await open(target, isResumed ? "a" : "w");
    try {
      for await (const piece of response.body) {
        await file.write(piece);
        bytes += piece.length;
        onBytes(bytes);
        clearTimeout(timer);
        timer = setTimeout(() => stall.abort(), STALL_MS);
      }
    } finally {
      await file.close();
    }
  } catch (error) {
    if (stall.signal.aborted) throw new Error(`${endpoint} sent nothing for ${STALL_MS / 1000} s`);
    throw error;
  } finally {
    clearTimeout(timer);
  }
};

const requestHeaders = (present: number, token: string | undefined): Record<string, string> => ({
  // A compressed reply would make the offsets of a range meaningless.
  "accept-encoding": "identity",
  ...(present > 0 && { range: `bytes=${present}-` }),
  ...(token && { authorization: `Bearer ${token}` }),
});

const hint = (status: number): string =>
  status === 401 || status === 403 ? " (set HF_TOKEN to a token that may read it)" : "";
