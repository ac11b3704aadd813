import { appendAudit } from "../../db/audit";
import type { Db, Reads } from "../../db/client";
import * as store from "../../db/evaluators";
import { canonicalHash } from "../../lib/canonical-json";
import { AppError } from "../../lib/errors";
import type { Page, PageQuery } from "../contract";
import type { JudgeSettings } from "../evals/contract";
import type { ChosenEvaluator, EvaluatorDefinition } from "../evals/evaluator";
import { JUDGE_CONSTANTS } from "../evals/judge/judge";
import { criteriaOf } from "../evals/rubric";
import { REFERENCE_CONSTANTS } from "../evals/scorers/reference-evaluator";
import type { Seal } from "../idempotency/service";
import { pageOf, readNumberCursor } from "../paging";
import type { Principal } from "../principal";
import { fromRow } from "../wire";
import { BUILT_IN_EVALUATORS, DEFAULT_ACTIVE, RELEASED_AT } from "./built-in";
import { type CreateEvaluatorVersion, type Evaluator, EvaluatorVersion } from "./contract";

export type EvaluatorService = ReturnType<typeof createEvaluators>;

interface Known extends EvaluatorDefinition {
  createdBy: string | null;
  createdAt: Date;
}
interface Choice {
  active: number | null;
  shadow: number | null;
}

export const referenceOf = ({ name, version }: { name: string; version: number }): string => `${name}@${version}`;

/** Hashes of each kind's constants in the code: weights, thresholds, prompts. */
const CONSTANTS = {
  reference: canonicalHash(REFERENCE_CONSTANTS),
  exact: canonicalHash({}),
  tool_call: canonicalHash({}),
  judge: canonicalHash(JUDGE_CONSTANTS),
} as const;

/** sha256 of everything that affects a score of this version. */
export const evaluatorHash = ({ name, version, kind, criteria, judge }: EvaluatorDefinition): string =>
  canonicalHash({ name, version, kind, criteria, judge, constants: CONSTANTS[kind] });

