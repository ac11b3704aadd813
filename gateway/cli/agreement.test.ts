import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

const ROOT = join(import.meta.dir, "../..");
let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "groundwire-agreement-test-"));
  await writeFile(join(folder, "correctness_a.jsonl"), '{\n[]\n{"id": "1"}\n');
  await writeFile(join(folder, "faithfulness_b.jsonl"), "\n");
});
afterAll(() => rm(folder, { recursive: true }));

describe("a folder with invalid rows is rejected before a model is loaded, with all problems listed, by", () => {
  test.each(["gateway/cli/agreement.ts", "bench/reference/fit.ts"])(
    "%s",
    async (command) => {
      // With these settings, no model can be found or downloaded.
      const env = { ...process.env, GROUNDWIRE_DATA_DIR: join(folder, "data"), HF_ENDPOINT: "http://127.0.0.1:1" };
      const child = Bun.spawn([process.execPath, command, folder], { cwd: ROOT, env, stdout: "pipe", stderr: "pipe" });
      const [stdout, stderr] = await Promise.all([child.stdout.text(), child.stderr.text()]);
      expect(await child.exited).not.toBe(0);
      expect(stdout).toBe("");
      for (const place of ["correctness_a.jsonl, line 1:", "line 2:", "line 3:", "faithfulness_b.jsonl has no rows"])
        expect(stderr).toContain(place);
      expect(stderr).not.toContain("fetching");
    },
    30_000,
  );
});
