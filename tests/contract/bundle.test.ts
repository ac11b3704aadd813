import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import fc from "fast-check";
import { TAR_END, tarMember } from "../../gateway/batch-evals/bundle/tar";
import { type Verification, verifyBundle } from "../../gateway/batch-evals/bundle/verify-bundle";
import { scoreExact } from "../../gateway/evals/scorers/exact-evaluator";
import { scoreReference } from "../../gateway/evals/scorers/reference-evaluator";
import { canonicalHash } from "../../lib/canonical-json";
import { until } from "../until";
import { completedRun } from "./completed-run";
import { type Stack, startStack } from "./stack";

// biome-ignore lint/suspicious/noExplicitAny: a response as a client sees it
type Json = any;

let stack: Stack;
/** The bundle of a run with answers of a model, repeats, errors, a shadow, and labels. */
let bundle: Buffer;
/** The same bundle as a tar archive. */
let archive: Buffer;
let run: Json;

const json = async (method: string, path: string, body?: unknown): Promise<Json> =>
  (await stack.call(method, path, { body })).json();

const bundleOf = async (id: string): Promise<Buffer> =>
  Buffer.from(await (await stack.call("GET", `/v1/batch-evals/${id}/export?format=bundle`)).arrayBuffer());

const verify = (file: Uint8Array): Promise<Verification> =>
  verifyBundle(new Blob([file]).stream(), {
    rescore: async (answer, kind) => (kind === "exact" ? scoreExact(answer) : scoreReference(answer)),
    parallel: 4,
  });

/** The outcome of verifying the bundle. */
const outcome = (file: Uint8Array): Promise<boolean | string> =>
  verify(file).then(
    ({ differenceCount }) => differenceCount === 0,
    (error) => (error.kind === "invalid_request" ? error.message : Promise.reject(error)),
  );

const differences = async (file: Uint8Array) => (await verify(file)).differences;

/** The files of the bundle, in order. */
const filesOf = (): Map<string, string> => {
  const files = new Map<string, string>();
  for (let at = 0; archive[at] !== 0; ) {
    const name = archive.toString("latin1", at, at + 100).replace(/\0.*/s, "");
    const size = Number.parseInt(archive.toString("latin1", at + 124, at + 135), 8);
    files.set(name, archive.toString("utf8", at + 512, at + 512 + size));
    at += 512 + Math.ceil(size / 512) * 512;
  }
  return files;
};

const pack = (files: Iterable<[string, string]>, end: Uint8Array = TAR_END): Buffer =>
  gzipSync(Buffer.concat([...[...files].map(([name, text]) => tarMember(name, Buffer.from(text))), end]));

/** The bundle with a changed file. `isForged`: all its hashes are recomputed to match. */
const changed = (name: string, change: (text: string) => string, { isForged = false } = {}): Buffer => {
  const files = filesOf();
  const text = files.get(name) ?? "";
  files.set(name, change(text));
  if (!isForged) return pack(files);
  const hashOf = (file: string) => Bun.SHA256.hash(files.get(file) ?? "", "hex");
  const manifest = JSON.parse(files.get("manifest.json") ?? "");
  for (const listed of manifest.files) listed.sha256 = hashOf(listed.name);
  files.set("manifest.json", `${JSON.stringify(manifest, null, 2)}\n`);
  const sums = [...files.keys()].filter((file) => file !== "SHA256SUMS").map((file) => `${hashOf(file)}  ${file}\n`);
  files.set("SHA256SUMS", sums.join(""));
  return pack(files);
};

const RESULTS = "results/000001.jsonl";
/** Changes the third result. `isForged`: its hash is recomputed to match. */
const third =
  (change: (result: Json) => void, isForged = true) =>
  (text: string) => {
    const lines = text.split("\n");
    const { hash, ...result } = JSON.parse(lines[2] ?? "");
    change(result);
    lines[2] = JSON.stringify({ ...result, hash: isForged ? canonicalHash(result) : hash });
    return lines.join("\n");
  };

