import type { Key, KeyWithSecret } from "../../gateway/keys/contract";
import type { KeysService } from "../../gateway/keys/service";
import { AppError } from "../../lib/errors";

/** Creates a key with this id. Returns `existing` if an earlier submission of the same form created it. */
export const issueOnce = async (
  keys: Pick<KeysService, "get">,
  id: string,
  issue: () => Promise<KeyWithSecret>,
): Promise<{ issued: KeyWithSecret } | { existing: Key }> => {
  try {
    return { issued: await issue() };
  } catch (error) {
    if (!(error instanceof AppError && error.kind === "conflict")) throw error;
    const existing = await keys.get(id).catch(() => {
      throw error;
    });
    return { existing };
  }
};
