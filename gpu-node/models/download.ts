import { Database, SQLiteError } from "bun:sqlite";
import { mkdir, rm, stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import type { Config } from "../../lib/config";
import { AppError } from "../../lib/errors";
import type { Progress } from "../../lib/progress";
import type { Prefixes } from "../protocol";
import {
  CATALOGUE,
  type CatalogueFile,
  type CatalogueModel,
  findCatalogueModel,
  type ModelKind,
  type Pooling,
  type SamplingDefaults,
} from "./catalogue";
import { convertBert } from "./convert-bert";
import { fetchFiles, type OnProgress, throwIfFull } from "./fetch-files";
import { acceptPart, hashOnce, matchesCatalogue, partOf } from "./verify";

type ModelSettings = Pick<Config["models"], "dir" | "huggingFaceUrl" | "huggingFaceToken">;

/** A model whose file is on this machine and has been verified. */
export interface ModelFile {
  /** The name that clients use. */
  name: string;
  kind: ModelKind;
  /** Path of the file that the engine loads. */
  path: string;
  sizeBytes: number;
  /** First 12 hex digits of the file's sha256. */
  revision: string;
  /** As in the catalogue; undefined for the user's own file. */
  pooling?: Pooling;
  /** As in the catalogue. Settings override them. */
  prefixes?: Prefixes;
  sampling: SamplingDefaults;
}

/**
 * The file of the configured model of a kind, given by its name in the catalogue or the path of a `.gguf` file.
 * Downloads and converts the file if it is missing. If several processes call this at the same time, one does the work
 * and the others wait. Throws AppError: model_not_found, invalid_request (not GGUF, or a model of another kind),
 * storage_full, unavailable (every source failed).
 */
export const ensureModel = async (
  kind: ModelKind,
  { models }: Pick<Config, "models">,
  onProgress: OnProgress = () => {},
): Promise<ModelFile> => {
  const name = models[kind] ?? "";
  const model = findCatalogueModel(name);
  if (!model) return useOwnFile(name, kind, models.dir, onProgress);
  if (model.kind === kind) return ensureCatalogueModel(model, models, onProgress);
  throw new AppError("invalid_request", `"${name}" is a ${model.kind} model. Choose a ${kind} model.`, {
    param: `models.${kind}`,
  });
};

/** Like `ensureModel`, for a model in the catalogue. */
export const ensureCatalogueModel = async (
  model: CatalogueModel,
  settings: ModelSettings,
  onProgress: OnProgress,
): Promise<ModelFile> => {
  const { file } = model;
  const path = join(settings.dir, file.name);
  const report = (done: number) => onProgress(progressOf("checking", file, done));
  const isComplete = () => matchesCatalogue(path, file, settings.dir, report);
  if (!(await isComplete())) {
    await withFileLock(join(settings.dir, ".lock"), async () => {
      if (await isComplete()) return; // another process was faster
      if (model.checkpoint) await makeFile(model, model.checkpoint, settings, onProgress);
      else await fetchFiles(model, { ...settings, files: [file], folder: settings.dir }, onProgress);
    });
  }
  if (file.sha256 === undefined) await checkGguf(path);
  return {
    name: model.name,
    kind: model.kind,
    path,
    sizeBytes: (await stat(path)).size,
    revision: (file.sha256 ?? (await hashOnce(path, settings.dir, report))).slice(0, 12),
    pooling: model.pooling,
    prefixes: model.prefixes,
    sampling: model.sampling ?? {},
  };
};

const progressOf = (task: string, { name, sizeBytes }: CatalogueFile, done: number): Progress => ({
  task: `${task} ${name}`,
  done,
  total: sizeBytes ?? Math.max(done, 1),
  unit: "MB",
});

/** Downloads and converts a checkpoint, and then deletes it, because it is several times as large as the result. */
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
    await convertBert(folder, partOf(target), (done) => onProgress(progressOf("converting", file, done)));
    await acceptPart(file, target);
  } catch (cause) {
    throwIfFull(cause, settings.dir);
    if (cause instanceof AppError) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new AppError(
      "unavailable",
      `Converting the checkpoint to ${file.name} failed: ${reason}. Delete ${folder} and try again.`,
      { cause },
    );
  }
  await rm(folder, { recursive: true });
};

/** A file that the user configured. Its hash is its revision. */
const useOwnFile = async (
  name: string,
  kind: ModelKind,
  folder: string,
  onProgress: OnProgress,
): Promise<ModelFile> => {
  const path = resolve(name);
  if (!name.endsWith(".gguf") || !(await Bun.file(path).exists())) {
    const known = CATALOGUE.filter((model) => model.kind === kind).map((model) => model.name);
    const choices = known.length > 0 ? `a name from the catalogue (${known.join(", ")}) or ` : "";
    const message = `Unknown ${kind} model "${name}". Use ${choices}the path of a .gguf file.`;
    throw new AppError("model_not_found", message, { param: `models.${kind}` });
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

/** Maximum number of tensors and of metadata entries. No model has more, and node-llama-cpp has no limit. */
const MAX_ENTRIES = 1_000_000n;
const HEADER_BYTES = 24;

/** Checks the header of a GGUF file before native code reads it. Throws invalid_request. */
const checkGguf = async (path: string): Promise<void> => {
  const problem = headerProblem(Buffer.from(await Bun.file(path).slice(0, HEADER_BYTES).arrayBuffer()));
  if (problem === undefined) return;
  throw new AppError("invalid_request", `${path} is not a GGUF model: ${problem}. Use the .gguf file of a model.`);
};

const headerProblem = (header: Buffer): string | undefined => {
  if (header.length < HEADER_BYTES) return "it is too short";
  if (header.toString("latin1", 0, 4) !== "GGUF") return "it doesn't begin with GGUF";
  const version = header.readUInt32LE(4);
  if (version < 2 || version > 3) return `it has version ${version}, but only 2 and 3 are supported`;
  const counts = { tensors: header.readBigUInt64LE(8), "metadata entries": header.readBigUInt64LE(16) };
  const wrong = Object.entries(counts).find(([, count]) => count === 0n || count > MAX_ENTRIES);
  return wrong && `it claims to have ${wrong[1]} ${wrong[0]}`;
};

const RETRY_MS = 200;

/**
 * Runs `work` while holding a file lock that other processes respect. The operating system manages the lock, through
 * SQLite, and releases it when the holder's process ends for any reason, so locks can't become stale.
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
