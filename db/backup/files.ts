import { open } from "node:fs/promises";

/** Resolves when the bytes of a file, or the names in a folder, are on the disk. */
export const syncFile = async (path: string): Promise<void> => {
  const handle = await open(path, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
};
