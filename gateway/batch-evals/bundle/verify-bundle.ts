import type { Static, TSchema } from "@sinclair/typebox";
import { TypeCompiler } from "@sinclair/typebox/compiler";
import { Garbage } from "../../../lib/garbage";
import { inOrder } from "../../../lib/in-order";
import type { NewSample } from "../../datasets/contract";
import type { RunInfo } from "../../evals/contract";
import { FIGURES_VERSION } from "../../evals/summary";
import { evaluatorHash } from "../../evaluators/service";
import { changed, checkResult, type KnownEvaluator, type Rescore } from "./check-result";
import { differencesOf } from "./compare";
import {
  BundleResult,
  BundleRun,
  BundleSample,
  BundleStatistics,
  isBundleFile,
  type ListedFile,
  MANIFEST_FILE,
  Manifest,
  README_FILE,
  RUN_FILE,
  resultsFile,
  STATISTICS_FILE,
  SUMS_FILE,
  samplesFile,
} from "./contract";
import { FigureCollector } from "./figures";
import { gunzipped } from "./gzip";
import { readTar, refused, type TarMember } from "./tar";
import { sumsOf } from "./write-bundle";

/** The findings of a verification. A bundle without differences is verified. */
export interface Verification {
  run: Pick<RunInfo, "id" | "name" | "pins"> | null;
  results: number;
  files: number;
  bytes: number;
  /** Number of scores by evaluator: recomputed, or accepted as stored because a model gave them. */
  recomputed: Record<string, number>;
  taken: Record<string, number>;
  /** Figures that were recomputed and are equal. */
  figures: number;
  /** The first differences, each with the file, line, sample or figure. */
  differences: string[];
  differenceCount: number;
}

export interface VerifyOptions {
  rescore: Rescore;
  /** How many results are scored at the same time. */
  parallel: number;
  onStart?(results: number): void;
  onResult?(): void;
}

const MAX_LISTED = 20;
/** Garbage is collected at least after this much text was checked. */
const GARBAGE_BYTES = 4 * 1_048_576;

/** Ends a verification whose file can't be read any further. */
class Unreadable extends Error {}

/**
 * Verifies a bundle as it is read: every hash, every score that needs no model, every verdict and every figure. Throws
 * invalid_request for a file that isn't a bundle, is damaged or incomplete, or was exported by an incompatible version.
 */
export const verifyBundle = async (file: AsyncIterable<Uint8Array>, options: VerifyOptions): Promise<Verification> => {
  const verifier = new Verifier(options);
  try {
    await verifier.read(readTar(gunzipped(file), isBundleFile));
  } catch (error) {
    if (error instanceof Unreadable) return verifier.found;
    if (!isDamage(error)) throw error;
    throw refused(
      isHeaderless(error) ? "it is not a gzip file" : `its compressed data is damaged or ends ${verifier.place}`,
    );
  }
  return verifier.found;
};

/** zlib's errors have codes such as `Z_DATA_ERROR`. */
const isDamage = (error: unknown): boolean =>
  error instanceof Error && "code" in error && /^Z_/.test(String(error.code));

/** zlib's error for data that doesn't start with a gzip header. */
const isHeaderless = (error: unknown): boolean => error instanceof Error && error.message === "incorrect header check";

class Verifier {
  readonly found: Verification = {
    ...{ run: null, results: 0, files: 0, bytes: 0, recomputed: {}, taken: {}, figures: 0 },
    ...{ differences: [], differenceCount: 0 },
  };
  readonly #files: ListedFile[] = [];
  readonly #collector = new FigureCollector();
  readonly #evaluators = new Map<string, KnownEvaluator>();

  constructor(private readonly options: VerifyOptions) {}

  /** The position that reading has reached. */
  get place(): string {
    const last = this.#files.at(-1);
    return last ? `after ${last.name}` : `in ${RUN_FILE}`;
  }

  async read(members: AsyncGenerator<TarMember>): Promise<void> {
    let next = await members.next();
    /** The next file, if it has this name. */
    const take = async (name: string): Promise<string | undefined> => {
      if (next.done || next.value.name !== name) return undefined;
      const { content } = next.value;
      this.found.files++;
      this.found.bytes += content.length;
      const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
      this.#files.push({ name, bytes: content.length, sha256: Bun.SHA256.hash(content, "hex") });
      try {
        const decoded = text.decode(content);
        next = await members.next();
        return decoded;
      } catch (error) {
        if (error instanceof TypeError) throw this.#stop(`${name} is not valid UTF-8`);
        throw error;
      }
    };
    const need = async (name: string): Promise<string> => {
      const text = await take(name);
      if (text !== undefined) return text;
      const instead = next.done ? "ends" : `has ${next.value.name}`;
      throw refused(`it ${instead} where ${name} should be`);
    };

    try {
      const run = this.#parse(RUN_FILE, await need(RUN_FILE), BundleRun);
      this.#start(run);
      const garbage = new Garbage(GARBAGE_BYTES);
      let last: NewSample | undefined;
      for (let part = 1; ; part++) {
        const samples = await take(samplesFile(part));
        if (samples === undefined) break;
        const results = await need(resultsFile(part));
        last = await this.#checkPart(part, { samples, results, last });
        garbage.note(samples.length + results.length);
      }
      const statistics = this.#parse(STATISTICS_FILE, await need(STATISTICS_FILE), BundleStatistics);
      await need(README_FILE);
      const listed = [...this.#files];
      const manifest = this.#parse(MANIFEST_FILE, await need(MANIFEST_FILE), Manifest);
      this.#checkManifest(manifest, run, listed);
      const summed = [...this.#files];
      if ((await need(SUMS_FILE)) !== sumsOf(summed)) this.#differ(`${SUMS_FILE} does not match the files`);
      if (!next.done) throw refused(`it has ${next.value.name} where its end should be`);
      await this.#checkFigures(run, statistics);
    } finally {
      await members.return(undefined);
    }
  }

  #differ(what: string): void {
    this.found.differenceCount++;
    if (this.found.differences.length < MAX_LISTED) this.found.differences.push(what);
  }

  #stop(what: string): Unreadable {
    this.#differ(`${what}, so nothing after it was checked`);
    return new Unreadable();
  }

