import type { Key, KeyWithSecret } from "../../gateway/keys/contract";
import type { KeysService } from "../../gateway/keys/service";
import { AppError } from "../../lib/errors";

/** Creates the key with this id. `existing`: an earlier request with the same form already did. */
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
