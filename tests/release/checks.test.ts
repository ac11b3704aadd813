import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { checkBun, checkChangelog, checkTests, checkTree, checkVersion, type Release } from "./checks";

let root: string;
let release: Release;

const write = (path: string, text: string): Promise<number> => Bun.write(join(root, path), text);

const run: Release["run"] = async (command) => {
  const child = Bun.spawn(command, { cwd: root, stdio: ["ignore", "pipe", "pipe"] });
  const [out, errors, code] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  return { code, out: out || errors };
};

const git = async (...args: string[]): Promise<void> => {
  const identity = ["-c", "user.name=Test", "-c", "user.email=test@example.com", "-c", "commit.gpgsign=false"];
  const { code, out } = await run(["git", ...identity, ...args]);
  if (code !== 0) throw new Error(out);
};

const commit = async (manifest: object = {}): Promise<void> => {
  await write("package.json", JSON.stringify({ version: "1.2.3", engines: { bun: Bun.version }, ...manifest }));
  await git("add", "--all");
  await git("commit", "--quiet", "--allow-empty", "--message", "work");
};

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "groundwire-release-"));
  release = { root, run };
  await git("init", "--quiet");
});
beforeEach(() => commit());
afterAll(() => rm(root, { recursive: true, force: true }));

describe("the working tree", () => {
  test("passes if everything is committed, and names the commit", async () => {
    expect(await checkTree(release)).toMatchObject({
      status: "passed",
      message: expect.stringMatching(/: [0-9a-f]{7,}$/),
    });
  });

  test("fails with the names of changed and new files", async () => {
    await write("new.txt", "x");
    const { status, message } = await checkTree(release);
    expect([status, message]).toEqual(["failed", "not committed: new.txt"]);
    const others = ["other-1.txt", "other-2.txt", "other-3.txt"];
    for (const name of others) await write(name, "x");
    expect(await checkTree(release)).toMatchObject({
      message: "not committed: new.txt, other-1.txt, other-2.txt, and 1 more",
    });
    for (const name of ["new.txt", ...others]) await rm(join(root, name));
  });
});

describe("the version", () => {
  test("fails if another commit has its tag", async () => {
    expect((await checkVersion(release)).status).toBe("passed");
    await git("tag", "v1.2.3");
    expect(await checkVersion(release)).toMatchObject({ status: "passed", message: "1.2.3, tagged" });
    await commit();
    expect(await checkVersion(release)).toMatchObject({
      status: "failed",
      remedy: "Raise the version in package.json.",
    });
  });

  test("fails if it is not a version", async () => {
    await commit({ version: "next" });
    expect((await checkVersion(release)).message).toBe('"next" is not a version such as 1.2.3');
  });
});

describe("the changelog", () => {
  const check = async (text: string) => {
    await write("CHANGELOG.md", text);
    return (await checkChangelog(release)).status;
  };

  test("needs a dated section for the version", async () => {
    expect((await checkChangelog(release)).message).toBe("CHANGELOG.md is missing");
    expect(await check("# Changelog\n\n## 1.2.2 (2026-01-01)\n")).toBe("failed");
    expect(await check("# Changelog\n\n## 1.2.3 (unreleased)\n")).toBe("warning");
    expect(await check("# Changelog\n\n## 1.2.3 (2026-12-01)\n")).toBe("passed");
  });
});

test("the version of Bun must be the same everywhere", async () => {
  const files = ["README.md", "CONTRIBUTING.md", "Dockerfile.gateway", "Dockerfile.gpu", ".ci/run", "docs/commands.md"];
  for (const path of files) await write(path, `npx bun@${Bun.version} run start`);
  await commit({ packageManager: `bun@${Bun.version}` });
  expect((await checkBun(release)).status).toBe("passed");
  await write("Dockerfile.gpu", "FROM oven/bun:1.0.0-slim");
  const { status, message } = await checkBun(release);
  expect([status, message]).toEqual(["failed", `package.json requires ${Bun.version}; Dockerfile.gpu: 1.0.0`]);
});

test.each<[string, number, string]>([
  ["2400 passed, 0 failed, 0 skipped", 0, "passed"],
  ["2400 passed, 0 failed, 3 skipped", 0, "warning"],
  ["2399 passed, 1 failed, 0 skipped", 1, "failed"],
  ["error: out of memory", 137, "failed"],
])("tests that end with %p and exit code %p: %s", async (line, code, status) => {
  const finding = await checkTests({ root, run: async () => ({ code, out: `…\n${line}\n` }) });
  expect([finding.status, finding.message]).toEqual([status as "passed", line]);
});
