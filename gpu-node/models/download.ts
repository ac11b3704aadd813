import { Database, SQLiteError } from "bun:sqlite";
import { mkdir, rm, stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import type { Config } from "../../lib/config";
import { AppError } from "../../lib/errors";
import {
  CATALOGUE,
  type CatalogueFile,
  type CatalogueModel,
  findCatalogueModel,
  type ModelKind,
  type SamplingDefaults,
} from "./catalogue";
import { convertBert } from "./convert-bert";
import { fetchFiles, type OnProgress, throwIfFull } from "./fetch-files";
import { acceptPart, hashOnce, isRight, partOf } from "./verify";

type ModelSettings = Pick<Config["models"], "dir" | "huggingFaceUrl" | "huggingFaceToken">;

/** A model whose file is on this machine and has been verified. */
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
 * It is downloaded and converted if it is missing. If several processes call this at the same time, one works and the
 * others wait. Throws AppError: model_not_found, invalid_request (not GGUF, or a model of the other kind), storage_full,
 * unavailable (every source failed; the message says what to do).
 */
export const ensureModel = async (
  kind: ModelKind,
  { models }: Pick<Config, "models">,
  onProgress: OnProgress = () => {},
): Promise<ModelFile> => {
  const name = models[kind];
  const model = findCatalogueModel(name);
  if (!model) return useOwnFile(name, kind, models.dir, onProgress);
  if (model.kind === kind) return ensureCatalogueModel(model, models, onProgress);
  throw new AppError("invalid_request", `"${name}" is a model for ${model.kind}, and one for ${kind} is needed.`, {
    param: `models.${kind}`,
  });
};

/** The same for a model of the catalogue. */
export const ensureCatalogueModel = async (
  model: CatalogueModel,
  settings: ModelSettings,
  onProgress: OnProgress,
): Promise<ModelFile> => {
  const { file } = model;
  const path = join(settings.dir, file.name);
  const report = (done: number) =>
    onProgress({ task: `checking ${file.name}`, done, total: file.sizeBytes, unit: "MB" });
  const isThere = () => isRight(path, file, settings.dir, report);
  if (!(await isThere())) {
    await withFileLock(join(settings.dir, ".lock"), async () => {
      if (await isThere()) return; // another process was faster
      if (model.checkpoint) await makeFile(model, model.checkpoint, settings, onProgress);
      else await fetchFiles(model, { ...settings, files: [file], folder: settings.dir }, onProgress);
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

/** Downloads a checkpoint, converts it, and deletes it, because it is several times as large as the result. */
const makeFile = async (
  model: CatalogueModel,
  checkpoint: readonly CatalogueFile[],
  settings: ModelSettings,
  onProgress: OnProgress,
): Promise<void> => {
  const { file } = model;
  const target = join(settings.dir, file.name);
  const folder = `${target}.checkpoint`;
  await fetchFiles(model, { ...settings, files: checkpoint, folder }, onProgress);
  try {
    await convertBert(folder, partOf(target), (done) =>
      onProgress({ task: `converting ${file.name}`, done, total: file.sizeBytes, unit: "MB" }),
    );
    await acceptPart(file, target);
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

/** The file that the user names. Its hash is its revision. */
const useOwnFile = async (
  name: string,
  kind: ModelKind,
  folder: string,
  onProgress: OnProgress,
): Promise<ModelFile> => {
  const path = resolve(name);
  if (!name.endsWith(".gguf") || !(await Bun.file(path).exists())) {
    const known = CATALOGUE.filter((model) => model.kind === kind);
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
  const sha256 = await hashOnce(path, folder, (done) =>
    onProgress({ task: `checking ${file}`, done, total, unit: "MB" }),
  );
  return {
    name: file.slice(0, -".gguf".length).toLowerCase(),
    kind,
    path,
    sizeBytes: total,
    revision: sha256.slice(0, 12),
    sampling: {},
  };
};

/** No model has more tensors or metadata; node-llama-cpp would read any number of them. */
const MAX_ENTRIES = 1_000_000n;
const HEADER_BYTES = 24;

/** Checks the header of a GGUF file before native code reads it. Throws invalid_request. */
const checkGguf = async (path: string): Promise<void> => {
  const problem = headerProblem(Buffer.from(await Bun.file(path).slice(0, HEADER_BYTES).arrayBuffer()));
  if (problem === undefined) return;
  throw new AppError("invalid_request", `${path} is no GGUF model: ${problem}. Name the .gguf file of a model.`);
};

const headerProblem = (header: Buffer): string | undefined => {
  if (header.length < HEADER_BYTES) return "it is too short";
  if (header.toString("latin1", 0, 4) !== "GGUF") return "it doesn't begin with GGUF";
  const version = header.readUInt32LE(4);
  if (version < 2 || version > 3) return `its version is ${version}, and 2 and 3 are known`;
  const counts = { tensors: header.readBigUInt64LE(8), "metadata entries": header.readBigUInt64LE(16) };
  const wrong = Object.entries(counts).find(([, count]) => count === 0n || count > MAX_ENTRIES);
  return wrong && `it claims ${wrong[1]} ${wrong[0]}`;
};

const RETRY_MS = 200;

/**
 * Runs `work` while holding a lock file that other processes respect. The operating system holds the lock, through
 * SQLite, and frees it when its holder ends for any reason, so there are no stale locks.
 */
const withFileLock = async <T>(path: string, work: () => Promise<T>): Promise<T> => {
  await mkdir(dirname(path), { recursive: true });
  const lock = new Database(path, { create: true });
  try {
    while (!lock.inTransaction) {
      try {
        lock.run("BEGIN EXCLUSIVE");
      } catch (error) {
        if (!(error instanceof SQLiteError && error.code === "SQLITE_BUSY")) throw error;
        await Bun.sleep(RETRY_MS);
      }
    }
    return await work();
  } finally {
    lock.close();
  }
};
