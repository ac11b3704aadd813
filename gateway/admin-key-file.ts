import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/**
 * Writes a new admin key to a file that only this user can read, for output that isn't a terminal and may end up in a
 * log. Returns the file's path.
 */
export const writeAdminKeyFile = (key: string, dataDir: string): string => {
  const file = join(dataDir, "admin-key");
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  writeFileSync(file, `${key}\n`, { mode: 0o600 });
  return file;
};