export const createEvaluators = ({ db, now = () => new Date() }: { db: Db; now?: () => Date }) => {
  /** All versions by name, newest first; only those of `name`, if given. */
  const known = async (reads: Reads, name?: string): Promise<Map<string, Known[]>> => {
    const made = (await store.listEvaluatorVersions(reads, name)).map(toKnown);
    const taken = new Set(made.map(referenceOf));
    // A version that someone created before this one was built in keeps its name.
    const builtIn = BUILT_IN_EVALUATORS.filter((each) => !taken.has(referenceOf(each))).map(
      (each): Known => ({ ...each, createdBy: null, createdAt: RELEASED_AT }),
    );
    const all = [...made, ...builtIn].filter((each) => name === undefined || each.name === name);
    const sorted = all.sort((a, b) => (a.name < b.name ? -1 : Number(a.name > b.name)) || b.version - a.version);
    return Map.groupBy(sorted, (each) => each.name);
  };

  const choices = async (reads: Reads): Promise<(name: string) => Choice> => {
    const rows = new Map((await store.listEvaluatorChoices(reads)).map((row) => [row.name, row]));
    return (name) => rows.get(name) ?? { active: DEFAULT_ACTIVE.get(name) ?? null, shadow: null };
  };

  const toWire = (known: Known, { active, shadow }: Choice): EvaluatorVersion =>
    fromRow(EvaluatorVersion, known, {
      state: known.version === active ? "active" : known.version === shadow ? "shadow" : "released",
      hash: evaluatorHash(known),
    });

  const toEvaluator = (name: string, versions: readonly Known[], choice: Choice): Evaluator => {
    const find = (version: number | null) => {
      const found = versions.find((known) => known.version === version);
      return found ? toWire(found, choice) : null;
    };
    return { name, active: find(choice.active), shadow: find(choice.shadow), versions: versions.length };
  };

  const versionsOf = async (reads: Reads, name: string): Promise<Known[]> => {
    const versions = (await known(reads, name)).get(name);
    if (versions) return versions;
    throw new AppError("not_found", `Evaluator "${name}" not found. GET /v1/evaluators lists them.`, {
      param: "evaluators",
    });
  };

  const get = async (name: string): Promise<Evaluator> =>
    toEvaluator(name, await versionsOf(db, name), (await choices(db))(name));

  /** Changes the active or shadow version, and records the change in the audit log. */
  const change = async (
    principal: Principal,
    name: string,
    action: string,
    version: number | null,
    decide: (choice: Choice) => Choice,
  ): Promise<Evaluator> => {
    const at = now();
    await db.write(async (tx) => {
      const versions = await versionsOf(tx, name);
      if (version !== null && !versions.some((known) => known.version === version)) {
        throw new AppError("not_found", `The evaluator "${name}" has no version ${version}.`, { param: "version" });
      }
      const before = (await choices(tx))(name);
      await store.saveEvaluatorChoice(tx, { name, ...decide(before), updatedAt: at });
      const detail = { version, before: { active: before.active, shadow: before.shadow } };
      await appendAudit(tx, { at, actor: principal, action, target: name, detail });
    });
    return get(name);
  };

  const chosen = (known: Known, shadow: boolean): ChosenEvaluator => ({
    ...known,
    reference: referenceOf(known),
    hash: evaluatorHash(known),
    shadow,
  });

  return {
    /** Throws not_found. */
    get,

    async list({ limit = 20, after }: PageQuery): Promise<Page<Evaluator>> {
      const [all, choiceOf] = [await known(db), await choices(db)];
      const names = [...all].filter(([name]) => after === undefined || name > after);
      return pageOf(
        names,
        limit,
        ([name, versions]) => toEvaluator(name, versions, choiceOf(name)),
        ([name]) => name,
      );
    },

    /** Newest first. Throws not_found. */
    async versions(name: string, { limit = 20, after }: PageQuery): Promise<Page<EvaluatorVersion>> {
      const below = readNumberCursor(after) ?? Number.POSITIVE_INFINITY;
      const [versions, choiceOf] = [await versionsOf(db, name), await choices(db)];
      const rest = versions.filter((known) => known.version < below);
      return pageOf(
        rest,
        limit,
        (version) => toWire(version, choiceOf(name)),
        ({ version }) => String(version),
      );
    },

    /** Creates a judge, or its next version. Throws invalid_request, including for `reference`, which is built in. */
    async create(
      principal: Principal,
      { name, description = "", criteria, judge }: CreateEvaluatorVersion,
      seal: Seal,
    ): Promise<EvaluatorVersion> {
      const builtIn = BUILT_IN_EVALUATORS.filter((definition) => definition.name === name);
      if (builtIn.some(({ kind }) => kind !== "judge")) {
        throw new AppError("invalid_request", `"${name}" is built in and can't be changed. Choose another name.`, {
          param: "name",
        });
      }
      if (judge.votes % 2 === 0) {
        const message = "judge.votes must be an odd number from 1 to 15, so that the median is one of the votes.";
        throw new AppError("invalid_request", message, { param: "judge.votes" });
      }
      if (judge.prompt !== null) {
        throw new AppError("not_implemented", "Judges use their built-in prompt. Set judge.prompt to null.", {
          param: "judge.prompt",
        });
      }
      const complete = criteriaOf({ criteria });
      const newestBuiltIn = Math.max(0, ...builtIn.map(({ version }) => version));
      const at = now();
      return db.write(async (tx) => {
        const row = { name, description, criteria: complete, judge, createdBy: principal.keyId, createdAt: at };
        const inserted = await store.insertEvaluatorVersion(tx, row, newestBuiltIn);
        const made = toKnown(inserted);
        const detail = { version: inserted.version, hash: evaluatorHash(made) };
        await appendAudit(tx, { at, actor: principal, action: "evaluator.create", target: name, detail });
        const answer = toWire(made, (await choices(tx))(name));
        await seal(tx, answer);
        return answer;
      });
    },

    /** Makes a version the shadow; null removes the shadow. Throws not_found, and conflict for the active version. */
    shadow: (principal: Principal, name: string, version: number | null): Promise<Evaluator> =>
      change(principal, name, "evaluator.shadow", version, (choice) => {
        if (version === null || version !== choice.active) return { ...choice, shadow: version };
        const message = `Version ${version} of "${name}" is active, so it can't be the shadow. Choose another version.`;
        throw new AppError("conflict", message, { param: "version" });
      }),

    /** Makes a version the active one, which gives the verdict; null leaves none active. Throws not_found. */
    promote: (principal: Principal, name: string, version: number | null): Promise<Evaluator> =>
      change(principal, name, "evaluator.promote", version, ({ shadow }) => ({
        active: version,
        shadow: shadow === version ? null : shadow,
      })),

    /** The named versions (`name@version`), or the active ones with their shadows. Throws not_found. */
    async choose(references?: readonly string[], shadows: readonly string[] = []): Promise<ChosenEvaluator[]> {
      const [all, choiceOf] = [await known(db), await choices(db)];
      const find = (reference: string, shadow: boolean): ChosenEvaluator => {
        const [name = "", version = ""] = reference.split("@");
        const found = all.get(name)?.find((known) => known.version === Number(version));
        if (found) return chosen(found, shadow);
        throw new AppError("not_found", `Evaluator "${reference}" not found. GET /v1/evaluators lists them.`, {
          param: "evaluators",
        });
      };
      const standing = () =>
        [...all.keys()].flatMap((name) => {
          const choice = choiceOf(name);
          return [
            ...(choice.active === null ? [] : [find(`${name}@${choice.active}`, false)]),
            ...(choice.shadow === null ? [] : [find(`${name}@${choice.shadow}`, true)]),
          ];
        });
      const named = references?.map((reference) => find(reference, false)) ?? standing();
      const beside = shadows.map((reference) => find(reference, true));
      const seen = new Set<string>();
      return [...named, ...beside].filter(({ reference }) => !seen.has(reference) && seen.add(reference));
    },
  };
};

const toKnown = (row: store.EvaluatorVersionRow): Known => ({
  ...row,
  kind: "judge",
  criteria: row.criteria as EvaluatorVersion["criteria"],
  judge: row.judge as JudgeSettings,
});
