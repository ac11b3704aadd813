import { Type } from "@sinclair/typebox";
import { type AnyElysia, Elysia } from "elysia";
import { allows, downloads } from "../route-facts";
import { openApiDocument } from "./document";
import { viewerFile, viewerHeaders, viewerPage } from "./viewer";

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
    .get("/docs/:file", ({ params, request }) => viewerFile(params.file, request), { detail: allows("open") });
};
