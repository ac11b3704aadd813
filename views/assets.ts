import { readFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { Elysia } from "elysia";
import { allows } from "../gateway/http/route-facts";

/** The parts of the style sheet in order, served as one file. The first part names the layers. */
const STYLES = [
  ...["tokens", "base", "layout"],
  ...["controls", "forms", "panels", "tables", "system", "evals", "rag"],
  ...["chat", "turns", "prose", "composer", "welcome"],
  "utilities",
];

/** Files for browsers, by the name that pages use. htmx is served unchanged, after its licence. */
const FILES = {
  "app.css": { paths: STYLES.map((name) => pathOf(`styles/${name}.css`)), type: "text/css; charset=utf-8" },
  "app.js": { paths: [pathOf("assets/app.js")], type: "text/javascript; charset=utf-8" },
  "chat.js": { paths: [pathOf("assets/chat.js")], type: "text/javascript; charset=utf-8" },
  "ask.js": { paths: [pathOf("assets/ask.js")], type: "text/javascript; charset=utf-8" },
  "upload.js": { paths: [pathOf("assets/upload.js")], type: "text/javascript; charset=utf-8" },
  // One file, because htmx starts on a timer, possibly before a second script has added the extension.
  "htmx.js": {
    paths: [released("dist/htmx.min.js"), released("dist/ext/hx-sse.min.js")],
    type: "text/javascript; charset=utf-8",
    banner: `/*! htmx.org 4.0.1 and its extension hx-sse\n${readFileSync(released("LICENSE"), "utf8").trim()}\n*/\n`,
  },
  "icons.svg": { paths: [pathOf("assets/icons.svg")], type: "image/svg+xml" },
  "favicon.svg": { paths: [pathOf("assets/favicon.svg")], type: "image/svg+xml" },
} as const satisfies Record<string, { paths: string[]; type: string; banner?: string }>;

function pathOf(path: string): string {
  return join(import.meta.dir, path);
}
function released(path: string): string {
  return Bun.resolveSync(`htmx.org/${path}`, import.meta.dir);
}

/** A file with its content hash in the URL, so that browsers can cache it permanently. */
const assetOf = (name: string, type: string, text: string) => {
  const bytes = new TextEncoder().encode(text);
  const hash = new Bun.CryptoHasher("sha256").update(bytes).digest("hex").slice(0, 12);
  const params = { [constants.BROTLI_PARAM_MODE]: constants.BROTLI_MODE_TEXT };
  const compressed: { br?: Uint8Array; gzip?: Uint8Array } = {};
  return {
    url: `/assets/${name.replace(".", `-${hash}.`)}`,
    type,
    /** The file in the best encoding in `accepted` (an accept-encoding header). Compressed on the first request. */
    encoded(accepted: string): { bytes: Uint8Array; encoding?: string } {
      if (/\bbr\b/.test(accepted)) {
        compressed.br ??= brotliCompressSync(bytes, { params });
        return { bytes: compressed.br, encoding: "br" };
      }
      if (/\bgzip\b/.test(accepted)) {
        compressed.gzip ??= gzipSync(bytes, { level: 9 });
        return { bytes: compressed.gzip, encoding: "gzip" };
      }
      return { bytes };
    },
  };
};

const assets = new Map(
  Object.entries(FILES).map(([name, file]) => {
    const banner = "banner" in file ? file.banner : "";
    const text = banner + file.paths.map((path) => readFileSync(path, "utf8")).join("\n");
    return [name, assetOf(name, file.type, text)];
  }),
);

/** `/assets/app-3f9c….css` for `app.css`. */
export const assetUrl = (name: keyof typeof FILES): string => assets.get(name)?.url ?? "";

/** `GET /assets/…`: immutable, compressed, public. An old hash gets a 404: the page that used it has changed, too. */
export const assetRoutes = new Elysia({ name: "views.assets" }).get(
  "/assets/:file",
  ({ params, request }) => {
    const asset = assets.values().find(({ url }) => url === `/assets/${params.file}`);
    if (!asset) return new Response("Not found", { status: 404, headers: { "content-type": "text/plain" } });
    const { bytes, encoding } = asset.encoded(request.headers.get("accept-encoding") ?? "");
    return new Response(bytes, {
      headers: {
        "content-type": asset.type,
        "cache-control": "public, max-age=31536000, immutable",
        "x-content-type-options": "nosniff",
        "cross-origin-resource-policy": "same-origin",
        vary: "accept-encoding",
        ...(encoding && { "content-encoding": encoding }),
      },
    });
  },
  { detail: allows("open") },
);
