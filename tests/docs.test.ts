import { expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import manifest from "../package.json";

const ROOT = join(import.meta.dir, "..");
const FOLDERS = ["bench", "db", "deploy", "docs", "gateway", "gpu-node", "jobs", "lib", "tests", "views"];

const scan = (pattern: string): string[] => [...new Bun.Glob(pattern).scanSync(ROOT)];
const allFolders = `{${FOLDERS.join(",")}}/**`;
const pages = [...scan("*.md"), ...scan(`${allFolders}/*.md`)].filter((path) => !path.includes("node_modules")).sort();
const sources = scan(`${allFolders}/*.{ts,tsx,md,py}`).map((path) => `/${path}`);

const contents = new Map<string, string>();
for (const page of pages) contents.set(page, await Bun.file(join(ROOT, page)).text());

const matches = (text: string, pattern: RegExp): string[] => [...text.matchAll(pattern)].map(([, found = ""]) => found);

/** The anchors that GitHub gives the headings of a page. */
const anchors = (text: string): string[] =>
  matches(text, /^#+ (.+)$/gm).map((heading) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, "")
      .replaceAll(" ", "-"),
  );

/** Whether no file has this path from the root or ends with it: `docs/api.md`, `pool.ts`. False for `<placeholders>`. */
const isMissing = (path: string): boolean => {
  if (/[<*{]/.test(path)) return false;
  if (FOLDERS.includes(path.split("/")[0] ?? "") && path.includes("/")) return !existsSync(join(ROOT, path));
  return /^[\w/.-]+\.(ts|tsx|md|py)$/.test(path) && !sources.some((source) => source.endsWith(`/${path}`));
};

for (const [page, text] of contents) {
  test(`${page}: every path, link and command exists`, () => {
    const missingPaths = matches(text, /`([^`\s]+)`/g).filter(isMissing);
    const brokenLinks = matches(text, /\]\(([^)\s]+)\)/g).filter((link) => {
      if (/^https?:/.test(link)) return false;
      const [file = "", anchor] = link.split("#");
      const target = file ? join(dirname(page), file) : page;
      if (!existsSync(join(ROOT, target))) return true;
      return anchor !== undefined && !anchors(contents.get(target) ?? "").includes(anchor);
    });
    const unknownCommands = matches(text, /\bbun(?:@[\d.]+)? run ([a-z][\w:-]*)/g).filter(
      (name) => !(name in manifest.scripts),
    );
    expect({ missingPaths, brokenLinks, unknownCommands }).toEqual({
      missingPaths: [],
      brokenLinks: [],
      unknownCommands: [],
    });
  });
}
