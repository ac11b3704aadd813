import { homedir } from "node:os";
import { join, resolve } from "node:path";
import type { Config } from "../../lib/config";

/** Folder of the model files: `models.dir`, else `groundwire/models` in the user's cache folder. */
export const modelsFolder = (
  models: Pick<Config["models"], "dir">,
  env: NodeJS.ProcessEnv = process.env,
  platform: NodeJS.Platform = process.platform,
): string => (models.dir ? resolve(models.dir) : join(cacheFolder(env, platform), "groundwire", "models"));

const cacheFolder = (env: NodeJS.ProcessEnv, platform: NodeJS.Platform): string => {
  if (env.XDG_CACHE_HOME) return env.XDG_CACHE_HOME;
  if (platform === "darwin") return join(homedir(), "Library", "Caches");
  if (platform === "win32" && env.LOCALAPPDATA) return env.LOCALAPPDATA;
  return join(homedir(), ".cache");
};