beforeAll(async () => {
  stack = await startStack({ tokens: 4 });
  const samples = Array.from({ length: 16 }, (_, n) => ({
    ...{ key: `k${n}`, input: `What is ${n}?`, references: [`${n}`], tags: [`t${n % 3}`], group: `g${n % 5}` },
    ...(n % 2 === 0 && { contexts: [`${n} is a number. It is small.`] }),
  }));
  samples.push({ key: "broken", input: "!error invalid_request", references: ["x"], tags: [], group: "g" });
  await json("POST", "/v1/datasets", { name: "numbers", samples });
  const evaluators = { evaluators: ["exact@1"], shadow_evaluators: ["reference@1", "judge@1"] };
  run = await completedRun(stack, { dataset: "numbers", target: { kind: "chat" }, repeats: 2, seed: 7, ...evaluators });
  const { data } = await json("GET", `/v1/batch-evals/${run.id}/samples?limit=100`);
  for (const { id, state } of data) {
    if (state !== "done") continue;
    const { id: label } = await json("POST", `/v1/samples/${id}/labels`, {
      metric: "correctness",
      value: 1,
      comment: "yes",
      blind: true,
    });
    expect(label).toStartWith("label_");
  }
  bundle = await bundleOf(run.id);
  archive = gunzipSync(bundle);
});
afterAll(() => stack.close());

