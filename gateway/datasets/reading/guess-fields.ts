import { FIELDS, type Field, LIST_FIELDS, METADATA_PREFIX } from "./fields";

/** Names that people give to the fields, the most telling first. */
const SYNONYMS: Readonly<Partial<Record<Field, readonly string[]>>> = {
  key: ["id", "sample_id", "question_id"],
  input: ["question", "prompt", "query", "messages", "instruction", "user_input", "problem"],
  references: [
    "reference",
    "expected",
    "expected_output",
    "ground_truth",
    "ground_truths",
    "target",
    "answers",
    "ideal",
    "answer",
  ],
  contexts: ["context", "passages", "passage", "documents", "document", "retrieved_contexts", "evidence"],
  output: ["response", "prediction", "completion", "model_answer", "model_output", "generated_answer"],
  group: ["group_id", "source_id", "conversation_id", "cluster"],
  tags: ["tag", "labels"],
};

interface Candidate {
  field: Field;
  /** How telling the name is for the field: 0 is the field's own name. */
  rank: number;
}

const CANDIDATES: ReadonlyMap<string, Candidate> = new Map(
  FIELDS.flatMap((field) => [field, ...(SYNONYMS[field] ?? [])].map((name, rank) => [name, { field, rank }])),
);

/** `Ground Truth`, `groundTruth` and `ground-truth` are `ground_truth`. */
const normalise = (name: string): string =>
  name
    .trim()
    .replace(/([a-z\d])([A-Z])/g, "$1_$2")
    .replace(/[\s-]+/g, "_")
    .toLowerCase();

const candidateOf = (name: string): Candidate | undefined => CANDIDATES.get(normalise(name));

const rankOf = (name: string): number => candidateOf(name)?.rank ?? CANDIDATES.size;

/**
 * The field of each column, by its name: the most telling name gets the field, a field in `taken` is filled already, and
 * a column that finds none is `metadata.<name>`. An `answer` beside other references is the `output`.
 */
export const guessFields = (names: readonly string[], taken: ReadonlySet<string>): Map<string, string> => {
  const guessed = new Map<string, string>();
  const filled = new Set(taken);
  const byRank = names.toSorted((a, b) => rankOf(a) - rankOf(b));
  for (const name of byRank) {
    const field = fieldFor(name, filled);
    filled.add(field);
    guessed.set(name, field);
  }
  return guessed;
};

const fieldFor = (name: string, filled: ReadonlySet<string>): string => {
  const candidate = candidateOf(name);
  const isOwnName = candidate?.rank === 0;
  if (candidate && (!filled.has(candidate.field) || (isOwnName && LIST_FIELDS.has(candidate.field)))) {
    return candidate.field;
  }
  if (normalise(name) === "answer" && !filled.has("output")) return "output";
  return name.startsWith(METADATA_PREFIX) ? name : METADATA_PREFIX + name.trim();
};
