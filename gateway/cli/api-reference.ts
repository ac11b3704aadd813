import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { EXIT, runCommand } from "../../lib/command";
import { silentLog } from "../../lib/log";
import { defaultConfig } from "../../lib/settings";
import { compose } from "../compose";
import { openApiDocument } from "../http/openapi/document";
import { type ApiDocument, renderReference } from "./api-reference/render";

const HELP = `Writes docs/api-reference.md from the OpenAPI document of this version.

  bun run api-reference
  bun run api-reference --check    only checks whether the page is current; exit code 1 if not
  bun run api-reference --print    prints the OpenAPI document instead`;

const PAGE = join(import.meta.dir, "../../docs/api-reference.md");

/** The document of an app that never listens, with an empty database in a temporary folder. */
const readDocument = async (): Promise<ApiDocument> => {
  const dataDir = await mkdtemp(join(tmpdir(), "groundwire-reference-"));
  const composition = await compose(defaultConfig({ dataDir }), silentLog());
  try {
    return openApiDocument(composition.app) as unknown as ApiDocument;
  } finally {
    await composition.close(0);
    await rm(dataDir, { recursive: true, force: true });
  }
};

await runCommand(HELP, { check: { type: "boolean" }, print: { type: "boolean" } }, async ({ values }) => {
  const document = await readDocument();
  if (values.print) {
    console.log(JSON.stringify(document));
    return EXIT.ok;
  }
  const page = renderReference(document);
  const isCurrent = (await Bun.file(PAGE).exists()) && (await Bun.file(PAGE).text()) === page;
  if (values.check) {
    console.log(
      isCurrent ? "docs/api-reference.md is current" : "docs/api-reference.md is outdated: bun run api-reference",
    );
    return isCurrent ? EXIT.ok : EXIT.failed;
  }
  await Bun.write(PAGE, page);
  console.log(isCurrent ? "docs/api-reference.md was current" : "docs/api-reference.md is updated");
  return EXIT.ok;
});
