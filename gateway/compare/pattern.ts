import type { Reads } from "../../db/client";
import { listTexts } from "../../db/compared-results";
import { blocksOf } from "../../lib/blocks";
import { AppError } from "../../lib/errors";
import { compileLinear, stepsOf } from "../../lib/linear-pattern";
import { textOfInput } from "../datasets/content";
import type { SampleResult } from "../evals/contract";

/** A pattern is matched with at most this many answers, and characters: about 12 million characters take a second. */
const MAX_ANSWERS = 10_000;
const MAX_CHARACTERS = 20_000_000;
const MAX_STEPS = 50_000;
/** Samples read per statement. */
const SAMPLES = 200;

const refused = (message: string, cause?: unknown): AppError =>
  new AppError("invalid_request", message, { param: "pattern", cause });

const TOO_MANY = "Narrow the list by a tag or a search first.";

const compile = (pattern: string): ReturnType<typeof compileLinear> => {
  if (stepsOf(pattern) > MAX_STEPS) throw refused("The regular expression repeats too much. Use a shorter one.");
  try {
    return compileLinear(pattern);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message.replace("error parsing regexp: ", "") : "";
    throw refused(`This is not a valid RE2 regular expression: ${why}.`, cause);
  }
};

/**
 * Keys of the samples whose input or output in any of these runs matches. `answers`: how many answers they have in all
 * runs. Throws invalid_request for a wrong pattern, and for too many or too long answers.
 */
export const matchKeys = async (
  db: Reads,
  pattern: string,
  { runIds, keys, answers }: { runIds: readonly string[]; keys: readonly string[]; answers: number },
): Promise<Set<string>> => {
  const compiled = compile(pattern);
  if (answers > MAX_ANSWERS) {
    const [limit, found] = [MAX_ANSWERS, answers].map((count) => count.toLocaleString("en"));
    throw refused(`A regular expression can search at most ${limit} answers, and this list has ${found}. ${TOO_MANY}`);
  }
  const matching = new Set<string>();
  let characters = 0;
  const matches = (text: string): boolean => {
    characters += text.length;
    if (characters > MAX_CHARACTERS) throw refused(`The texts are too long for a regular expression. ${TOO_MANY}`);
    return compiled.matcher(text).find();
  };
  for (const some of blocksOf(keys, SAMPLES)) {
    const texts = await listTexts(db, runIds, some);
    for (const [key, own] of Map.groupBy(texts, ({ sampleKey }) => sampleKey)) {
      const inputs = new Set(own.map(({ input }) => textOfInput(input as SampleResult["input"])));
      const outputs = new Set(own.flatMap(({ output }) => output ?? []));
      if ([...inputs, ...outputs].some(matches)) matching.add(key);
    }
    // Other reads of this thread go in between.
    await Bun.sleep(0);
  }
  return matching;
};