describe("a bundle", () => {
  test("is verified: every score without a model and every figure is recomputed", async () => {
    const found = await verify(bundle);
    expect(found).toMatchObject({ results: 34, differences: [], run: { id: run.id, pins: run.pins } });
    expect(found.recomputed).toEqual({ "exact@1": 32, "reference@1": 64 });
    expect(found.taken["judge@1"]).toBe(64);
    expect(found.figures).toBeGreaterThan(100);
    expect([...filesOf().keys()]).toEqual([
      ...["run.json", "samples/000001.jsonl", RESULTS, "statistics.json", "README.md", "manifest.json", "SHA256SUMS"],
    ]);
  });

  test("can repeat the run: its samples make the same dataset, and its request starts the same run", async () => {
    const files = filesOf();
    const { request } = JSON.parse(files.get("run.json") ?? "");
    const samples = files
      .get("samples/000001.jsonl")
      ?.trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    const { dataset } = await json("POST", "/v1/datasets", { name: "numbers again", samples });
    expect(dataset.latest.hash).toBe(run.pins.dataset.hash);
    const again = await completedRun(stack, { ...request, dataset: "numbers again" });
    const { dataset: _, ...pins } = run.pins;
    expect(again.pins).toMatchObject({ ...pins, host: {} });
    const labelled = await json("GET", `/v1/batch-evals/${run.id}`);
    expect(labelled.statistics[0].agreement.labels).toBe(32);
    expect([again.statistics, again.verdict, again.failures]).toEqual([
      labelled.statistics.map((each: Json) => ({ ...each, agreement: null })),
      run.verdict,
      run.failures,
    ]);
    expect(await outcome(await bundleOf(again.id))).toBe(true);
  }, 60_000);

  test("of an imported run is verified, too", async () => {
    const file = await (await stack.call("GET", `/v1/evals/${run.id}/export`)).text();
    // The same run and results under other ids, as on another instance.
    const copy = JSON.parse(file.replace(/"((?:run|res|label)_[0-9a-f]{31})./g, '"$1z'));
    const { run_id: id, error } = await json("POST", "/v1/evals/import", copy);
    expect(error).toBeUndefined();
    const { differences: found, results } = await verify(await bundleOf(id));
    expect([found, results]).toEqual([[], run.progress.total]);
    const countIn = async (of: string) => {
      const report = await (await stack.call("GET", `/v1/batch-evals/${of}/export?format=html`)).text();
      return /(\d+ results?)\. Texts are cut/.exec(report)?.[1];
    };
    expect(await countIn(run.id)).toMatch(/^[1-9]/);
    expect(await countIn(id)).toBe(await countIn(run.id));
  });

  test("is only exported for whole runs that have ended", async () => {
    const filtered = await stack.call("GET", `/v1/batch-evals/${run.id}/export?format=bundle&passed=true`);
    expect([filtered.status, ((await filtered.json()) as Json).error.param]).toEqual([400, "passed"]);
    await json("POST", "/v1/datasets", { name: "endless", samples: [{ input: "!hang after 1", references: ["x"] }] });
    const { id } = await json("POST", "/v1/batch-evals", { dataset: "endless", target: { kind: "chat" } });
    expect((await stack.call("GET", `/v1/batch-evals/${id}/export?format=bundle`)).status).toBe(409);
    await json("POST", `/v1/batch-evals/${id}/cancel`);
    await until("it is at rest", async () => (await json("GET", `/v1/batch-evals/${id}`)).progress.running === 0);
    expect(await outcome(await bundleOf(id))).toBe(true);
  });
});

describe("a changed byte", () => {
  test("anywhere in the file is never verified, unless the content is the same", async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(bundle.length - 1), fc.integer({ min: 1, max: 255 }), async (place, bits) => {
        const file = Buffer.from(bundle);
        file[place] = (file[place] ?? 0) ^ bits;
        if ((await outcome(file)) === true) expect(gunzipSync(file).equals(archive)).toBe(true);
      }),
      { numRuns: 150 },
    );
  }, 60_000);

  test("anywhere in the archive is never verified", async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(archive.length - 1), fc.integer({ min: 1, max: 255 }), async (place, bits) => {
        const file = Buffer.from(archive);
        file[place] = (file[place] ?? 0) ^ bits;
        expect(await outcome(gzipSync(file, { level: 1 }))).not.toBe(true);
      }),
      { numRuns: 150 },
    );
  }, 60_000);

  test("is reported with its file, line and sample", async () => {
    const [first, second] = await differences(
      changed(
        RESULTS,
        third(({ output }) => output.citations.push(1), false),
      ),
    );
    expect(first).toBe(`${RESULTS}, line 3 is not valid`);
    expect(second).toStartWith(`it has 33 results instead of 34`);
    const [line, ...rest] = await differences(
      changed(
        RESULTS,
        third((result) => result.attempts++, false),
      ),
    );
    expect(line).toBe(`${RESULTS}, line 3 (sample "k1", repeat 0): its content does not match its hash`);
    expect(rest).toEqual([
      expect.stringMatching(/^results\/000001.jsonl has the SHA-256 [0-9a-f]{64}, but/),
      "SHA256SUMS does not match the files",
    ]);
    const sample = await differences(
      changed("samples/000001.jsonl", (text) => text.replace("What is 4?", "What is 5?")),
    );
    expect(sample[0]).toBe(`${RESULTS}, line 9 (sample "k4", repeat 0): its sample was changed`);
    expect(await differences(changed("README.md", (text) => `${text}.`))).toHaveLength(2);
    expect(await differences(changed("run.json", () => "{"))).toEqual([
      "run.json is not valid JSON, so nothing after it was checked",
    ]);
  });

  test("in a score, verdict or figure is found even if all hashes were recomputed to match", async () => {
    const forged = (change: (result: Json) => void) => differences(changed(RESULTS, third(change), { isForged: true }));
    const place = `${RESULTS}, line 3 (sample "k1", repeat 0): `;
    const scoreOf = ({ scores }: Json, name: string) => scores.find(({ evaluator }: Json) => evaluator === name);
    const [score] = await forged((result) => {
      scoreOf(result, "exact@1").value = 1;
    });
    expect(score).toBe(`${place}correctness by exact@1 is 1, but the recomputed value is 0`);
    const [answer] = await forged((result) => {
      result.output.text = "1";
    });
    expect(answer).toBe(`${place}correctness by exact@1 is 0, but the recomputed value is 1`);
    const [passed] = await forged((result) => {
      result.passed = true;
    });
    expect(passed).toBe(`${place}\`passed\` is true, but the recomputed value is false`);
    const [tokens] = await forged((result) => {
      result.output.usage.prompt_tokens += 1;
    });
    expect(tokens).toMatch(/^statistics\.json: usage\.prompt_tokens is \d+, but the recomputed value is \d+$/);
    const figures = changed("statistics.json", (text) => text.replace(/"mean": 0,/, '"mean": 0.1,'), {
      isForged: true,
    });
    expect(await differences(figures)).toEqual([
      "statistics.json: statistics[correctness by exact@1].mean is 0.1, but the recomputed value is 0",
    ]);
  });
});

