import { join } from "node:path";

const ROOT = join(import.meta.dir, "../..");

/**
 * The command line that runs a script of Groundwire, given relative to the project's root, from any folder: Bun looks for
 * the JSX settings in the folder that it starts in and not beside the script (1.4.5). The process ends with its parent.
 */
export const bunCommand = (script: string): string[] => [
  process.execPath,
  "--no-orphans",
  `--tsconfig-override=${join(ROOT, "tsconfig.json")}`,
  join(ROOT, script),
];
