import { afterAll, beforeAll, expect, test } from "bun:test";
import { createSbom } from "../../gateway/software/sbom";
import { version } from "../../package.json";
import { startAsEditor } from "../../tests/browser/as-editor";

let editor: Awaited<ReturnType<typeof startAsEditor>>;
beforeAll(async () => {
  editor = await startAsEditor();
});
afterAll(() => editor.pages.stop());

test("the page shows the version and links to its bill of materials", async () => {
  const { html } = await editor.open("/system");
  expect(html).toContain(`Version ${version}`);
  expect(html).toContain('href="/system/sbom" download');
});

test("the bill of materials is saved as a CycloneDX file", async () => {
  const response = await fetch(`${editor.pages.url}/system/sbom`, { headers: editor.headers });
  expect(response.headers.get("content-disposition")).toBe(`attachment; filename="groundwire-${version}.cdx.json"`);
  expect(response.headers.get("content-type")).toStartWith("application/vnd.cyclonedx+json");
  expect(JSON.parse(await response.text())).toEqual(createSbom());
});
