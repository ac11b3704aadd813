/** Programs that some tests drive and that don't come with the dependencies. */
export type Requirement = "redis" | "chromium";

export interface Group {
  name: string;
  /** Relative to the project's root, in order of name. */
  files: string[];
  needs: readonly Requirement[];
  /** Longest time of one test in milliseconds. */
  timeoutMs: number;
  /** So many files run at once, each in a process of its own; left out: one process runs all, one after the other. */
  atOnce?: number;
  /** A program that looks at what the tests have left, relative to the project's root. */
  after?: string;
}

interface GroupRule extends Omit<Group, "files"> {
  /** The first rule that a file fits takes it. */
  takes: RegExp;
}

/** What needs a program names it in its file name, so that everything else runs where that program is missing. */
const RULES: readonly GroupRule[] = [
  { name: "static", takes: /^tests\/(static|architecture)\.test\.ts$/, needs: [], timeoutMs: 20_000 },
  {
    name: "browser",
    takes: /\.browser\.tsx?$/,
    needs: ["chromium"],
    timeoutMs: 120_000,
    atOnce: 2,
    after: "tests/browser/contact-sheet.ts",
  },
  { name: "end-to-end redis", takes: /^tests\/e2e\/.*redis.*\.test\.ts$/, needs: ["redis"], timeoutMs: 120_000 },
  { name: "end-to-end", takes: /^tests\/e2e\/.*\.test\.ts$/, needs: [], timeoutMs: 120_000 },
  { name: "redis", takes: /redis.*\.test\.tsx?$/, needs: ["redis"], timeoutMs: 30_000 },
  { name: "contract", takes: /^tests\/contract\/.*\.test\.ts$/, needs: [], timeoutMs: 30_000 },
  { name: "unit", takes: /\.test\.tsx?$/, needs: [], timeoutMs: 30_000 },
];

const ORDER = ["static", "unit", "contract", "redis", "end-to-end", "end-to-end redis", "browser"];

/** Every test file of the project under `root`, in the groups that they run in; groups without a file are left out. */
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
