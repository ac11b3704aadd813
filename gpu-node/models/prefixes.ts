import { createHash } from "node:crypto";
import type { Config } from "../../lib/config";
import type { NodeModel, Prefixes } from "../protocol";

/**
 * Prefixes and revision of an embedding model: the prefixes of the settings, else the known ones. They are part of the
 * revision, because vectors with other prefixes can't be compared.
 */
export const withPrefixes = (
  revision: string,
  { queryPrefix, documentPrefix }: Pick<Config["models"], "queryPrefix" | "documentPrefix">,
  known: Prefixes = { query: "", document: "" },
): Pick<NodeModel, "revision" | "prefixes"> => {
  const query = queryPrefix ?? known.query;
  const document = documentPrefix ?? known.document;
  if (query === "" && document === "") return { revision };
  const hash = createHash("sha256")
    .update(JSON.stringify([revision, query, document]))
    .digest("hex");
  return { revision: hash.slice(0, 12), prefixes: { query, document } };
};
