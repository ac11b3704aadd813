import { join } from "node:path";
import { createConfig, lintFromString } from "@redocly/openapi-core";
import { configDocs } from "../../gateway/cli/config-docs";
import { type Finding, failed, passed, warning } from "../../gateway/cli/doctor/check";

/** The repository that is checked, and how its commands are run. */
export interface Release {
  root: string;
  /** Runs a command in `root`; `out` is its stdout, or stderr if that is empty. `shows`: also prints the output. */
  run(command: string[], shows?: boolean): Promise<{ code: number; out: string }>;
}

type Check = (release: Release) => Promise<Finding>;

interface Manifest {
  version: string;
  license?: string;
  engines?: { bun?: string };
  packageManager?: string;
}

const textOf = ({ root }: Release, path: string): Promise<string> => Bun.file(join(root, path)).text();
const manifestOf = async (release: Release): Promise<Manifest> => JSON.parse(await textOf(release, "package.json"));

const lastLine = (text: string): string => text.trim().split("\n").at(-1) ?? "";

/** Everything is committed, so that the tag contains what was tested. */
export const checkTree: Check = async ({ run }) => {
  const { code, out } = await run(["git", "status", "--porcelain"]);
  if (code !== 0) return failed("this is not a git repository", "Run the command in a clone.");
  const files = out.split("\n").filter((line) => line !== "");
  if (files.length === 0)
    return passed(`everything is committed: ${lastLine((await run(["git", "rev-parse", "--short", "HEAD"])).out)}`);
  const names = files.slice(0, 3).map((line) => line.slice(3));
  if (files.length > names.length) names.push(`and ${files.length - names.length} more`);
  return failed(`not committed: ${names.join(", ")}`, "Commit or remove what is listed by git status.");
};

/** The version is new: no other commit has its tag. */
export const checkVersion: Check = async (release) => {
  const { version } = await manifestOf(release);
  if (!/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version)) {
    return failed(`"${version}" is not a version such as 1.2.3`, "Correct it in package.json.");
  }
  const tagged = await release.run(["git", "rev-parse", "--verify", "--quiet", `refs/tags/v${version}^{commit}`]);
  const head = await release.run(["git", "rev-parse", "HEAD"]);
  if (tagged.code === 0 && tagged.out.trim() !== head.out.trim()) {
    return failed(`v${version} is already the tag of another commit`, "Raise the version in package.json.");
  }
  return passed(`${version}${tagged.code === 0 ? ", tagged" : ""}`);
};

/** The changelog has a section for the version, with a date. */
export const checkChangelog: Check = async (release) => {
  const { version } = await manifestOf(release);
  const file = Bun.file(join(release.root, "CHANGELOG.md"));
  if (!(await file.exists())) return failed("CHANGELOG.md is missing", "Write what changed for users.");
  const heading = new RegExp(`^## ${version.replaceAll(".", "\\.")} \\((.+)\\)$`, "m").exec(await file.text());
  if (!heading) return failed(`no section "## ${version} (date)"`, "Write what changed for users.");
  const [, date = ""] = heading;
  if (/^\d{4}-\d{2}-\d{2}$/.test(date)) return passed(`${version} of ${date}`);
  return warning(`${version} has no date but "${date}"`, "Replace it with the day of the release.");
};

/** Where the version of Bun is written. */
const BUN_FILES = [
  "README.md",
  "CONTRIBUTING.md",
  "Dockerfile.gateway",
  "Dockerfile.gpu",
  ".ci/run",
  "docs/commands.md",
];

/** All files name the same version of Bun, and it is the one that runs this check. */
export const checkBun: Check = async (release) => {
  const { engines, packageManager } = await manifestOf(release);
  const wanted = engines?.bun ?? "";
  const others = [`package.json: ${packageManager?.replace("bun@", "")}`, `this process: ${Bun.version}`];
  for (const path of BUN_FILES) {
    for (const [, found] of (await textOf(release, path)).matchAll(/\bbun[@:](\d+\.\d+\.\d+)/g))
      others.push(`${path}: ${found}`);
  }
  const wrong = [...new Set(others.filter((each) => !each.endsWith(`: ${wanted}`)))];
  if (wrong.length === 0) return passed(`${wanted} in package.json and ${BUN_FILES.length} files`);
  return failed(`package.json requires ${wanted}; ${wrong.join(", ")}`, "Use one version everywhere.");
};

