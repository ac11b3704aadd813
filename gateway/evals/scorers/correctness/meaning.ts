import { cosine, type EmbedTexts } from "../embedding";
import type { ReadText } from "./answer";
import type { Match } from "./match";

/** Closeness of meaning, -1…1, of the references that share most words with the answer. */
export interface Meaning {
  /** Answer and reference. */
  answer: number;
  /** The answer's leading sentence, and question with reference. */
  statement: number;
  /** How much closer the answer comes to the question when the reference is added to it. */
  gain: number;
}

/** References whose meaning is compared. */
const MAX_COMPARED = 3;

const byLikeness = (a: Match, b: Match): number => b.recall - a.recall || b.f1 - a.f1 || b.spelling - a.spelling;

export const closestMatches = (matches: readonly Match[]): Match[] => [...matches].sort(byLikeness);

/** Compares meaning by one request for vectors. */
export const meaningOf = async (
  answer: ReadText,
  question: string,
  matches: readonly Match[],
  embed: EmbedTexts,
): Promise<Meaning> => {
  const references = [...new Set(closestMatches(matches).map(({ alias }) => alias.reference))].slice(0, MAX_COMPARED);
  const lead = answer.sentences[0]?.text ?? answer.text;
  const statements = references.map((reference) => `${question} ${reference}`.trim());
  const [whole, first, asked, ...others] = await embed([answer.text, lead, question, ...references, ...statements]);
  const best = (vectors: readonly Float32Array[], to: Float32Array | undefined) =>
    Math.max(-1, ...vectors.map((vector) => cosine(vector, to)));
  const statementVectors = others.slice(references.length);
  return {
    answer: best(others.slice(0, references.length), whole),
    statement: best(statementVectors, first),
    gain: best(statementVectors, whole) - cosine(asked, whole),
  };
};
