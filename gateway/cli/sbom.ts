import { EXIT, runCommand } from "../../lib/command";
import { createSbom } from "../software/sbom";

const HELP = `Prints the software bill of materials: every package that Groundwire ships with, as CycloneDX 1.6 JSON.

  bun run sbom > groundwire.cdx.json
  bun run sbom --development    also the packages that only developers need`;

await runCommand(HELP, { development: { type: "boolean", default: false } }, ({ values }) => {
  console.log(JSON.stringify(createSbom(undefined, { hasDevelopment: values.development }), null, 2));
  return EXIT.ok;
});
