import { open } from "node:fs/promises";
import { join } from "node:path";
import type { Config } from "../../lib/config";
import type { CatalogueFile, FileSource } from "./catalogue";
import { acceptPart, type OnBytes, partOf, sizeOf } from "./verify";

type HuggingFace = Extract<FileSource, { type: "hugging-face" }>;

/** A connection without new bytes for this long is closed. The bytes that arrived are kept for the next try. */
const STALL_MS = 60_000;

export type HuggingFaceSettings = Pick<Config["models"], "huggingFaceUrl" | "huggingFaceToken">;

/** Fetches each of the files into the folder and checks it. Throws Error. */
export const fetchFromHuggingFace = async (
  source: HuggingFace,
  files: readonly CatalogueFile[],
  folder: string,
  settings: HuggingFaceSettings,
  onBytes: OnBytes,
): Promise<void> => {
  let done = 0;
  for (const file of files) {
    const target = join(folder, file.name);
    const fetchPart = () => download(source, file, partOf(target), settings, (bytes) => onBytes(done + bytes));
    const wasBegun = (await sizeOf(partOf(target))) !== undefined;
    await fetchPart();
    try {
      await acceptPart(file, target);
    } catch (error) {
      // The wrong bytes may come from an earlier try, so the file is fetched once more from the start.
      if (!wasBegun) throw error;
      await fetchPart();
      await acceptPart(file, target);
    }
    done += file.sizeBytes;
  }
};

/**
 * Downloads the file to `target`. Bytes that are already there are not fetched again (HTTP Range), so an interrupted
 * download resumes where it stopped.
 */
const download = async (
  { repository }: HuggingFace,
  { name, sizeBytes }: CatalogueFile,
  target: string,
  { huggingFaceUrl, huggingFaceToken }: HuggingFaceSettings,
  onBytes: OnBytes,
): Promise<void> => {
  const endpoint = huggingFaceUrl.replace(/\/+$/, "");
  const url = `${endpoint}/${repository}/resolve/main/${encodeURI(name)}`;
  const present = (await sizeOf(target)) ?? 0;
  const stall = new AbortController();
  let timer = setTimeout(() => stall.abort(), STALL_MS);
  try {
    const response = await fetch(url, { headers: requestHeaders(present, huggingFaceToken), signal: stall.signal });
    if (response.status === 416) return; // all bytes are here; the caller checks them
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
