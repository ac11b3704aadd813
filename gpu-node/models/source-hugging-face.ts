import { open, stat } from "node:fs/promises";
import type { Config } from "../../lib/config";
import type { CatalogueFile, FileSource } from "./catalogue";
import type { OnBytes } from "./verify";

type HuggingFace = Extract<FileSource, { type: "hugging-face" }>;

/** A connection that brings nothing for so long is given up; the part that came stays for the next try. */
const STALL_MS = 60_000;

/**
 * Downloads the file to `target`. Bytes that are there already are not fetched again (HTTP Range), so an interrupted
 * download goes on where it stopped. Throws Error.
 */
export const fetchFromHuggingFace = async (
  { repository }: HuggingFace,
  { name, sizeBytes }: CatalogueFile,
  target: string,
  { huggingFaceUrl, huggingFaceToken }: Pick<Config["models"], "huggingFaceUrl" | "huggingFaceToken">,
  onBytes: OnBytes,
): Promise<void> => {
  const endpoint = huggingFaceUrl.replace(/\/+$/, "");
  const url = `${endpoint}/${repository}/resolve/main/${encodeURI(name)}`;
  const present = await stat(target).then(
    ({ size }) => size,
    () => 0,
  );
  const stall = new AbortController();
  let timer = setTimeout(() => stall.abort(), STALL_MS);
  try {
    const response = await fetch(url, { headers: requestHeaders(present, huggingFaceToken), signal: stall.signal });
    if (response.status === 416) return; // as many bytes are here as the file has: the caller checks which
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
    if (bytes < sizeBytes)
      throw new Error(`${endpoint} ended after ${bytes} of ${sizeBytes} bytes; a next try goes on there`);
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
