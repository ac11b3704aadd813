import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { AppError } from "../../../lib/errors";
import type { Principal } from "../../principal";
import type { Uploads } from "../../uploads/service";
import type { RagIndex } from "./contract";
import type { Documents } from "./documents";
import { storeTexts } from "./read-request";
import type { Indexes } from "./service";

const NAME = "Groundwire docs";
const DESCRIPTION = "The documentation of this version";
const ROOT = join(import.meta.dir, "../../..");

interface SampleDeps {
  indexes: Pick<Indexes, "get" | "create">;
  documents: Pick<Documents, "submit">;
  uploads: Pick<Uploads, "receiveTexts">;
}

/** An index of Groundwire's own documentation, so that people can try questions before they add documents. */
export const createSampleIndex = ({ indexes, documents, uploads }: SampleDeps) => ({
  /** Creates the index if it doesn't exist, and adds new and changed pages. Throws what `Indexes.create` throws. */
  async open(principal: Principal): Promise<RagIndex> {
    const index = await indexes.get(principal, NAME).catch((error: unknown) => {
      if (!(error instanceof AppError) || error.kind !== "not_found") throw error;
      return indexes.create(principal, { name: NAME, description: DESCRIPTION });
    });
    const files = await storeTexts(await readDocs(), uploads, principal);
    await documents.submit(principal, index.id, { files }, (make) => make(async () => {}));
    return index;
  },
});

const readDocs = async () => {
  const pages = (await readdir(join(ROOT, "docs"))).filter((name) => name.endsWith(".md")).toSorted();
  const sources = ["README.md", ...pages.map((name) => `docs/${name}`)];
  return Promise.all(sources.map(async (source) => ({ source, text: await Bun.file(join(ROOT, source)).text() })));
};