/** The lockfile has what package.json asks for, and so has the lockfile for CUDA. */
const checkLockfile: Check = async ({ root, run }) => {
  for (const [name, cwd] of [
    ["bun.lock", root],
    ["gpu-node/cuda/bun.lock", join(root, "gpu-node/cuda")],
  ] as const) {
    const { code, out } = await run([process.execPath, "install", "--frozen-lockfile", "--dry-run", "--cwd", cwd]);
    if (code !== 0)
      return failed(`${name}: ${lastLine(out)}`, "Run `bun install`, then `bun gpu-node/cuda/generate.ts`.");
  }
  return passed("bun.lock and gpu-node/cuda/bun.lock match package.json");
};

/** The generated pages are what the code generates. */
const checkDocuments: Check = async ({ run }) => {
  const outdated = (await configDocs()).filter(({ current, updated }) => current !== updated).map(({ path }) => path);
  if (outdated.length > 0) return failed(`outdated: ${outdated.join(", ")}`, "Run: bun run config --docs");
  const { code, out } = await run([process.execPath, "run", "--silent", "api-reference", "--check"]);
  if (code !== 0) return failed(lastLine(out), "Run: bun run api-reference");
  return passed("docs/settings.md, .env.example and docs/api-reference.md are current");
};

/** The OpenAPI document is valid, and every example matches its schema. */
const checkOpenApi: Check = async ({ run }) => {
  const { code, out } = await run([process.execPath, "run", "--silent", "api-reference", "--print"]);
  if (code !== 0) return failed(lastLine(out), "Run: bun run api-reference --print");
  const rules = { struct: "error", "no-unresolved-refs": "error", "no-invalid-schema-examples": "error" } as const;
  const problems = await lintFromString({ source: out, config: await createConfig({ rules }) });
  const [first] = problems;
  if (first) return failed(`${problems.length} problems: ${first.message}`, "Correct the contract.");
  const { openapi, paths } = JSON.parse(out) as { openapi: string; paths: Record<string, object> };
  const count = Object.values(paths).reduce((sum, methods) => sum + Object.keys(methods).length, 0);
  return passed(`OpenAPI ${openapi}, ${count} operations`);
};

/** Pinned versions, hashes, install scripts, secrets, vulnerabilities, bill of materials. */
const checkSupplyChain: Check = async ({ run }) => {
  const { out } = await run([process.execPath, "run", "--silent", "supply-chain", "--json"]);
  const { status, checks } = JSON.parse(out) as { status: Finding["status"]; checks: (Finding & { name: string })[] };
  const details = checks.filter((check) => check.status !== "passed").map(({ name, message }) => `${name}: ${message}`);
  if (status === "passed") return passed(`${checks.length} checks`);
  const remedy = "Run `bun run supply-chain` for the remedies.";
  return status === "failed" ? failed(details.join("; "), remedy) : warning(details.join("; "), remedy);
};

/** Every test passes. The last line of the runner counts them. */
export const checkTests: Check = async ({ run }) => {
  const { code, out } = await run([process.execPath, "run", "test"], true);
  const line = lastLine(out);
  if (code !== 0 || !/^\d+ passed, 0 failed, \d+ skipped$/.test(line)) return failed(line, "Correct what failed.");
  return line.endsWith(" 0 skipped") ? passed(line) : warning(line, "Run it on a machine that has what was missing.");
};

/** By name, the quick ones first. */
export const CHECKS: Readonly<Record<string, Check>> = {
  tree: checkTree,
  version: checkVersion,
  changelog: checkChangelog,
  bun: checkBun,
  lockfile: checkLockfile,
  documents: checkDocuments,
  openapi: checkOpenApi,
  "supply-chain": checkSupplyChain,
  tests: checkTests,
};
