import { AppError } from "../../../lib/errors";
import type { Claim, Criterion, JudgeSettings } from "../contract";
import { choicesOf } from "../rubric";
import type { ScoredAnswer, ScoredCriterion } from "../scored-answer";
import { claimMessages, claimName, claimsForm, criterionMessages, gradeForm, type Message, parse } from "./prompts";

/** One question to the judge model. */
export interface JudgeQuestion {
  model: string;
  messages: Message[];
  /** JSON Schema that constrains the output. */
  schema: Record<string, unknown>;
  maxTokens: number;
  temperature: number;
  seed: number;
}

/** The judge model's output, and which model it was. */
interface JudgeReply {
  text: string;
  model: string;
  modelRevision: string;
}

export type AskJudge = (question: JudgeQuestion) => Promise<JudgeReply>;

/** A claim in the output. */
export interface ClaimSpan {
  text: string;
  /** UTF-16 offsets in the output. */
  start: number;
  end: number;
}

interface JudgeDeps {
  ask: AskJudge;
  settings: JudgeSettings;
}

/** Criteria that are decided claim by claim. */
const BY_CLAIMS = new Set(["faithfulness", "hallucination"]);
/** Limits on the questions to a judge. */
const JUDGE_LIMITS = {
  /** Maximum claims per question. A small model can't give verdicts on more. */
  claimsAtOnce: 6,
  /** Maximum number of judged claims per answer. Later claims are ignored. */
  claims: 48,
  /**
   * Maximum characters and tokens of a reason: in the first attempt, and in the second and last one, if the first
   * output was truncated or invalid. The second attempt's output is complete even if characters take several tokens.
   */
  tries: [
    { reasonLength: 240, tokensOfReason: 80 },
    { reasonLength: 48, tokensOfReason: 160 },
  ],
  tokensOfVerdict: 32,
} as const;

/**
 * Judges each criterion by asking a model `votes` times with consecutive seeds; the value is the median vote. An output
 * that is still invalid after one retry is an error, never a score. Throws what `ask` throws.
 */
export const judgeAnswer = async (
  { ask, settings }: JudgeDeps,
  answer: ScoredAnswer,
  claims: readonly ClaimSpan[],
  criteria: readonly Criterion[],
): Promise<ScoredCriterion[]> => {
  const scored: ScoredCriterion[] = [];
  const seeds = Array.from({ length: settings.votes }, (_, vote) => settings.seed + vote);
  for (const criterion of criteria.filter(({ name }) => !BY_CLAIMS.has(name))) {
    const votes: Vote[] = [];
    for (const seed of seeds) votes.push(await grade({ ask, settings }, answer, criterion, seed));
    scored.push(decide(criterion.name, votes));
  }
  const byClaims = criteria.filter(({ name }) => BY_CLAIMS.has(name));
  if (byClaims.length > 0) {
    const rounds: ClaimRound[] = [];
    for (const seed of seeds) rounds.push(await judgeClaims({ ask, settings }, answer, claims, seed));
    for (const { name } of byClaims)
      scored.push(
        decide(
          name,
          rounds.map((round) => voteOf(name, round)),
        ),
      );
  }
  return scored;
};

/**
 * The minimum number of questions to a judge about one answer: claims are judged together, other criteria separately.
 */
export const leastQuestions = ({ votes }: JudgeSettings, criteria: readonly Criterion[]): number => {
  const alone = criteria.filter(({ name }) => !BY_CLAIMS.has(name)).length;
  return votes * (alone + Number(alone < criteria.length));
};

interface Vote {
  value: number | null;
  reason: string;
  claims: Claim[];
  by: Pick<JudgeReply, "model" | "modelRevision"> | null;
}

/** The median of the valid votes; an error if there are none. */
const decide = (metric: string, votes: readonly Vote[]): ScoredCriterion => {
  const readable = votes.filter((vote): vote is Vote & { value: number } => vote.value !== null);
  const sorted = readable.toSorted((a, b) => a.value - b.value);
  const median = sorted[Math.floor((sorted.length - 1) / 2)];
  const by = votes.find((vote) => vote.by)?.by ?? null;
  if (!median) {
    const error = new AppError("upstream_error", "The judge's answer didn't match its schema, even after a retry.");
    return { metric, value: null, reason: null, claims: [], votes: [], by, error };
  }
  const { value, reason, claims } = median;
  return { metric, value, reason, claims, votes: readable.map((vote) => vote.value), by, error: null };
};

const grade = async (deps: JudgeDeps, answer: ScoredAnswer, criterion: Criterion, seed: number): Promise<Vote> => {
  const choices = choicesOf(criterion);
  const messages = criterionMessages(answer, criterion);
  const { value, by } = await askTwice(deps, messages, seed, 1, (reasonLength) => gradeForm(choices, reasonLength));
  // A small model may fill the reason with punctuation only.
  const reason = value && /[\p{L}\p{N}]/u.test(value.reason) ? value.reason : "The judge gave no reason.";
  return { value: value?.score ?? null, reason, claims: [], by };
};

