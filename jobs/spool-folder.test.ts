import { expect, test } from "bun:test";
import { mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { clearSpools, ownSpoolFolder } from "./spool-folder";

const DAY_MS = 24 * 3_600_000;

test("folders of ended processes are deleted; those of running processes and other machines stay", async () => {
  const dataDir = await mkdtemp(join(tmpdir(), "groundwire-spools-"));
  try {
    const own = basename(ownSpoolFolder(dataDir));
    const [host] = own.split("-");
    const child = Bun.spawn(["true"]);
    await child.exited;
    const gone = `${host}-${child.pid}-1`;
    const elsewhere = "0123456789abcdef-1-1";
    for (const name of [own, gone, elsewhere, "upload-of-a-version-before"]) {
      await mkdir(join(dataDir, "spool", name), { recursive: true });
      await Bun.write(join(dataDir, "spool", name, "upload-1"), "rows");
    }
    await clearSpools(dataDir, new Date());
    expect((await readdir(join(dataDir, "spool"))).sort()).toEqual(
      [own, elsewhere, "upload-of-a-version-before"].sort(),
    );
    await clearSpools(dataDir, new Date(Date.now() + DAY_MS + 60_000));
    expect(await readdir(join(dataDir, "spool"))).toEqual([own]);
  } finally {
    await rm(dataDir, { recursive: true, force: true });
  }
});

test("a missing folder counts as empty", async () => {
  await clearSpools("/nowhere", new Date());
});
