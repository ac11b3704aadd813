import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { OUTPUT, TO_REVIEW } from "./harness";

/* Puts all screenshots of the browser tests on one page, for manual review. */

const figures = readdirSync(OUTPUT)
  .filter((file) => file.endsWith(".png"))
  .sort()
  .map((file) => {
    const height = file.includes(".390.") ? 400 : 190;
    return `<figure><img src="${file}" height="${height}"><figcaption>${file.slice(0, -4)}</figcaption></figure>`;
  });

/** Findings that axe leaves to manual review: rule and element, with their screens. */
const pathsOf = new Map<string, Set<string>>();
const lines = existsSync(TO_REVIEW) ? readFileSync(TO_REVIEW, "utf8").split("\n").filter(Boolean) : [];
for (const line of lines) {
  const [finding, path] = JSON.parse(line);
  pathsOf.set(finding, (pathsOf.get(finding) ?? new Set()).add(path));
}
const reviews = [...pathsOf].map(([finding, paths]) => `${finding} (${[...paths].join(", ")})`).sort();

const style = "body{display:flex;flex-wrap:wrap;gap:16px;background:#777;font:13px sans-serif}figure{margin:0}";
const list = `<pre>Findings that axe leaves to manual review, all kinds reviewed:\n${Bun.escapeHTML(reviews.join("\n"))}</pre>`;
const path = join(OUTPUT, "contact-sheet.html");
await Bun.write(path, `<!doctype html><title>Screens</title><style>${style}</style>${figures.join("\n")}${list}`);
rmSync(TO_REVIEW, { force: true });
console.log(`Every screen: ${path}`);
