import type { EvaluateRequest } from "../../gateway/evals/contract";
import type { Pages } from "./pages";

/** A sample with an answer of which one claim is supported, one in part and one not. */
export const BAKERY = {
  input: "When does the bakery open, and what does a loaf of rye cost?",
  references: ["It opens at 6:30", "4.20 euros"],
  contexts: ["The bakery opens at 6:30 on weekdays. A loaf of rye costs 4.20 euros.", "It is closed on Sundays."],
  output: "It opens at 6:30. A loaf costs about four euros. It was founded in 1871 by two brothers.",
};

/** Evaluates as the API does; answers the path of the run's page. Judges can't be read: the script is empty. */
export const evaluateOn = async (pages: Pages, request: EvaluateRequest): Promise<string> => {
  pages.chat.reset();
  pages.chat.finish();
  const { key } = await pages.newKey("editor", "Ada’s editor key");
  const principal = await pages.keys.verify(`Bearer ${key}`);
  const directives = { noCache: false, noStore: false, onlyIfCached: false };
  const signal = new AbortController().signal;
  const call = { principal, requestId: "req_1", signal, priority: "interactive", directives, receivedAt: 0 } as const;
  const { run } = await pages.evals.evaluate(call, request);
  return `/evals/${run.id}`;
};
