import { join } from "node:path";
import { Elysia } from "elysia";
import { createAssets } from "../gateway/http/assets";
import { allows } from "../gateway/http/route-facts";

const pathOf = (path: string): string => join(import.meta.dir, path);

/** The parts of the style sheet in order, served as one file. The first part names the layers. */
const STYLES = [
  ...["tokens", "base", "layout"],
  ...["controls", "forms", "panels", "tables", "system", "dashboard", "evals", "runs", "rag"],
  ...["chat", "turns", "prose", "composer", "welcome"],
  "utilities",
];

/** Files for browsers, by the name that pages use. */
const assets = createAssets("/assets", {
  "app.css": { paths: STYLES.map((name) => pathOf(`styles/${name}.css`)) },
  "app.js": { paths: [pathOf("assets/app.js")] },
  "chat.js": { paths: [pathOf("assets/chat.js")] },
  "ask.js": { paths: [pathOf("assets/ask.js")] },
  "charts.js": { paths: [pathOf("assets/charts.js")] },
  "citations.js": { paths: [pathOf("assets/citations.js")] },
  "samples.js": { paths: [pathOf("assets/samples.js")] },
  "upload.js": { paths: [pathOf("assets/upload.js")] },
  // One file, because htmx starts on a timer, possibly before a second script has added the extension.
  "htmx.js": {
    vendored: ["htmx.org/dist/htmx.min.js", "htmx.org/dist/ext/hx-sse.min.js"],
    notices: ["htmx.org/LICENSE"],
  },
  "icons.svg": { paths: [pathOf("assets/icons.svg")] },
  "favicon.svg": { paths: [pathOf("assets/favicon.svg")] },
});

export const assetUrl = assets.urlOf;

/** `GET /assets/…`: immutable, compressed, public. */
export const assetRoutes = new Elysia({ name: "views.assets" }).get(
  "/assets/:file",
  ({ params, request }) => assets.respond(params.file, request),
  { detail: allows("open") },
);
