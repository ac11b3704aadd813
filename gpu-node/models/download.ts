import { Database } from "bun:sqlite";
import { access, mkdir, rm, stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import type { Config } from "../../lib/config";
import { AppError } from "../../lib/errors";
import { type CatalogueModel, catalogue, findModel, type ModelKind, type SamplingDefaults } from "./catalogue";
import { convertBert } from "./conversion/bert";
import { type FetchSettings, fetchFileSet, throwIfFull } from "./file-set";
import { checkGguf } from "./gguf";
import type { OnProgress } from "./progress";
import { hashOnce, isRight, partOf, takeName } from "./verify";

/** A model whose file is on this machine and was verified. */
export interface ModelFile {
  /** As clients name it. */
  name: string;
  kind: ModelKind;
  /** Path of the file that the engine loads. */
  path: string;
  sizeBytes: number;
  /** First 12 hex digits of the file's sha256. */
  revision: string;
  sampling: SamplingDefaults;
}

/**
 * The file of the configured chat or embedding model, given by its name in the catalogue or the path of a `.gguf` file.
 * It is downloaded and converted if it is missing. Several processes may call it at the same time: one works, the
 * others wait. Throws AppError: model_not_found, invalid_request (not GGUF, or a model of the other kind), storage_full,
 * unavailable (every source failed; the message says what to do).
 */
export const ensureModel = async (
  kind: ModelKind,
  { models }: Pick<Config, "models">,
  onProgress: OnProgress = () => {},
): Promise<ModelFile> => {
  const name = models[kind];
  const model = findModel(name);
  if (!model) return useOwnFile(name, kind, models.dir, onProgress);
  if (model.kind === kind) return ensureCatalogueModel(model, models, onProgress);
  throw new AppError("invalid_request", `"${name}" is a model for ${model.kind}, and one for ${kind} is needed.`, {
    param: `models.${kind}`,
  });
};

/** The same for a model of the catalogue. */
export const ensureCatalogueModel = async (
  model: CatalogueModel,
  settings: FetchSettings,
  onProgress: OnProgress,
): Promise<ModelFile> => {
  const { file } = model;
  const path = join(settings.dir, file.name);
  const isThere = () =>
    isRight(path, file, settings.dir, (bytes) =>
      onProgress({ file: file.name, step: "verify", bytes, total: file.sizeBytes }),
    );
  if (!(await isThere())) {
    await withFileLock(join(settings.dir, ".lock"), async () => {
      if (await isThere()) return; // another process was faster
      const { checkpoint, sources } = model;
      if (checkpoint) await makeFile(model, checkpoint, settings, onProgress);
      else await fetchFileSet({ label: file.name, files: [file], sources, folder: settings.dir }, settings, onProgress);
    });
  }
  return {
    name: model.name,
    kind: model.kind,
    path,
    sizeBytes: file.sizeBytes,
    revision: file.sha256.slice(0, 12),
    sampling: model.sampling ?? {},
  };
};

/** Downloads a checkpoint and converts it. The checkpoint is not kept: it is several times as large as the result. */
const makeFile = async (
  { file, sources }: CatalogueModel,
  checkpoint: NonNullable<CatalogueModel["checkpoint"]>,
  settings: FetchSettings,
  onProgress: OnProgress,
): Promise<void> => {
  const target = join(settings.dir, file.name);
  const folder = `${target}.checkpoint`;
  await fetchFileSet({ label: file.name, files: checkpoint, sources, folder }, settings, onProgress);
  try {
    await convertBert(folder, partOf(target), (bytes) =>
      onProgress({ file: file.name, step: "convert", bytes, total: file.sizeBytes }),
    );
    await takeName(file, target);
  } catch (cause) {
    throwIfFull(cause, settings.dir);
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new AppError(
      "unavailable",
      `${file.name} could not be made of its checkpoint: ${reason}. Delete ${folder} and try again.`,
      { cause },
    );
  }
  await rm(folder, { recursive: true });
};

/** A file of the user's own. Only its hash identifies it. */
const useOwnFile = async (
  name: string,
  kind: ModelKind,
  folder: string,
  onProgress: OnProgress,
): Promise<ModelFile> => {
  const path = resolve(name);
  if (!name.endsWith(".gguf") || !(await exists(path))) {
    const known = catalogue().filter((model) => model.kind === kind);
    throw new AppError(
      "model_not_found",
      `There is no model "${name}" for ${kind}: it is neither a name of the catalogue ` +
        `(${known.map((model) => model.name).join(", ")}) nor the path of a .gguf file.`,
      { param: `models.${kind}` },
    );
  }
  await checkGguf(path);
  const { size: total } = await stat(path);
  const file = basename(path);
  const sha256 = await hashOnce(path, folder, (bytes) => onProgress({ file, step: "verify", bytes, total }));
  return {
    name: file.slice(0, -".gguf".length).toLowerCase(),
    kind,
    path,
    sizeBytes: total,
    revision: sha256.slice(0, 12),
    sampling: {},
  };
};

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

const RETRY_MS = 200;

/**
 * Runs `work` while holding a lock file that other processes respect. The operating system holds the lock, through
 * SQLite, and frees it when its holder ends for any reason, so there are no stale locks.
 */
const withFileLock = async <T>(path: string, work: () => Promise<T>): Promise<T> => {
  await mkdir(dirname(path), { recursive: true });
  const lock = new Database(path, { create: true });
  try {
    while (!tryLock(lock)) await Bun.sleep(RETRY_MS);
    return await work();
  } finally {
    lock.close();
  }
};

const tryLock = (lock: Database): boolean => {
  try {
    lock.run("BEGIN EXCLUSIVE");
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "SQLITE_BUSY") return false;
    throw error;
  }
};
