import { join } from "node:path";
import { Type } from "@sinclair/typebox";
import { type AnyElysia, Elysia } from "elysia";
import { createAssets } from "../assets";
import { allows, downloads } from "../route-facts";
import { openApiDocument } from "./document";

interface Rendered {
  json: string;
  etag: string;
}

/**
 * Public routes: `/openapi.json` and its viewer at `/docs`. `app` is called on the first request, when all routes
 * exist.
 */
export const openApiRoutes = ({ app, publicUrl }: { app: () => AnyElysia; publicUrl?: string }) => {
  let rendered: Rendered | undefined;
  const render = (): Rendered => {
    const json = JSON.stringify(openApiDocument(app(), publicUrl));
    return { json, etag: `"${new Bun.CryptoHasher("sha256").update(json).digest("hex").slice(0, 24)}"` };
  };

  return new Elysia({ name: "openapi.routes", tags: ["Health"] })
    .get(
      "/openapi.json",
      ({ request }) => {
        rendered ??= render();
        const { json, etag } = rendered;
        const headers = { etag, "cache-control": "no-cache", "content-type": "application/json; charset=utf-8" };
        const isKnown = request.headers.get("if-none-match") === etag;
        return isKnown ? new Response(null, { status: 304, headers }) : new Response(json, { headers });
      },
      {
        response: { 304: Type.Void() },
        detail: { ...allows("open"), summary: "This document", ...downloads("application/json") },
      },
    )
    .get("/docs", () => new Response(viewerPage(), { headers: viewerHeaders }), { detail: allows("open") })
    .get("/docs/:file", ({ params, request }) => assets.respond(params.file, request), { detail: allows("open") });
};

const pathOf = (path: string) => join(import.meta.dir, "viewer", path);

/** Read when the page is first opened, because most processes never need these 1.9 MB. */
const assets = createAssets("/docs", {
  "swagger-ui.css": { vendored: ["swagger-ui-dist/swagger-ui.css"] },
  "theme.css": { paths: [pathOf("theme.css")] },
  "swagger-ui.js": {
    vendored: ["swagger-ui-dist/swagger-ui-bundle.js"],
    notices: ["swagger-ui-dist/NOTICE", "swagger-ui-dist/LICENSE", "swagger-ui-dist/swagger-ui-bundle.js.LICENSE.txt"],
  },
  "init.js": { paths: [pathOf("init.js")] },
});

/** The viewer's own content security policy: icons are data URLs, it only connects to this server, and it needs no eval. */
const viewerHeaders = {
  "content-type": "text/html; charset=utf-8",
  "cache-control": "no-cache",
  "content-security-policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cross-origin-opener-policy": "same-origin",
};

const viewerPage = (): string => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>API · Groundwire</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="${assets.urlOf("swagger-ui.css")}">
<link rel="stylesheet" href="${assets.urlOf("theme.css")}">
<script src="${assets.urlOf("swagger-ui.js")}" defer></script>
<script src="${assets.urlOf("init.js")}" defer></script>
</head>
<body>
<nav class="docs-bar" aria-label="Groundwire"><a href="/">Groundwire</a></nav>
<main id="viewer"><noscript>This page needs JavaScript. You can read <a href="/openapi.json">openapi.json</a> without it.</noscript></main>
</body>
</html>
`;