describe("a hostile file", () => {
  const first = () => [...filesOf()].slice(0, 1);
  test.each<[string, () => Uint8Array, string]>([
    ["no file", () => new Uint8Array(), "damaged or ends in run.json"],
    ["another file", () => Buffer.from("hello"), "This is not a bundle that can be verified: it is not a gzip file."],
    ["no archive", () => gzipSync("hello".repeat(1000)), "not a tar archive"],
    ["a truncated file", () => bundle.subarray(0, bundle.length - 100), "damaged or ends"],
    ["half an archive", () => gzipSync(archive.subarray(0, 5000)), "it ends in"],
    ["a path out of the archive", () => pack([["../../etc/passwd", "x"]]), '"../../etc/passwd", which is not part'],
    ["an absolute path", () => pack([["/etc/passwd", "x"]]), '"/etc/passwd"'],
    ["a name with control characters", () => pack([["run.json\u001b[2J", "x"]]), '"run.json\\u001b[2J"'],
    ["a file twice", () => pack([...first(), ...first()]), "run.json twice"],
    ["a file out of order", () => pack([...filesOf()].reverse()), "it has SHA256SUMS where run.json should be"],
    ["a missing file", () => pack([...filesOf()].filter(([name]) => name !== RESULTS)), `where ${RESULTS} should be`],
    ["data after the end", () => pack(filesOf(), Buffer.alloc(3 * 512)), "there is data after its end"],
    [
      "a bomb of zeros after the end",
      () => pack(filesOf(), Buffer.alloc(64 * 1_048_576)),
      "there is data after its end",
    ],
    [
      "a huge file",
      () => {
        const header = Buffer.from(tarMember("run.json", Buffer.alloc(0)));
        header.write("77777777777", 124);
        return gzipSync(header);
      },
      "run.json has 8589934591 bytes; the limit is 268435456",
    ],
  ])("%s is rejected with the reason", async (_, file, message) => {
    expect(await outcome(file())).toContain(message);
  });
});

test("`bun run verify` needs no server, and its exit code says what it found", async () => {
  const folder = await mkdtemp(join(tmpdir(), "groundwire-verify-"));
  const run = async (content: Uint8Array | undefined, ...more: string[]) => {
    const file = join(folder, "run.tar.gz");
    if (content) await writeFile(file, content);
    const command = join(import.meta.dir, "../../gateway/cli/verify.ts");
    const child = Bun.spawn(["bun", command, ...(content ? [file] : []), ...more], {
      ...{ cwd: folder, env: { PATH: process.env.PATH, NO_COLOR: "1" }, stdout: "pipe", stderr: "pipe" },
    });
    const [out, error] = await Promise.all([child.stdout.text(), child.stderr.text()]);
    return { code: await child.exited, out, error };
  };
  try {
    const [verified, nothing, unknown, missing] = await Promise.all([
      run(bundle),
      run(undefined),
      run(undefined, "nothing", "--unknown"),
      run(undefined, "nothing"),
    ]);
    expect([verified.code, verified.out]).toEqual([
      0,
      expect.stringContaining("Verified  numbers, smollm2-135m-instruct"),
    ]);
    expect([nothing.code, unknown.code, missing.code]).toEqual([2, 2, 2]);
    const changedFile = await run(changed("statistics.json", (text) => text.replace('"mean": 0,', '"mean": 1,')));
    expect([changedFile.code, changedFile.out]).toEqual([
      1,
      expect.stringContaining("correctness by exact@1].mean is 1"),
    ]);
    expect((await run(bundle.subarray(0, 999))).code).toBe(2);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}, 60_000);
