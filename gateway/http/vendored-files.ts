import { readFileSync } from "node:fs";

interface VendoredPackage {
  /** As pinned in package.json. */
  version: string;
  /** SPDX identifier of the licence of all files. */
  licence: string;
  /** The sha256 of each file that is sent to browsers, by its path in the package. */
  files: Readonly<Record<string, string>>;
}

/** Third-party code that runs in users' browsers, and its licences. Each file was reviewed with this content. */
export const VENDORED = {
  "htmx.org": {
    version: "4.0.1",
    licence: "0BSD",
    files: {
      "dist/htmx.min.js": "a0abb04f2f45a1f89d1d4844023245537e5e6014c87b144553e0607b4cc32130",
      "dist/ext/hx-sse.min.js": "18ef2761356ec1fe0bb6d92612315b37517a7c1e9856b661c5ae81fef239d103",
      LICENSE: "d3d2456f76414f2456104660ebd65aff1c04cd7966b942bdabd63f3cdb316a38",
    },
  },
  "swagger-ui-dist": {
    version: "5.35.0",
    licence: "Apache-2.0",
    files: {
      "swagger-ui.css": "5ed08757e53da3e026d6cbecc61fe5d43585c9560b302d534ad56692519a273d",
      "swagger-ui-bundle.js": "e6a898692f2d768e807c3ba4626068a69a2c5dd960dd6c76f3e4d3a3de180af2",
      "swagger-ui-bundle.js.LICENSE.txt": "37eb6e7e59aed57b2c1acf076574b818ea07b74265717e0bd67b59e0baf9abbb",
      NOTICE: "0d20d1adef18aee3f40dd258172155521ce702ac445cb5f7b7d60ed32dad2fb2",
      LICENSE: "cfc7749b96f63bd31c3c42b5c471bf756814053e847c10f3eb003417bc523d30",
    },
  },
} as const satisfies Readonly<Record<string, VendoredPackage>>;

type Package = keyof typeof VENDORED;

/** `htmx.org/dist/htmx.min.js`. */
export type VendoredFile = { [P in Package]: `${P}/${Extract<keyof (typeof VENDORED)[P]["files"], string>}` }[Package];

/** The content of a vendored file. Throws if it is not the reviewed one: nothing else may reach a browser. */
export const readVendored = (file: VendoredFile): string => {
  const at = file.indexOf("/");
  const files: VendoredPackage["files"] = VENDORED[file.slice(0, at) as Package].files;
  const content = readFileSync(Bun.resolveSync(file, import.meta.dir), "utf8");
  if (Bun.SHA256.hash(content, "hex") === files[file.slice(at + 1)]) return content;
  throw new Error(`node_modules/${file} is not the file of this release. Run: bun install --frozen-lockfile --force`);
};