interface ClaimRound {
  claims: Claim[] | null;
  /** The number of claims that were not judged because there were too many. */
  skipped: number;
  by: Vote["by"];
}

const SUPPORT = { supported: 1, partly: 0.5, unsupported: 0 } as const;

const judgeClaims = async (
  deps: JudgeDeps,
  answer: ScoredAnswer,
  spans: readonly ClaimSpan[],
  seed: number,
): Promise<ClaimRound> => {
  const judged: Claim[] = [];
  let by: Vote["by"] = null;
  const asked = spans.slice(0, JUDGE_LIMITS.claims);
  const skipped = spans.length - asked.length;
  for (let from = 0; from < asked.length; from += JUDGE_LIMITS.claimsAtOnce) {
    const some = asked.slice(from, from + JUDGE_LIMITS.claimsAtOnce);
    const messages = claimMessages(
      answer,
      some.map(({ text }) => text),
    );
    const reply = await askTwice(deps, messages, seed, some.length, (reasonLength) =>
      claimsForm(some.length, reasonLength),
    );
    by = reply.by;
    if (!reply.value) return { claims: null, skipped, by };
    for (const [index, span] of some.entries()) {
      const { verdict, reason } = reply.value[claimName(index)] ?? { verdict: "unsupported", reason: "" };
      const { start, end } = span;
      const unsupported = verdict === "supported" ? [] : [{ start, end, note: reason }];
      judged.push({ ...span, verdict, score: SUPPORT[verdict], context: null, unsupported });
    }
  }
  return { claims: judged, skipped, by };
};

/**
 * faithfulness: mean support of the claims. hallucination: unsupported claims / claims. An answer without claims is
 * faithful.
 */
const voteOf = (metric: string, { claims, skipped, by }: ClaimRound): Vote => {
  if (!claims) return { value: null, reason: "", claims: [], by };
  if (claims.length === 0) {
    const reason = "The answer makes no claim.";
    return { value: metric === "faithfulness" ? 1 : 0, reason, claims, by };
  }
  const count = (verdict: Claim["verdict"]) => claims.filter((claim) => claim.verdict === verdict).length;
  const supported = claims.reduce((sum, { score }) => sum + score, 0);
  const value = (metric === "faithfulness" ? supported : count("unsupported")) / claims.length;
  return { value, reason: tallyText(claims, skipped), claims, by };
};

const TALLY = { supported: "supported", partly: "partly supported", unsupported: "unsupported" } as const;

const LIST = new Intl.ListFormat("en-GB");

/** Counts the verdicts in a sentence: "The only claim is unsupported.", "Of 3 claims, 2 are supported and 1 is unsupported." */
const tallyText = (claims: readonly Claim[], skipped: number): string => {
  const count = claims.length;
  const parts = Object.entries(TALLY).flatMap(([verdict, words]) => {
    const found = claims.filter((claim) => claim.verdict === verdict).length;
    return found === 0 ? [] : [`${found} ${found === 1 ? "is" : "are"} ${words}`];
  });
  if (skipped > 0) return `Of the first ${count} of ${count + skipped} claims, ${LIST.format(parts)}.`;
  if (parts.length > 1) return `Of ${count} claims, ${LIST.format(parts)}.`;
  const words = TALLY[claims[0]?.verdict ?? "unsupported"];
  if (count === 1) return `The only claim is ${words}.`;
  return `${count === 2 ? "Both" : `All ${count}`} claims are ${words}.`;
};

/** Asks, and retries once with shorter reasons if the output can't be parsed. */
const askTwice = async <S extends ReturnType<typeof gradeForm> | ReturnType<typeof claimsForm>>(
  { ask, settings }: JudgeDeps,
  messages: Message[],
  seed: number,
  verdicts: number,
  formOf: (reasonLength: number) => S,
) => {
  const { tokensOfVerdict } = JUDGE_LIMITS;
  let by: Vote["by"] = null;
  for (const { reasonLength, tokensOfReason } of JUDGE_LIMITS.tries) {
    const form = formOf(reasonLength);
    const { text, ...who } = await ask({
      model: settings.model,
      messages,
      schema: JSON.parse(JSON.stringify(form)),
      maxTokens: tokensOfVerdict + verdicts * (tokensOfReason + tokensOfVerdict),
      temperature: settings.temperature,
      seed,
    });
    by = who;
    const value = parse(form, text);
    if (value !== undefined) return { value, by };
  }
  return { value: undefined, by };
};

const EXAMPLE = { question: "question", references: ["reference"], contexts: ["context"], output: "answer" };
const CRITERION = {
  name: "name",
  description: "description",
  scale: { min: 0, max: 1, step: 1 },
  direction: "higher_is_better",
  threshold: 1,
  weight: 1,
} as const;

/** What all judges have in common: their questions about a sample, and their limits. */
export const JUDGE_CONSTANTS = {
  criterion: criterionMessages(EXAMPLE, CRITERION),
  claims: claimMessages(EXAMPLE, ["claim"]),
  limits: JUDGE_LIMITS,
};
