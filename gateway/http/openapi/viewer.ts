import { readFileSync } from "node:fs";
import { join } from "node:path";
import { AppError } from "../../../lib/errors";

const pathOf = (path: string) => join(import.meta.dir, "viewer", path);
const released = (path: string) => Bun.resolveSync(`swagger-ui-dist/${path}`, import.meta.dir);

interface Source {
  name: string;
  path: string;
  /** The notice and licences that must be served with the file. */
  notices?: string[];
}

const SOURCES: readonly Source[] = [
  { name: "swagger-ui.css", path: released("swagger-ui.css") },
  { name: "theme.css", path: pathOf("theme.css") },
  {
    name: "swagger-ui.js",
    path: released("swagger-ui-bundle.js"),
    notices: [released("NOTICE"), released("LICENSE"), released("swagger-ui-bundle.js.LICENSE.txt")],
  },
  { name: "init.js", path: pathOf("init.js") },
];

interface ViewerFile {
  url: string;
  type: string;
  bytes: Uint8Array<ArrayBuffer>;
  gzipped?: Uint8Array<ArrayBuffer>;
}

const asComment = (text: string): string => (text.startsWith("/*") ? `${text}\n` : `/*!\n${text.trim()}\n*/\n`);

let loaded: ViewerFile[] | undefined;

/** Reads the files when the page is first opened, because most processes never need these 1.9 MB. */
const files = (): ViewerFile[] => {
  loaded ??= SOURCES.map(({ name, path, notices = [] }) => {
    const banner = notices.map((notice) => asComment(readFileSync(notice, "utf8"))).join("");
    const bytes = new Uint8Array(Buffer.concat([Buffer.from(banner), readFileSync(path)]));
    const hash = new Bun.CryptoHasher("sha256").update(bytes).digest("hex").slice(0, 12);
    const type = name.endsWith(".css") ? "text/css; charset=utf-8" : "text/javascript; charset=utf-8";
    return { url: `/docs/${name.replace(/\.(css|js)$/, `-${hash}.$1`)}`, type, bytes };
  });
  return loaded;
};

/** The viewer's own content security policy: icons are data URLs, it only connects to this server, and it needs no eval. */
export const viewerHeaders = {
  "content-type": "text/html; charset=utf-8",
  "cache-control": "no-cache",
  "content-security-policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cross-origin-opener-policy": "same-origin",
};

export const viewerPage = (): string => {
  const tags = files().map(({ url, type }) =>
    type.startsWith("text/css") ? `<link rel="stylesheet" href="${url}">` : `<script src="${url}" defer></script>`,
  );
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>API · Groundwire</title>
<link rel="icon" href="data:,">
${tags.join("\n")}
</head>
<body>
<nav class="docs-bar" aria-label="Groundwire"><a href="/">Groundwire</a></nav>
<main id="viewer"><noscript>This page needs JavaScript. You can read <a href="/openapi.json">openapi.json</a> without it.</noscript></main>
</body>
</html>
`;
};

/** A viewer file by its hashed name. It is immutable and compressed once. Throws not_found. */
export const viewerFile = (name: string, request: Request): Response => {
  const file = files().find(({ url }) => url === `/docs/${name}`);
  if (!file) throw new AppError("not_found", `/docs/${name} was not found.`);
  const isCompressed = /\bgzip\b/.test(request.headers.get("accept-encoding") ?? "");
  if (isCompressed) file.gzipped ??= Bun.gzipSync(file.bytes, { level: 9 });
  return new Response(isCompressed ? file.gzipped : file.bytes, {
    headers: {
      "content-type": file.type,
      "cache-control": "public, max-age=31536000, immutable",
      "x-content-type-options": "nosniff",
      vary: "accept-encoding",
      ...(isCompressed && { "content-encoding": "gzip" }),
    },
  });
};