  #parse<T extends TSchema>(name: string, text: string, schema: T): Static<T> {
    const value = parsed(text);
    const [problem] = value === undefined ? [] : TypeCompiler.Compile(schema).Errors(value);
    if (value === undefined) throw this.#stop(`${name} is not valid JSON`);
    if (problem) throw this.#stop(`${name} has an invalid value at ${problem.path || "/"}: ${problem.message}`);
    return value as Static<T>;
  }

  #start({ run, evaluators, results }: BundleRun): void {
    this.found.run = run;
    for (const { hash, ...definition } of evaluators) {
      const name = `${definition.name}@${definition.version}`;
      if (evaluatorHash(definition) !== hash) {
        this.#differ(
          `${RUN_FILE}: ${name} does not match its hash, or this version of Groundwire computes it differently`,
        );
      }
      this.#evaluators.set(name, { kind: definition.kind, hash });
    }
    this.options.onStart?.(results);
  }

  /** Checks the results of one part, and returns its last sample. */
  async #checkPart(
    part: number,
    { samples, results, last }: { samples: string; results: string; last: NewSample | undefined },
  ): Promise<NewSample | undefined> {
    const known = new Map<string, NewSample>();
    if (last?.key !== undefined) known.set(last.key, last);
    let newest = last;
    for (const { value } of this.#lines(samplesFile(part), samples, checkSample)) {
      newest = value;
      if (value.key !== undefined) known.set(value.key, value);
    }
    const lines = [...this.#lines(resultsFile(part), results, checkLine)];
    await inOrder(lines, this.options.parallel, async ({ value: result, line }) => {
      const place = `${resultsFile(part)}, line ${line} (sample ${JSON.stringify(result.sample_key)}, repeat ${result.repeat})`;
      const sample = known.get(result.sample_key);
      if (!sample) return this.#differ(`${place}: its sample is not in ${samplesFile(part)}`);
      const check = await checkResult(sample, result, this.#evaluators, this.options.rescore);
      for (const problem of check.problems) this.#differ(`${place}: ${problem}`);
      for (const name of check.recomputed) this.found.recomputed[name] = (this.found.recomputed[name] ?? 0) + 1;
      for (const name of check.taken) this.found.taken[name] = (this.found.taken[name] ?? 0) + 1;
      this.#collector.add(check.checked);
      this.found.results++;
      this.options.onResult?.();
    });
    return newest;
  }

  *#lines<T>(name: string, text: string, check: { Check(value: unknown): value is T }) {
    const lines = text.split("\n");
    if (lines.pop() !== "") this.#differ(`${name} does not end with a line break`);
    for (const [index, line] of lines.entries()) {
      const value = parsed(line);
      if (check.Check(value)) yield { value, line: index + 1 };
      else this.#differ(`${name}, line ${index + 1} is not valid`);
    }
  }

  #checkManifest(manifest: Manifest, { run, results }: BundleRun, read: readonly ListedFile[]): void {
    const stated = {
      run_id: manifest.run_id,
      run_name: manifest.run_name,
      pins: manifest.pins,
      results: manifest.results,
    };
    const actual = { run_id: run.id, run_name: run.name, pins: run.pins, results };
    for (const { path, stored, computed } of differencesOf(stated, actual)) {
      this.#differ(
        `${MANIFEST_FILE}: ${path} is ${JSON.stringify(stored)}, but ${JSON.stringify(computed)} in ${RUN_FILE}`,
      );
    }
    if (this.found.results !== results) this.#differ(`it has ${this.found.results} results instead of ${results}`);
    const listed = new Map(manifest.files.map((each) => [each.name, each]));
    for (const { name, sha256 } of read) {
      const stated = listed.get(name);
      if (!stated) this.#differ(`${name} is not in the manifest`);
      else if (stated.sha256 !== sha256)
        this.#differ(`${name} has the SHA-256 ${sha256}, but the manifest lists ${stated.sha256}`);
      listed.delete(name);
    }
    for (const name of listed.keys()) this.#differ(`${name} is in the manifest, but not in the bundle`);
    if (manifest.figures_version !== FIGURES_VERSION) {
      throw refused(
        `it contains figures of version ${manifest.figures_version}, but this version of Groundwire computes version ${FIGURES_VERSION}`,
      );
    }
  }

  async #checkFigures({ run }: BundleRun, statistics: Static<typeof BundleStatistics>): Promise<void> {
    const figures = await this.#collector.figures(run, statistics, () => Bun.gc(true));
    const count = () => this.found.figures++;
    for (const { path, stored, computed } of differencesOf(statistics, figures, count)) {
      this.#differ(`${STATISTICS_FILE}: ${changed(path, stored, computed)}`);
    }
  }
}

const checkSample = TypeCompiler.Compile(BundleSample);
const checkLine = TypeCompiler.Compile(BundleResult);

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};
