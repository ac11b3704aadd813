/** Programs that some tests need and that are not npm dependencies. */
export type Requirement = "redis" | "chromium";

export interface Group {
  name: string;
  /** Paths relative to the project's root, sorted. */
  files: string[];
  needs: readonly Requirement[];
  /** Timeout of one test in milliseconds. */
  timeoutMs: number;
  /** A program that processes the output of the tests, relative to the project's root. */
  after?: string;
}

interface GroupRule extends Omit<Group, "files"> {
  /** A file belongs to the first group whose pattern matches. */
  takes: RegExp;
}

/** Tests that need a program have its name in their file name, so that all others can run without it. */
const RULES: readonly GroupRule[] = [
  { name: "static", takes: /^tests\/(static|architecture)\.test\.ts$/, needs: [], timeoutMs: 20_000 },
  {
    name: "browser",
    takes: /\.browser\.tsx?$/,
    needs: ["chromium"],
    timeoutMs: 120_000,
    after: "tests/browser/contact-sheet.ts",
  },
  { name: "end-to-end redis", takes: /^tests\/e2e\/.*redis.*\.test\.ts$/, needs: ["redis"], timeoutMs: 120_000 },
  { name: "end-to-end", takes: /^tests\/e2e\/.*\.test\.ts$/, needs: [], timeoutMs: 120_000 },
  { name: "redis", takes: /redis.*\.test\.tsx?$/, needs: ["redis"], timeoutMs: 30_000 },
  { name: "contract", takes: /^tests\/contract\/.*\.test\.ts$/, needs: [], timeoutMs: 30_000 },
  { name: "unit", takes: /\.test\.tsx?$/, needs: [], timeoutMs: 30_000 },
];

const ORDER = ["static", "unit", "contract", "redis", "end-to-end", "end-to-end redis", "browser"];

/** All test files under `root`, by group. Groups without files are left out. */
export const findGroups = async (root: string): Promise<Group[]> => {
  const pattern = new Bun.Glob("{bench,db,gateway,gpu-node,jobs,lib,tests,views}/**/*.{test,browser}.{ts,tsx}");
  const files = (await Array.fromAsync(pattern.scan(root))).sort();
  const groups = RULES.map(({ takes: _, ...group }): Group => ({ ...group, files: [] }));
  for (const file of files) {
    const index = RULES.findIndex(({ takes }) => takes.test(file));
    groups[index]?.files.push(file);
  }
  return groups.filter(({ files }) => files.length > 0).sort((a, b) => ORDER.indexOf(a.name) - ORDER.indexOf(b.name));
};
