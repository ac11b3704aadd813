import { expect, test } from "bun:test";
import { join } from "node:path";
import { EXIT } from "./command";

test.each([["gateway/cli/config.ts"], ["gateway/cli/doctor.ts"], ["gateway/cli/start.ts"]])(
  "%s rejects an unexpected argument and prints its help",
  async (script) => {
    const command = [process.execPath, join(import.meta.dir, "..", script), "nope"];
    const child = Bun.spawn(command, { stdout: "pipe", stderr: "pipe" });
    const [output, errors] = await Promise.all([child.stdout.text(), child.stderr.text()]);
    expect([await child.exited, output]).toEqual([EXIT.usage, ""]);
    expect(errors).toContain('"nope" is not an option of this command.');
    expect(errors).toContain("bun run ");
  },
);
