/** The fields that columns can fill, in the column order of CSV exports. `metadata.<name>` is also possible. */
export const FIELDS = [
  ...(["key", "input", "references", "contexts", "output", "group", "tags", "metadata"] as const),
  ...(["expected_tool_calls", "tools", "tool_choice"] as const),
];
export type Field = (typeof FIELDS)[number];

/** Fields with a list of strings, which several columns can fill. */
export const LIST_FIELDS: ReadonlySet<string> = new Set<Field>(["references", "contexts", "tags"]);

export const METADATA_PREFIX = "metadata.";
export const MAX_METADATA_NAMES = 64;
export const MAX_METADATA_NAME_LENGTH = 64;

export const isField = (name: string): name is Field => FIELDS.some((field) => field === name);

const words = (list: string): string[] => list.trim().split(/\s+/);

/**
 * "Answer" in every language in which the question is recognised too: a reference, or the output if another column has
 * the references.
 */
const ANSWERS = words(
  "answer antwort respuesta reponse risposta resposta antwoord odpowiedz svar ответ 答案 回答 답변",
);

/** Common column names for each field, the most specific first, without accents. */
const SYNONYMS: Readonly<Partial<Record<Field, readonly string[]>>> = {
  key: words("id sample_id question_id qid example_id"),
  input: words(`question prompt query messages instruction user_input problem q input_text question_text user_question
    user_query frage pregunta domanda pergunta vraag pytanie fraga вопрос 问题 問題 質問 질문`),
  references: words(`reference expected expected_output expected_answer expected_response ground_truth ground_truths
    ground_truth_answer gold gold_answer golden_answer correct_answer reference_answer reference_output ideal_answer
    target answers ideal`).concat(ANSWERS),
  contexts: words(`context passages passage documents document retrieved_contexts retrieved_context evidence
    kontext contexto contexte contesto`),
  output: words(`response prediction completion model_answer model_output model_response generated_answer
    predicted_answer actual_output`),
  group: words("group_id source_id conversation_id cluster"),
  tags: words("tag labels"),
  expected_tool_calls: words("expected_tools expected_calls expected_function_calls reference_tool_calls"),
  tools: words("available_tools tool_definitions"),
  tool_choice: words("toolchoice"),
};

/** The field of each column name, and its rank: 0 is the field's own name, higher ranks are less specific. */
const CANDIDATES = new Map(
  FIELDS.flatMap((field) => [field, ...(SYNONYMS[field] ?? [])].map((name, rank) => [name, { field, rank }] as const)),
);

/** `Ground Truth`, `groundTruth` and `ground-truth` are `ground_truth`, and `Réponse` is `reponse`. */
const normalise = (name: string): string =>
  name
    .trim()
    .replace(/([a-z\d])([A-Z])/g, "$1_$2")
    .replace(/[\s-]+/g, "_")
    .toLowerCase()
    .normalize("NFD")
    .replace(ACCENTS, "")
    .normalize("NFC");

/** Only for Latin letters: in other scripts, combining marks form different letters. */
const ACCENTS = /(?<=[a-z])\p{M}+/gu;

const candidateOf = (name: string) => CANDIDATES.get(normalise(name));

const rankOf = (name: string): number => candidateOf(name)?.rank ?? CANDIDATES.size;

/**
 * Maps each column to a field by its name. The most specific name gets the field; fields in `taken` are already filled;
 * a column without a field becomes `metadata.<name>`. An `answer` next to other references is the `output`.
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
  if (ANSWERS.includes(normalise(name)) && !filled.has("output")) return "output";
  return name.startsWith(METADATA_PREFIX) ? name : METADATA_PREFIX + name.trim();
};
